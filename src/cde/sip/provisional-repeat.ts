import { sipTimers } from '../../lib/limits.ts'
import type { SipResponse } from './message.ts'
import type { Timed } from './timer-queue.ts'
import type { ServerTransaction, TransactionHost } from './transactions.ts'

/**
 * Our provisional answers to one INVITE. The first is 100, at the next wake unless something better went before it
 * (RFC 3261 17.2.1): a call that is refused at once can be refused without a transaction, for which 8.2.7 forbids a 100.
 * The last is sent again every minute (13.3.1.1), or proxies on the way cancel the call.
 */
export class ProvisionalRepeat implements Timed {
  readonly #host: TransactionHost
  readonly #transaction: ServerTransaction
  #trying: SipResponse | undefined
  #last: SipResponse | undefined

  constructor(host: TransactionHost, transaction: ServerTransaction, trying: SipResponse, nowMs: number) {
    this.#host = host
    this.#transaction = transaction
    this.#trying = trying
    host.timers.set(this, nowMs)
  }

  /** True until the first answer, 100 included, was sent. */
  get silent(): boolean {
    return this.#trying !== undefined
  }

  send(response: SipResponse, nowMs: number): void {
    this.#trying = undefined
    this.#last = response
    this.wake(nowMs)
  }

  stop(): void {
    this.#host.timers.set(this, undefined)
  }

  wake(nowMs: number): void {
    const trying = this.#trying
    this.#trying = undefined
    if (trying !== undefined) this.#transaction.respond(trying, nowMs)
    if (this.#last === undefined || !this.#transaction.open) return
    this.#transaction.respond(this.#last, nowMs)
    this.#host.timers.set(this, nowMs + sipTimers.provisionalRepeatMs)
  }
}
