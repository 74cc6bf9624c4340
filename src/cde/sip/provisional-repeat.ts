import { sipTimers } from '../../lib/limits.ts'
import type { SipResponse } from './message.ts'
import type { Timed } from './timer-queue.ts'
import type { ServerTransaction, TransactionHost } from './transactions.ts'

/** RFC 3261 13.3.1.1: sends our last provisional answer again every minute, or proxies on the way cancel the call. */
export class ProvisionalRepeat implements Timed {
  readonly #host: TransactionHost
  readonly #transaction: ServerTransaction
  #last: SipResponse | undefined

  constructor(host: TransactionHost, transaction: ServerTransaction) {
    this.#host = host
    this.#transaction = transaction
  }

  send(response: SipResponse, nowMs: number): void {
    this.#last = response
    this.wake(nowMs)
  }

  stop(): void {
    this.#host.timers.set(this, undefined)
  }

  wake(nowMs: number): void {
    if (this.#last === undefined || !this.#transaction.open) return
    this.#transaction.respond(this.#last, nowMs)
    this.#host.timers.set(this, nowMs + sipTimers.provisionalRepeatMs)
  }
}
