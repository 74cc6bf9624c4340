import type { Address } from '../../lib/address.ts'
import { sipTimers } from '../../lib/limits.ts'
import type { SipRequest } from './message.ts'
import type { Timed } from './timer-queue.ts'
import { earliest } from './transaction.ts'
import type { TransactionHost } from './transactions.ts'

/*
 * Our 2xx to an INVITE until its ACK comes, RFC 3261 13.3.1.4 (SIP-11).
 *
 *      | 2xx sent
 *      v
 *  [ waiting ] -- T1 doubling to T2: 2xx again
 *      | ACK          \ 64·T1 without ACK
 *      v               v
 *  [ acknowledged ]  [ given up ]
 */
export class AnswerRepeat implements Timed {
  /** True when our 2xx carried the offer: the ACK brings the answer. */
  readonly expectsAnswer: boolean
  readonly #host: TransactionHost
  readonly #to: Address
  readonly #datagram: Uint8Array
  readonly #onAck: (ack: SipRequest | undefined, nowMs: number) => void
  #intervalMs: number = sipTimers.t1Ms
  #repeatAtMs: number
  readonly #giveUpAtMs: number

  /** @param onAck runs once: with the ACK, or with undefined when none came in 64·T1 */
  constructor(
    host: TransactionHost,
    answer: { to: Address; datagram: Uint8Array; expectsAnswer: boolean },
    nowMs: number,
    onAck: (ack: SipRequest | undefined, nowMs: number) => void,
  ) {
    this.#host = host
    this.#to = answer.to
    this.#datagram = answer.datagram
    this.expectsAnswer = answer.expectsAnswer
    this.#onAck = onAck
    this.#repeatAtMs = nowMs + this.#intervalMs
    this.#giveUpAtMs = nowMs + sipTimers.giveUpMs
    this.#arm()
  }

  acknowledged(ack: SipRequest, nowMs: number): void {
    this.stop()
    this.#onAck(ack, nowMs)
  }

  stop(): void {
    this.#host.timers.set(this, undefined)
  }

  wake(nowMs: number): void {
    if (nowMs >= this.#giveUpAtMs) {
      this.#onAck(undefined, nowMs)
      return
    }
    this.#intervalMs = Math.min(2 * this.#intervalMs, sipTimers.t2Ms)
    this.#repeatAtMs = nowMs + this.#intervalMs
    this.#host.send(this.#to, this.#datagram)
    this.#arm()
  }

  #arm(): void {
    this.#host.timers.set(this, earliest(this.#repeatAtMs, this.#giveUpAtMs))
  }
}
