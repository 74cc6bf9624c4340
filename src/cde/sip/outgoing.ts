import { sipLimits } from '../../lib/limits.ts'
import { cseqOf } from './check.ts'
import { type Core, content } from './core.ts'
import { type Dialog, uacDialog } from './dialog.ts'
import { cancelWhenPossible, endLeg, sendBye } from './ending.ts'
import type { Leg, OutgoingInvite } from './leg.ts'
import { type Header, headerValue, type SipRequest, type SipResponse } from './message.ts'
import { tagOf } from './name-addr.ts'
import { newOffers, sendAck, sendQueuedOffer } from './offers.ts'
import { reasonPhrase } from './responses.ts'
import type { Outcome } from './transactions.ts'
import { parseUri } from './uri.ts'
import type { LegId, OutgoingCall } from './user-agent-types.ts'

/** Places a call, RFC 3261 13.2. */
export function startCall(core: Core, id: LegId, call: OutgoingCall, nowMs: number): void {
  if (core.legs.has(id)) {
    core.count('sip_leg_id_reused')
    return
  }
  const refusal =
    typeof parseUri(call.target) === 'string' ? 400 : core.legs.size >= sipLimits.legsMax ? 503 : undefined
  if (refusal !== undefined) {
    core.emit({ type: 'failed', leg: id, status: refusal, reason: reasonPhrase(refusal), headers: [] })
    return
  }
  const usage: OutgoingInvite = {
    role: 'uac',
    request: inviteOf(core, call),
    transaction: undefined,
    early: new Map(),
    answers: new Map(),
    cancel: 'no',
    hangUpReason: undefined,
  }
  const leg: Leg = {
    id,
    state: 'early',
    usage,
    dialog: undefined,
    peer: call.destination,
    repeats: new Map(),
    offers: newOffers((atMs) => sendQueuedOffer(core, leg, atMs)),
  }
  core.legs.set(id, leg)
  usage.transaction = core.transactions.request(usage.request, call.destination, nowMs, (outcome, atMs) => {
    onOutcome(core, leg, usage, outcome, atMs)
  })
}

function inviteOf(core: Core, call: OutgoingCall): SipRequest {
  const body = call.body ?? new Uint8Array(0)
  const headers: Header[] = [
    { name: 'Via', value: core.via() },
    { name: 'Max-Forwards', value: String(call.maxForwards) },
    { name: 'From', value: `${call.from};tag=${core.token()}` },
    { name: 'To', value: call.to },
    { name: 'Call-ID', value: core.token() },
    { name: 'CSeq', value: '1 INVITE' },
    ...core.dialogHeaders(),
    { name: 'User-Agent', value: core.options.userAgent },
    ...core.extraHeaders(call.headers),
  ]
  if (body.length > 0) headers.push({ name: 'Content-Type', value: call.contentType ?? 'application/sdp' })
  return { kind: 'request', method: 'INVITE', uri: call.target, headers, body }
}

function onOutcome(core: Core, leg: Leg, usage: OutgoingInvite, outcome: Outcome, nowMs: number): void {
  if (outcome === 'timeout') fail(core, leg, { status: 408, reason: reasonPhrase(408), headers: [] }, nowMs)
  else if (outcome === 'unsendable') fail(core, leg, { status: 503, reason: reasonPhrase(503), headers: [] }, nowMs)
  else if (outcome.status < 200) onProvisional(core, leg, usage, outcome, nowMs)
  else if (outcome.status < 300) onAnswer(core, leg, usage, outcome, nowMs)
  else fail(core, leg, outcome, nowMs)
}

function fail(core: Core, leg: Leg, final: Pick<SipResponse, 'status' | 'reason' | 'headers'>, nowMs: number): void {
  if (leg.state === 'ended') return
  endLeg(core, leg, nowMs)
  const { status, reason, headers } = final
  core.emit({ type: 'failed', leg: leg.id, status, reason, headers })
}

/** SIP-01, SIP-02: every early dialog is known by its To tag; towards the call layer they are one leg. */
function onProvisional(core: Core, leg: Leg, usage: OutgoingInvite, response: SipResponse, nowMs: number): void {
  if (leg.state === 'ended') {
    if (usage.cancel === 'wanted') cancelWhenPossible(core, leg, usage, nowMs)
    return
  }
  // A provisional that was overtaken by the 2xx of another fork changes nothing any more.
  if (leg.state !== 'early' || response.status === 100) return
  const tag = tagOf(headerValue(response, 'To') ?? '')
  const known = usage.early.get(tag)
  if (known === undefined && tag !== '' && usage.early.size < sipLimits.forksMax) {
    const dialog = uacDialog(usage.request, response)
    usage.early.set(tag, dialog)
    core.holdDialog(leg, dialog)
    leg.dialog = dialog
  } else if (known !== undefined) leg.dialog = known
  const { status, reason, headers } = response
  core.emit({ type: 'provisional', status, reason, headers, ...content(leg, response) })
}

/**
 * RFC 3261 13.2.2.4 and RFC 6026: the first 2xx wins, each gets its ACK every time it comes, others get BYE (SIP-03).
 */
function onAnswer(core: Core, leg: Leg, usage: OutgoingInvite, response: SipResponse, nowMs: number): void {
  const tag = tagOf(headerValue(response, 'To') ?? '')
  const known = usage.answers.get(tag)
  if (usage.answers.has(tag)) {
    core.count('sip_retransmission_absorbed')
    if (known !== undefined) core.send(known.to, known.datagram)
    return
  }
  if (usage.answers.size >= sipLimits.forksMax) {
    core.count('sip_forks_full')
    return
  }
  const dialog = confirmedDialog(usage, response, tag)
  const seq = cseqOf(usage.request)?.number ?? 0
  if (leg.state !== 'early') {
    // A 200 that crossed our CANCEL (SIP-10), or another fork's.
    core.count('sip_answer_unwanted')
    usage.answers.set(tag, sendAck(core, leg, dialog, seq))
    core.holdDialog(leg, dialog)
    sendBye(core, dialog, leg.peer, usage.hangUpReason, nowMs)
    return
  }
  for (const early of usage.early.values()) core.dropDialog(early)
  usage.early.clear()
  core.holdDialog(leg, dialog)
  leg.dialog = dialog
  leg.state = 'confirmed'
  if (usage.request.body.length > 0) usage.answers.set(tag, sendAck(core, leg, dialog, seq))
  else {
    usage.answers.set(tag, undefined)
    leg.offers.open = {
      by: 'them-in-2xx',
      acknowledge: (answer) => usage.answers.set(tag, sendAck(core, leg, dialog, seq, answer)),
    }
  }
  core.emit({ type: 'answered', headers: response.headers, ...content(leg, response) })
}

/** RFC 3261 13.2.2.4: route set and target come from the 2xx; the sequence numbers of its early dialog go on. */
function confirmedDialog(usage: OutgoingInvite, response: SipResponse, tag: string): Dialog {
  const dialog = uacDialog(usage.request, response)
  const early = usage.early.get(tag)
  if (early !== undefined) {
    dialog.localSeq = early.localSeq
    dialog.remoteSeq = early.remoteSeq
  }
  return dialog
}
