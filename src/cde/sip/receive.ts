import type { Address } from '../../lib/address.ts'
import { cseqOf } from './check.ts'
import { ALLOW, type Core } from './core.ts'
import { comesFromPeer, type Dialog, dialogKeyOfRequest } from './dialog.ts'
import { onPeerRequest } from './in-dialog.ts'
import { onCancel, onInvite, RETRY_LATER } from './incoming.ts'
import type { Leg } from './leg.ts'
import { headerValue, longName, readMessage, type SipRequest } from './message.ts'
import { tagOf } from './name-addr.ts'
import { refusalOf, syntaxRefusal } from './uas-checks.ts'
import { stampVia } from './via.ts'

/** One datagram from the network: read, matched, and answered or passed up. Whatever it holds, nothing throws. */
export function receiveDatagram(core: Core, datagram: Uint8Array, source: Address, nowMs: number): void {
  // SIP-35: an unlisted source gets no answer, whatever it sends.
  if (core.options.allowSource?.(source) === false) {
    core.count('sip_source_refused')
    return
  }
  const { message, problem } = readMessage(datagram)
  if (problem === 'keep-alive') return
  if (problem !== undefined) {
    core.count('sip_parse_refused')
    core.count(`sip_parse_refused_${problem.replaceAll('-', '_')}`)
  }
  if (message?.kind === 'request') {
    const request = stamped(message, source)
    if (problem === undefined) receiveRequest(core, request, source, nowMs)
    else core.answerStateless(request, source, syntaxRefusal(problem))
  } else if (message?.kind === 'response' && problem === undefined) core.transactions.receiveResponse(message, nowMs)
}

/** RFC 3261 18.2.1, RFC 3581 4: the top Via gets `received` and `rport` before anything else looks at it. */
function stamped(request: SipRequest, source: Address): SipRequest {
  const at = request.headers.findIndex((header) => longName(header.name) === 'via')
  const headers = request.headers.map((header, index) =>
    index === at ? { name: header.name, value: stampVia(header.value, source) } : header,
  )
  return { ...request, headers }
}

function receiveRequest(core: Core, request: SipRequest, source: Address, nowMs: number): void {
  if (request.method === 'ACK') return onAck(core, request, source, nowMs)
  const known = core.transactions.find(request)
  if (known !== undefined) return known.repeated()
  if (request.method === 'CANCEL') return onCancel(core, request, source, nowMs)
  const refusal = refusalOf(request)
  if (refusal !== undefined) return core.answerStateless(request, source, refusal.status, refusal)
  if (tagOf(headerValue(request, 'To') ?? '') !== '') return receiveInDialog(core, request, source, nowMs)
  if (core.transactions.isMerged(request)) return core.answerStateless(request, source, 482)
  if (request.method === 'OPTIONS') return answerOptions(core, request, source)
  if (request.method !== 'INVITE') return core.answerStateless(request, source, 481)
  // RFC 3261 8.1.1.8: without a Contact no dialog can be built.
  if (headerValue(request, 'Contact') === undefined) return core.answerStateless(request, source, 400)
  // No answer: the peer sends its INVITE again 500 ms later, and a 503 would take us out of service at some peers.
  if (!core.sourceRate.takes(source.host, nowMs)) return core.count('sip_calls_limited')
  onInvite(core, request, source, nowMs)
}

/** An ACK: of a refusal by its branch, of a 2xx by its dialog and CSeq number (SIP-13). Strays are dropped (SIP-35). */
function onAck(core: Core, ack: SipRequest, source: Address, nowMs: number): void {
  const refused = core.transactions.find(ack, 'INVITE')
  if (refused?.to.host === source.host && refused.machine.state !== 'accepted') return refused.acknowledged(nowMs)
  const leg = heldDialog(core, ack, source)?.leg
  const repeat = leg?.repeats.get(cseqOf(ack)?.number ?? -1)
  if (repeat === undefined) core.count(leg === undefined ? 'sip_stray_ack' : 'sip_retransmission_absorbed')
  else repeat.acknowledged(ack, nowMs)
}

/** The dialog of a request, unless somebody else than its peer has sent it: for them there is none. */
function heldDialog(core: Core, request: SipRequest, source: Address): { leg: Leg; dialog: Dialog } | undefined {
  const held = core.dialogs.get(dialogKeyOfRequest(request))
  if (held === undefined || comesFromPeer(held.dialog, held.leg.peer, source)) return held
  core.count('sip_dialog_source_refused')
  return undefined
}

function receiveInDialog(core: Core, request: SipRequest, source: Address, nowMs: number): void {
  const held = heldDialog(core, request, source)
  if (held === undefined) return core.answerStateless(request, source, 481)
  const { leg, dialog } = held
  const seq = cseqOf(request)?.number ?? 0
  // RFC 3261 12.2.2: out of order. An equal number is no repetition either, that would have met its transaction.
  if (dialog.remoteSeq !== undefined && seq <= dialog.remoteSeq) return core.answerStateless(request, source, 500)
  const transaction = core.transactions.serve(request, source)
  // Not 503, which would take us out of service at some peers: the call goes on, this request may come again.
  if (transaction === undefined) return core.answerStateless(request, source, 500, { headers: [RETRY_LATER] })
  dialog.remoteSeq = seq
  onPeerRequest(core, { leg, dialog, request, transaction }, nowMs)
}

/** SIP-22: OPTIONS is answered without authentication (RFC 3261 11.2). */
function answerOptions(core: Core, request: SipRequest, source: Address): void {
  const headers = [
    { name: 'Allow', value: ALLOW },
    { name: 'Accept', value: 'application/sdp' },
    { name: 'Supported', value: '' },
  ]
  core.answerStateless(request, source, 200, { headers })
}
