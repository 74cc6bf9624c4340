import { randomUnit } from '../../lib/random.ts'
import { sipLimits, sipTimers } from '../../lib/limits.ts'
import { AnswerRepeat } from './answer-repeat.ts'
import { cseqOf } from './check.ts'
import { type Core, content } from './core.ts'
import { type Dialog, nextHop, refreshTarget, requestInDialog } from './dialog.ts'
import { legGone, sendBye, sendCancel } from './ending.ts'
import type { AckContent, Leg, Offers, QueuedOffer, SentAck } from './leg.ts'
import { type SipRequest, type SipResponse, serializeMessage } from './message.ts'
import { responseTo } from './responses.ts'
import type { Outcome, ServerTransaction } from './transactions.ts'
import type { OfferAnswer } from './user-agent-types.ts'

/** A fresh lock; `wake` is called when a 491 has been waited out. */
export function newOffers(wake: (nowMs: number) => void): Offers {
  return { open: undefined, queued: undefined, notBeforeMs: 0, glareCount: 0, retry: { wake } }
}

/** Our offer(): sent at once when the leg is free, else kept; a newer one replaces one that waits. */
export function queueOffer(core: Core, leg: Leg, offer: QueuedOffer, nowMs: number): void {
  leg.offers.queued = offer
  leg.offers.glareCount = 0
  sendQueuedOffer(core, leg, nowMs)
}

/** RFC 3261 14.1: no INVITE of ours while another is in progress in the dialog, in either direction. */
export function sendQueuedOffer(core: Core, leg: Leg, nowMs: number): void {
  const { offers, dialog } = leg
  const { queued } = offers
  if (leg.state !== 'confirmed' || dialog === undefined || queued === undefined) return
  if (offers.open !== undefined || leg.repeats.size > 0) return
  if (nowMs < offers.notBeforeMs) {
    core.timers.set(offers.retry, offers.notBeforeMs)
    return
  }
  offers.queued = undefined
  offers.open = { by: 'us' }
  sendReinvite(core, leg, dialog, queued, nowMs)
}

function sendReinvite(core: Core, leg: Leg, dialog: Dialog, offer: QueuedOffer, nowMs: number): void {
  const headers = [...core.dialogHeaders(), { name: 'User-Agent', value: core.options.userAgent }]
  const request = requestInDialog(dialog, 'INVITE', { ...offer, via: core.via(), headers })
  const to = nextHop(dialog, leg.peer)
  const guard = {
    wake: (atMs: number) => {
      if (transaction?.machine.state === 'proceeding') sendCancel(core, { request, transaction, to }, atMs)
    },
  }
  let sentAck: SentAck | undefined
  const transaction = core.transactions.request(request, to, nowMs, (outcome, atMs) => {
    if (typeof outcome === 'object' && outcome.status < 200) return
    core.timers.set(guard, undefined)
    if (typeof outcome === 'object' && outcome.status < 300) {
      if (sentAck !== undefined) core.send(sentAck.to, sentAck.datagram)
      else
        reinviteAccepted(core, leg, dialog, { request, response: outcome, offer }, atMs, (ack) => {
          sentAck = ack
        })
    } else reinviteRefused(core, leg, offer, outcome, atMs)
  })
  if (transaction !== undefined) core.timers.set(guard, nowMs + sipTimers.reinviteMs)
}

interface Accepted {
  readonly request: SipRequest
  readonly response: SipResponse
  readonly offer: QueuedOffer
}

function reinviteAccepted(
  core: Core,
  leg: Leg,
  dialog: Dialog,
  { request, response, offer }: Accepted,
  nowMs: number,
  onAck: (ack: SentAck) => void,
): void {
  const seq = cseqOf(request)?.number ?? 0
  if (leg.state === 'ended') {
    onAck(sendAck(core, leg, dialog, seq))
    return
  }
  refreshTarget(dialog, response)
  if (offer.body === undefined) {
    // The 2xx holds their offer. A repetition of it, before answerOffer came, finds the lock taken and does nothing.
    if (leg.offers.open?.by !== 'us') return
    leg.offers.open = { by: 'them-in-2xx', acknowledge: (answer) => onAck(sendAck(core, leg, dialog, seq, answer)) }
    core.emit({ type: 'offered', ...content(leg, response) })
    return
  }
  onAck(sendAck(core, leg, dialog, seq))
  leg.offers.open = undefined
  core.emit({ type: 'offer-answered', ...content(leg, response) })
  sendQueuedOffer(core, leg, nowMs)
}

function reinviteRefused(core: Core, leg: Leg, offer: QueuedOffer, outcome: Outcome, nowMs: number): void {
  if (leg.state === 'ended') return
  const { offers } = leg
  offers.open = undefined
  // Unsendable: only this request failed, and only here; 12.2.1.2 ends a dialog when its peer does not answer.
  const status = typeof outcome === 'object' ? outcome.status : outcome === 'timeout' ? 408 : 500
  if (status === 408 || status === 481) legGone(core, leg, status === 481 ? 'dialog-gone' : 'timeout', nowMs)
  else if (status === 491 && ++offers.glareCount <= sipLimits.glareRetriesMax) {
    core.count('sip_glare')
    offers.queued ??= offer
    offers.notBeforeMs = nowMs + glareDelayMs(core, leg)
    sendQueuedOffer(core, leg, nowMs)
  } else {
    offers.glareCount = 0
    core.emit({ type: 'offer-failed', leg: leg.id, status })
    sendQueuedOffer(core, leg, nowMs)
  }
}

/** RFC 3261 14.1 (SIP-09): the owner of the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in steps of 10 ms. */
function glareDelayMs(core: Core, leg: Leg): number {
  const unit = randomUnit(core.options.random)
  return leg.usage.role === 'uac' ? 2_100 + 10 * Math.floor(unit * 191) : 10 * Math.floor(unit * 201)
}

/** An ACK to a 2xx: new branch, CSeq number of the INVITE (RFC 3261 13.2.2.4). */
export function sendAck(core: Core, leg: Leg, dialog: Dialog, seq: number, answer: AckContent = {}): SentAck {
  const ack = requestInDialog(dialog, 'ACK', { ...answer, via: core.via(), seq })
  const sent = { to: nextHop(dialog, leg.peer), datagram: serializeMessage(ack) }
  core.send(sent.to, sent.datagram)
  return sent
}

/** Their re-INVITE, or UPDATE with an offer: glare is answered here, the rest goes to the call layer. */
export function onPeerOffer(core: Core, leg: Leg, request: SipRequest, transaction: ServerTransaction, nowMs: number) {
  const status = peerOfferRefusal(leg)
  if (status === undefined) {
    if (request.method === 'INVITE') transaction.respond(responseTo(request, 100), nowMs)
    leg.offers.open = { by: 'them', request, transaction }
    core.emit({ type: 'offered', ...content(leg, request) })
    return
  }
  core.count('sip_offer_refused_open')
  // RFC 3261 14.2, RFC 3311 5.2: with 500 the peer is told when to try again, 0 to 10 s.
  const retryAfter = { name: 'Retry-After', value: String(Math.floor(randomUnit(core.options.random) * 11)) }
  transaction.respond(responseTo(request, status, { headers: status === 500 ? [retryAfter] : [] }), nowMs)
}

/** SIP-09: 491 while an offer of ours is open, 500 while theirs is. */
function peerOfferRefusal(leg: Leg): 491 | 500 | undefined {
  const { open } = leg.offers
  if (leg.state === 'early') return leg.usage.role === 'uac' ? 491 : 500
  if (open?.by === 'them') return 500
  if (open !== undefined) return 491
  // RFC 5407 3.1.4: a re-INVITE that overtook the ACK is served, unless that ACK brings the answer to our offer.
  return [...leg.repeats.values()].some((repeat) => repeat.expectsAnswer) ? 491 : undefined
}

/** The call layer's answer to an `offered` event. */
export function answerPeerOffer(core: Core, leg: Leg, answer: OfferAnswer, nowMs: number): void {
  const { open } = leg.offers
  if (open === undefined || open.by === 'us') return
  leg.offers.open = undefined
  if (open.by === 'them-in-2xx') {
    const refused = 'status' in answer
    open.acknowledge(refused ? {} : answer, nowMs)
    // RFC 3261 14.1 knows no way to refuse an offer that came in a 2xx, but to end the call.
    if (refused) legGone(core, leg, 'timeout', nowMs)
  } else if ('status' in answer) {
    const status = answer.status >= 300 && answer.status <= 699 ? answer.status : 488
    open.transaction.respond(responseTo(open.request, status), nowMs)
  } else {
    if (leg.dialog !== undefined) refreshTarget(leg.dialog, open.request)
    const response = responseTo(open.request, 200, { headers: core.dialogHeaders(), ...answer })
    open.transaction.respond(response, nowMs)
    if (open.request.method === 'INVITE') awaitAck(core, leg, open.request, open.transaction, response, nowMs)
  }
  sendQueuedOffer(core, leg, nowMs)
}

/** Repeats our 2xx to the INVITE or re-INVITE until its ACK; without one the leg ends (SIP-11). */
export function awaitAck(
  core: Core,
  leg: Leg,
  invite: SipRequest,
  transaction: ServerTransaction,
  response: SipResponse,
  nowMs: number,
): void {
  const seq = cseqOf(invite)?.number ?? 0
  const expectsAnswer = invite.body.length === 0
  const answer = { to: transaction.to, datagram: serializeMessage(response), expectsAnswer }
  const repeat = new AnswerRepeat(core, answer, nowMs, (ack, atMs) => {
    leg.repeats.delete(seq)
    if (ack === undefined) core.count('sip_ack_missing')
    if (leg.state === 'ended') byeAfterAck(core, leg, atMs)
    else if (ack === undefined) noAck(core, leg, atMs)
    else onFirstAck(core, leg, expectsAnswer ? ack : { ...ack, body: new Uint8Array(0) }, expectsAnswer, atMs)
  })
  leg.repeats.set(seq, repeat)
}

function onFirstAck(core: Core, leg: Leg, ack: SipRequest, expectsAnswer: boolean, nowMs: number): void {
  if (leg.state === 'answered') {
    leg.state = 'confirmed'
    core.emit({ type: 'confirmed', ...content(leg, ack) })
  } else if (expectsAnswer) core.emit({ type: 'offer-answered', ...content(leg, ack) })
  sendQueuedOffer(core, leg, nowMs)
}

function noAck(core: Core, leg: Leg, nowMs: number): void {
  leg.state = 'confirmed' // The wait for the ACK is over: BYE is allowed now.
  legGone(core, leg, 'no-ack', nowMs)
}

function byeAfterAck(core: Core, leg: Leg, nowMs: number): void {
  const { usage, dialog } = leg
  if (usage.role !== 'uas' || !usage.byeWanted || dialog === undefined) return
  usage.byeWanted = false
  sendBye(core, dialog, leg.peer, usage.hangUpReason, nowMs)
}
