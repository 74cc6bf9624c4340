import type { Address } from '../../lib/address.ts'
import { Core } from './core.ts'
import { hangUp } from './ending.ts'
import { sendInfo } from './in-dialog.ts'
import { answer, reject, ring } from './incoming.ts'
import type { Leg } from './leg.ts'
import { parseMessage } from './message.ts'
import { answerPeerOffer, queueOffer } from './offers.ts'
import { startCall } from './outgoing.ts'
import { receiveDatagram } from './receive.ts'
import type { LegId, OfferAnswer, OutgoingCall, Output, ResponseExtra, UserAgentOptions } from './user-agent-types.ts'

export type {
  EndCause,
  LegEvent,
  LegId,
  OfferAnswer,
  OutgoingCall,
  Output,
  ResponseExtra,
  UserAgentOptions,
} from './user-agent-types.ts'

/**
 * The sans-I/O SIP endpoint (UAC and UAS core of RFC 3261) of the B2BUA and of the simulated phones alike.
 *
 * Every call into it returns what to do now: datagrams to send and events, in order. After each, ask nextWakeAtMs and
 * call wake then. An order on a leg that is unknown, has ended, or is in a state where the order has no meaning
 * returns []. The UA copies nothing between legs.
 */
export class UserAgent {
  readonly #core: Core

  constructor(options: UserAgentOptions) {
    this.#core = new Core(options)
  }

  /** Written into Via and Contact. Set it (once bound) before the first call. */
  get local(): Address {
    return this.#core.local
  }

  set local(address: Address) {
    this.#core.local = address
  }

  /** One datagram from the network. Never throws. */
  receive(datagram: Uint8Array, from: Address, nowMs: number): Output[] {
    receiveDatagram(this.#core, datagram, from, nowMs)
    return this.#core.takeOutputs()
  }

  /** Fires all timers that are due. */
  wake(nowMs: number): Output[] {
    const { timers } = this.#core
    for (let due = timers.takeDue(nowMs); due !== undefined; due = timers.takeDue(nowMs)) due.wake(nowMs)
    return this.#core.takeOutputs()
  }

  nextWakeAtMs(): number | undefined {
    return this.#core.timers.nextAtMs()
  }

  /**
   * The network refused this datagram of ours (ICMP, no route): an INVITE that waits for its first answer fails 503.
   */
  sendFailed(datagram: Uint8Array, nowMs: number): Output[] {
    this.#core.count('sip_send_failed')
    const message = parseMessage(datagram)
    if (typeof message === 'object' && message.kind === 'request') this.#core.transactions.unsendable(message, nowMs)
    return this.#core.takeOutputs()
  }

  /** Places a call under a fresh leg id. A target that is no URI fails with 400, too many legs with 503. */
  invite(leg: LegId, call: OutgoingCall, nowMs: number): Output[] {
    startCall(this.#core, leg, call, nowMs)
    return this.#core.takeOutputs()
  }

  /** @param status 180–199 */
  ring(leg: LegId, status: number, extra: ResponseExtra, nowMs: number): Output[] {
    return this.#order(leg, (found) => ring(this.#core, found, status, extra, nowMs))
  }

  /** 200 to an incoming INVITE, repeated until `confirmed`. Without a body in the INVITE, this body is our offer. */
  answer(leg: LegId, extra: ResponseExtra, nowMs: number): Output[] {
    return this.#order(leg, (found) => answer(this.#core, found, extra, nowMs))
  }

  /** @param status 300–699 */
  reject(
    leg: LegId,
    status: number,
    extra: ResponseExtra & { readonly reason?: string | undefined },
    nowMs: number,
  ): Output[] {
    return this.#order(leg, (found) => reject(this.#core, found, status, extra, nowMs))
  }

  /**
   * Ends the leg: CANCEL (kept until a provisional came), 480, or BYE (kept until the ACK came), as its state wants.
   * No event follows.
   * @param reasonHeader value of a Reason header, RFC 3326
   */
  hangUp(leg: LegId, nowMs: number, reasonHeader?: string): Output[] {
    return this.#order(leg, (found) => hangUp(this.#core, found, nowMs, reasonHeader))
  }

  /**
   * re-INVITE, at once or as soon as the leg is free (ACK pending, their offer open, glare); of several that wait the
   * newest goes. Without a body their 2xx brings `offered`, to be answered with answerOffer.
   */
  offer(leg: LegId, body: Uint8Array | undefined, contentType: string, nowMs: number): Output[] {
    return this.#order(leg, (found) => queueOffer(this.#core, found, { body, contentType }, nowMs))
  }

  /** The answer to `offered` (or, for our INVITE without a body, to the offer in `answered`): SDP, or a refusal. */
  answerOffer(leg: LegId, offerAnswer: OfferAnswer, nowMs: number): Output[] {
    return this.#order(leg, (found) => answerPeerOffer(this.#core, found, offerAnswer, nowMs))
  }

  /** INFO in an early or confirmed dialog; 408 or 481 to it ends the leg. */
  info(leg: LegId, contentType: string, body: Uint8Array, nowMs: number): Output[] {
    return this.#order(leg, (found) => sendInfo(this.#core, found, contentType, body, nowMs))
  }

  /** Counts since the start; names begin with sip_. */
  counters(): Readonly<Record<string, number>> {
    return this.#core.counters()
  }

  /** What is held right now: for metrics, for draining, and for tests that look for leaks. */
  held(): { legs: number; dialogs: number; transactions: number } {
    const { legs, dialogs, transactions } = this.#core
    return { legs: legs.size, dialogs: dialogs.size, transactions: transactions.size }
  }

  #order(id: LegId, run: (leg: Leg) => void): Output[] {
    const leg = this.#core.legs.get(id)
    if (leg !== undefined) run(leg)
    return this.#core.takeOutputs()
  }
}
