/**
 * One call: the caller's leg and the agent's leg as one machine (RFC 7092: a media-terminating B2BUA). Sans-I/O: events and
 * the time in, effects out.
 *
 *   incoming ──► opening ──media ready──► inviting ──agent 2xx──► answered ──caller's ACK──► talking
 *                   │                        │ ▲                     │                          │ ▲
 *                   │ no ports               │ └─ agent 18x: ring    │                          │ └─ re-INVITE relayed
 *                   ▼                        ▼                       ▼                          ▼
 *                 ended ◄── caller CANCEL, agent 3xx–6xx, ring timer, BYE or loss of either leg, order, call timer ── ended
 *
 * Nothing leads out of ended: late events of either leg are ignored there.
 */
import { callLimits } from '../../lib/limits.ts'
import type { Header } from '../sip/message.ts'
import type { LegEvent } from '../sip/user-agent.ts'
import type { CallEffect } from './effects.ts'
import { type CallVerdict, verdictOf } from './end-reasons.ts'
import { CALL_HEADER, passedHeaders, reportedHeaders } from './headers.ts'
import { Negotiation, otherSide, type Side } from './negotiation.ts'
import type { LocalSdp } from './local-sdp.ts'

export type CallState = 'opening' | 'inviting' | 'answered' | 'talking' | 'ended'

export interface CallParameters {
  readonly callId: string
  /** Id of the configured number that was called. */
  readonly number: string
  readonly passHeaders: readonly string[]
}

type Incoming = Extract<LegEvent, { type: 'incoming' }>

export class Call {
  state: CallState = 'opening'
  readonly #parameters: CallParameters
  readonly #incoming: Incoming
  #negotiation: Negotiation | undefined
  /** The answer the caller was given in a provisional response; it stays the same in the 2xx (SIP-01, SIP-02). */
  #earlyAnswer: Uint8Array | undefined
  /** Which side waits for the other's answer to its re-INVITE. */
  #reofferFrom: Side | undefined
  /** The side that took its re-INVITE back, while the other side has yet to be brought back to what was agreed. */
  #withdrawn: { readonly from: Side; readonly offeredAgain: boolean } | undefined
  /** The side whose next ACK carries the answer to our own offer. */
  #oursOpenWith: Side | undefined
  #deadlineMs: number

  constructor(parameters: CallParameters, incoming: Incoming, nowMs: number) {
    this.#parameters = parameters
    this.#incoming = incoming
    this.#deadlineMs = nowMs + callLimits.ringMs
  }

  start(): CallEffect[] {
    return [{ type: 'open-media' }]
  }

  mediaReady(local: Readonly<Record<Side, LocalSdp>>): CallEffect[] {
    if (this.state !== 'opening') return [] // the caller gave up meanwhile; the shell closes the ports
    const negotiation = new Negotiation(local)
    this.#negotiation = negotiation
    const { body, headers, maxForwards } = this.#incoming
    const offer = body.length > 0 ? negotiation.offered('caller', body) : negotiation.ownOffer('agent')
    if (typeof offer === 'string') return this.#refuse(488, { result: 'client', reason: 'not-acceptable' })
    this.state = 'inviting'
    const { callId, number, passHeaders } = this.#parameters
    return [
      {
        type: 'report',
        report: { type: 'call-started', callId, number, headers: reportedHeaders(headers, passHeaders) },
      },
      {
        type: 'invite',
        headers: [...passedHeaders(headers, passHeaders), { name: CALL_HEADER, value: callId }],
        body: offer,
        maxForwards: maxForwards - 1,
      },
    ]
  }

  mediaFailed(): CallEffect[] {
    return this.state === 'opening' ? this.#refuse(503, { result: 'server', reason: 'overload' }) : []
  }

  /** An event of one of the two legs. */
  legEvent(side: Side, event: LegEvent, nowMs: number): CallEffect[] {
    if (this.state === 'ended') return []
    switch (event.type) {
      case 'provisional':
        return this.#provisional(event)
      case 'answered':
        return this.#answered(event, nowMs)
      case 'failed':
        return this.#agentFailed(event.status)
      case 'confirmed':
        return this.#confirmed(side, event.body)
      case 'cancelled':
        return this.#end({ result: 'success', reason: 'cancelled' }, ['agent'])
      case 'offered':
        return this.#offered(side, event.body)
      case 'offer-withdrawn':
        return this.#offerWithdrawn(side)
      case 'offer-answered':
        return this.#offerAnswered(side, event.body)
      case 'offer-failed':
        return this.#offerFailed(event.status)
      case 'ended':
        return this.#legEnded(side, event.cause)
      // `incoming` made this call; INFO is handled by the shell, which owns the digits' way.
      case 'incoming':
      case 'info':
        return []
    }
  }

  hangUp(verdict: CallVerdict): CallEffect[] {
    if (this.state === 'ended') return []
    if (this.state === 'opening' || this.state === 'inviting') {
      return [...this.#refuse(480, verdict), { type: 'hang-up', side: 'agent' }]
    }
    return this.#end(verdict, ['caller', 'agent'])
  }

  wake(nowMs: number): CallEffect[] {
    if (this.state === 'ended' || nowMs < this.#deadlineMs) return []
    const ringing = this.state === 'opening' || this.state === 'inviting'
    if (!ringing) return this.hangUp({ result: 'server', reason: 'time-limit' })
    return [...this.#refuse(408, { result: 'upstream', reason: 'no-answer' }), { type: 'hang-up', side: 'agent' }]
  }

  nextWakeAtMs(): number | undefined {
    return this.state === 'ended' ? undefined : this.#deadlineMs
  }

  #provisional(event: Extract<LegEvent, { type: 'provisional' }>): CallEffect[] {
    // RFC 3261 8.2.6.1: 100 is hop by hop; the user agent sent ours already.
    if (this.state !== 'inviting' || event.status === 100) return []
    const headers = this.#passed(event.headers)
    if (event.body.length === 0 || this.#incoming.body.length === 0) {
      return [{ type: 'ring', status: event.status, headers, ...(this.#earlyAnswer && { body: this.#earlyAnswer }) }]
    }
    const answer = this.#agreed().answered('agent', event.body)
    if (typeof answer === 'string') return [{ type: 'ring', status: 180, headers }]
    this.#earlyAnswer = answer
    return [this.#useMedia(), { type: 'ring', status: event.status, headers, body: answer }]
  }

  #answered(event: Extract<LegEvent, { type: 'answered' }>, nowMs: number): CallEffect[] {
    if (this.state !== 'inviting') return []
    const answer = this.#agreed().answered('agent', event.body)
    if (typeof answer === 'string') {
      return [
        ...this.#refuse(488, { result: 'upstream', reason: 'not-acceptable' }),
        { type: 'hang-up', side: 'agent' },
      ]
    }
    if (this.#incoming.body.length === 0) this.#oursOpenWith = 'caller'
    this.state = 'answered'
    this.#deadlineMs = nowMs + callLimits.callMs
    return [
      this.#useMedia(),
      { type: 'answer', headers: this.#passed(event.headers), body: answer },
      { type: 'report', report: { type: 'call-answered', callId: this.#parameters.callId } },
    ]
  }

  #agentFailed(status: number): CallEffect[] {
    if (this.state !== 'inviting') return []
    return this.#refuse(passedStatus(status), verdictOf(status))
  }

  #confirmed(side: Side, body: Uint8Array): CallEffect[] {
    if (this.state === 'answered') this.state = 'talking'
    // SIP-13: an unexpected description in an ACK is ignored.
    return this.#oursOpenWith === side ? this.#oursAnswered(side, body) : []
  }

  /** The ACK with the answer to our own offer (SIP-04, SIP-05): no usable answer ends the call. */
  #oursAnswered(side: Side, body: Uint8Array): CallEffect[] {
    this.#oursOpenWith = undefined
    const refusal = this.#agreed().answeredOurs(side, body)
    return refusal === undefined ? [this.#useMedia()] : this.hangUp({ result: 'client', reason: 'not-acceptable' })
  }

  #offered(side: Side, body: Uint8Array): CallEffect[] {
    // Only one exchange at a time across the call; RFC 3261 14.2 gives 491 for the other.
    const open = this.#reofferFrom ?? this.#oursOpenWith ?? this.#withdrawn
    if (open !== undefined || this.state === 'inviting') return [answerOffer(side, 491)]
    if (body.length === 0) {
      this.#oursOpenWith = side
      return [{ type: 'answer-offer', side, answer: { body: this.#agreed().ownOffer(side) } }]
    }
    const relayed = this.#agreed().offered(side, body)
    if (typeof relayed === 'string') return [answerOffer(side, 488)]
    this.#reofferFrom = side
    const session = this.#agreed().proposed
    return [
      ...(session === undefined ? [] : [{ type: 'propose-media', side, session } satisfies CallEffect]),
      { type: 'offer', side: otherSide(side), body: relayed },
    ]
  }

  #offerAnswered(side: Side, body: Uint8Array): CallEffect[] {
    if (this.#oursOpenWith === side) return this.#oursAnswered(side, body)
    if (this.#withdrawn !== undefined) return this.#withdrawnAnswered(this.#withdrawn, side, body)
    const to = this.#reofferFrom
    if (to === undefined || to === side) return []
    this.#reofferFrom = undefined
    const relayed = this.#agreed().answered(side, body)
    if (typeof relayed === 'string') return [{ type: 'withdraw-media', side: to }, answerOffer(to, 488)]
    return [this.#useMedia(), { type: 'answer-offer', side: to, answer: { body: relayed } }]
  }

  /** The offer has gone on already: the other side's answer is awaited, and what was agreed before is offered to it again. */
  #offerWithdrawn(side: Side): CallEffect[] {
    if (this.#reofferFrom !== side) return []
    this.#reofferFrom = undefined
    this.#withdrawn = { from: side, offeredAgain: false }
    return [{ type: 'withdraw-media', side }]
  }

  #withdrawnAnswered(withdrawn: { from: Side; offeredAgain: boolean }, side: Side, body: Uint8Array): CallEffect[] {
    const { from, offeredAgain } = withdrawn
    if (side === from) return []
    // Either answer says where the answerer is; the side that took its offer back is where it was.
    const used = this.#agreed().answeredOurs(side, body) === undefined ? [this.#useMedia()] : []
    this.#withdrawn = offeredAgain ? undefined : { from, offeredAgain: true }
    return offeredAgain ? used : [...used, { type: 'offer', side, body: this.#agreed().offeredAgain(from) }]
  }

  #offerFailed(status: number): CallEffect[] {
    const to = this.#reofferFrom
    this.#reofferFrom = undefined
    // Refused by the other side, too: it never left what was agreed.
    this.#withdrawn = undefined
    // RFC 6141: a refused re-INVITE leaves the session as it was.
    return to === undefined ? [] : [{ type: 'withdraw-media', side: to }, answerOffer(to, passedStatus(status))]
  }

  #legEnded(side: Side, cause: Extract<LegEvent, { type: 'ended' }>['cause']): CallEffect[] {
    const reason = side === 'caller' ? 'caller-hung-up' : 'agent-hung-up'
    const verdict: CallVerdict =
      cause === 'bye' ? { result: 'success', reason } : { result: 'upstream', reason: 'lost' }
    return this.#end(verdict, [otherSide(side)])
  }

  #refuse(status: number, verdict: CallVerdict): CallEffect[] {
    return [{ type: 'reject', status }, ...this.#end(verdict, [])]
  }

  #end(verdict: CallVerdict, hangUp: readonly Side[]): CallEffect[] {
    const reported = this.state !== 'opening'
    this.state = 'ended'
    const { callId } = this.#parameters
    return [
      ...hangUp.map((side): CallEffect => ({ type: 'hang-up', side })),
      { type: 'close-media' },
      ...(reported
        ? [{ type: 'report', report: { type: 'call-ended', callId, ...verdict } } satisfies CallEffect]
        : []),
    ]
  }

  #agreed(): Negotiation {
    if (this.#negotiation === undefined) throw new Error('a leg event arrived before the media was ready')
    return this.#negotiation
  }

  #useMedia(): CallEffect {
    return { type: 'use-media', sessions: { ...this.#agreed().sessions } }
  }

  #passed(headers: readonly Header[]): Header[] {
    return passedHeaders(headers, this.#parameters.passHeaders)
  }
}

function answerOffer(side: Side, status: number): CallEffect {
  return { type: 'answer-offer', side, answer: { status } }
}

/**
 * The final status that the caller sees for the agent side's. SIP-27: redirects are not shown to the far side; SIP-26: a
 * challenge is answered on its own leg or not at all; RFC 3261 16.7 step 6: a 503 of one next hop is not our own 503.
 */
function passedStatus(status: number): number {
  if (status >= 300 && status < 400) return 480
  if (status === 401 || status === 407) return 480
  return status === 503 ? 500 : status
}
