import type { Address } from '../../lib/address.ts'
import { sipTimers } from '../../lib/limits.ts'
import type { Core } from './core.ts'
import { type Dialog, nextHop, requestInDialog } from './dialog.ts'
import type { Leg, OutgoingInvite } from './leg.ts'
import { type Header, headerValue, headerValues, type SipRequest } from './message.ts'
import { responseTo } from './responses.ts'
import type { ClientTransaction } from './transactions.ts'
import type { EndCause } from './user-agent-types.ts'

/** Takes the leg away from the call layer. What it still owes on the wire (open offers) is settled here. */
export function endLeg(core: Core, leg: Leg, nowMs: number): void {
  const { open } = leg.offers
  leg.state = 'ended'
  leg.offers.open = undefined
  leg.offers.queued = undefined
  core.timers.set(leg.offers.retry, undefined)
  core.legs.delete(leg.id)
  if (leg.usage.role === 'uas') leg.usage.repeater.stop()
  else for (const dialog of leg.usage.early.values()) core.dropDialog(dialog)
  // RFC 3261 15.1.2: requests that are still pending in the dialog get 487.
  if (open?.by === 'them') open.transaction.respond(responseTo(open.request, 487), nowMs)
  if (open?.by === 'them-in-2xx') open.acknowledge({}, nowMs)
}

/**
 * Ends the leg from our side: CANCEL, 480, or BYE, whichever fits its state (RFC 3261 9.1, 15).
 * @param reason value of a Reason header (RFC 3326)
 */
export function hangUp(core: Core, leg: Leg, nowMs: number, reason: string | undefined): void {
  const { state, usage, dialog } = leg
  if (state === 'ended') return
  endLeg(core, leg, nowMs)
  usage.hangUpReason = reason
  if (usage.role === 'uac' && state === 'early') cancelWhenPossible(core, leg, usage, nowMs)
  else if (usage.role === 'uas' && state === 'early') {
    if (dialog !== undefined) core.dropDialog(dialog)
    const headers = [...core.dialogHeaders(), ...reasonHeader(reason)]
    usage.transaction.respond(responseTo(usage.request, 480, { toTag: usage.localTag, headers }), nowMs)
  } else if (usage.role === 'uas' && state === 'answered') {
    // RFC 3261 15: the callee may not send BYE before the ACK came or was given up (SIP-12).
    usage.byeWanted = true
  } else if (dialog !== undefined) {
    for (const repeat of leg.repeats.values()) repeat.stop()
    sendBye(core, dialog, leg.peer, reason, nowMs)
  }
}

/** SIP-14: a request in the dialog got 408, 481 or nothing (RFC 3261 12.2.1.2, RFC 5057): the leg ends. */
export function legGone(core: Core, leg: Leg, cause: EndCause, nowMs: number): void {
  if (leg.state === 'ended') return
  hangUp(core, leg, nowMs, undefined)
  core.emit({ type: 'ended', leg: leg.id, cause, headers: [] })
}

/** Sends BYE and keeps the dialog a while for a BYE that crosses it. */
export function sendBye(core: Core, dialog: Dialog, peer: Address, reason: string | undefined, nowMs: number): void {
  const headers = [{ name: 'User-Agent', value: core.options.userAgent }, ...reasonHeader(reason)]
  const bye = requestInDialog(dialog, 'BYE', { via: core.via(), headers })
  core.dropDialogLater(dialog, nowMs)
  core.transactions.request(bye, nextHop(dialog, peer), nowMs, (outcome) => {
    if (outcome === 'timeout' || outcome === 'unsendable') core.count('sip_bye_unanswered')
  })
}

/** SIP-10: no CANCEL before a provisional answer came; until then it is remembered (RFC 3261 9.1). */
export function cancelWhenPossible(core: Core, leg: Leg, usage: OutgoingInvite, nowMs: number): void {
  const { transaction } = usage
  if (usage.cancel === 'sent' || transaction === undefined) return
  if (transaction.machine.state === 'calling') usage.cancel = 'wanted'
  if (transaction.machine.state !== 'proceeding') return
  usage.cancel = 'sent'
  sendCancel(core, { request: usage.request, transaction, to: leg.peer }, nowMs, usage.hangUpReason)
}

/** CANCEL of an INVITE (or re-INVITE) that is proceeding; without a final answer in 64·T1 the INVITE is given up. */
export function sendCancel(
  core: Core,
  invite: { request: SipRequest; transaction: ClientTransaction; to: Address },
  nowMs: number,
  reason?: string,
): void {
  const { request, transaction, to } = invite
  core.transactions.request(cancelOf(request, reason), to, nowMs, () => {})
  core.timers.set({ wake: (atMs) => transaction.abandon(atMs) }, nowMs + sipTimers.giveUpMs)
}

/** RFC 3261 9.1: everything as in the INVITE, its top Via alone, and its branch. */
function cancelOf(invite: SipRequest, reason: string | undefined): SipRequest {
  const copied = (name: string): Header[] => headerValues(invite, name).map((value) => ({ name, value }))
  return {
    kind: 'request',
    method: 'CANCEL',
    uri: invite.uri,
    headers: [
      { name: 'Via', value: headerValue(invite, 'Via') ?? '' },
      ...copied('Route'),
      { name: 'Max-Forwards', value: '70' },
      ...copied('From'),
      ...copied('To'),
      ...copied('Call-ID'),
      { name: 'CSeq', value: (headerValue(invite, 'CSeq') ?? '').replace('INVITE', 'CANCEL') },
      ...reasonHeader(reason),
    ],
    body: new Uint8Array(0),
  }
}

export function reasonHeader(reason: string | undefined): Header[] {
  return reason === undefined ? [] : [{ name: 'Reason', value: reason }]
}
