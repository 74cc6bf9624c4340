import { type Core, content } from './core.ts'
import { type Dialog, nextHop, refreshTarget, requestInDialog } from './dialog.ts'
import { endLeg, hangUp, legGone } from './ending.ts'
import { terminateEarly } from './incoming.ts'
import type { Leg } from './leg.ts'
import type { SipRequest } from './message.ts'
import { onPeerOffer } from './offers.ts'
import { responseTo } from './responses.ts'
import type { ServerTransaction } from './transactions.ts'

/** A request in a dialog that the peer sent, in order and of a method we serve. */
export interface PeerRequest {
  readonly leg: Leg
  readonly dialog: Dialog
  readonly request: SipRequest
  readonly transaction: ServerTransaction
}

export function onPeerRequest(core: Core, peer: PeerRequest, nowMs: number): void {
  const { leg, dialog, request, transaction } = peer
  const ok = (): void => transaction.respond(responseTo(request, 200, { headers: core.dialogHeaders() }), nowMs)
  if (request.method === 'BYE') onBye(core, peer, nowMs)
  else if (leg.state === 'ended') transaction.respond(responseTo(request, 481), nowMs)
  else if (request.method === 'INVITE') onPeerOffer(core, leg, request, transaction, nowMs)
  else if (request.method === 'UPDATE' && request.body.length > 0) onPeerOffer(core, leg, request, transaction, nowMs)
  else if (request.method === 'UPDATE') {
    refreshTarget(dialog, request)
    ok()
  } else if (request.method === 'INFO') {
    // SIP-21: INFO is always answered here; what its body means is for the leg's user. The body is kept nowhere.
    transaction.respond(responseTo(request, 200), nowMs)
    core.emit({ type: 'info', ...content(leg, request) })
  } else ok()
}

/** RFC 3261 15.1.2. Two crossing BYEs both get 200; the next one finds no dialog (SIP-12). */
function onBye(core: Core, { leg, dialog, request, transaction }: PeerRequest, nowMs: number): void {
  const { state, usage } = leg
  transaction.respond(responseTo(request, 200), nowMs)
  core.dropDialog(dialog)
  for (const repeat of leg.repeats.values()) repeat.stop()
  leg.repeats.clear()
  if (usage.role === 'uas') usage.byeWanted = false
  if (state === 'ended') return
  if (state === 'early' && usage.role === 'uas') terminateEarly(core, leg, usage, nowMs)
  // A callee may send BYE on an early dialog only when its 2xx was lost for 64·T1: the other forks are cancelled.
  else if (state === 'early') hangUp(core, leg, nowMs, undefined)
  else endLeg(core, leg, nowMs)
  core.emit({ type: 'ended', leg: leg.id, cause: 'bye', headers: request.headers })
}

/** INFO (RFC 6086) in an early or confirmed dialog. */
export function sendInfo(core: Core, leg: Leg, contentType: string, body: Uint8Array, nowMs: number): void {
  const { dialog } = leg
  if (dialog === undefined || leg.state === 'ended') return
  const headers = [core.contact(), { name: 'User-Agent', value: core.options.userAgent }]
  const request = requestInDialog(dialog, 'INFO', { via: core.via(), headers, body, contentType })
  core.transactions.request(request, nextHop(dialog, leg.peer), nowMs, (outcome, atMs) => {
    if (outcome === 'unsendable') return core.count('sip_info_unsent')
    const status = typeof outcome === 'object' ? outcome.status : 408
    if (status === 408 || status === 481) legGone(core, leg, status === 481 ? 'dialog-gone' : 'timeout', atMs)
  })
}
