/** The order in which transactions get their turn: one at a time, what the CDE reported beside what the API was asked. */
import { TonewallError } from '../../lib/errors.ts'

/** `reports`: what has happened already and must be written; never refused, and waits for one other transaction at most. */
export type Lane = 'reports' | 'orders'

export class Turns {
  readonly #ordersMax: number
  readonly #waiting: Record<Lane, (() => Promise<void>)[]> = { reports: [], orders: [] }
  #last: Lane = 'orders'
  #running: Promise<void> | undefined

  /** @param ordersMax how many of the API's transactions may wait */
  constructor(ordersMax: number) {
    this.#ordersMax = ordersMax
  }

  /** Runs `work` when it is its turn. @throws TonewallError TOO_MANY for an order when too many wait; whatever `work` throws */
  take<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
    if (lane === 'orders' && this.#waiting.orders.length >= this.#ordersMax) {
      return Promise.reject(new TonewallError('TOO_MANY'))
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#waiting[lane].push(() => work().then(resolve, reject))
    this.#running ??= this.#run()
    return promise
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) await next()
    this.#running = undefined
  }

  /** Both lanes in turn, so that neither can keep the other waiting for long. */
  #next(): (() => Promise<void>) | undefined {
    const first: Lane = this.#last === 'orders' ? 'reports' : 'orders'
    const lane = this.#waiting[first].length > 0 ? first : this.#last
    this.#last = lane
    return this.#waiting[lane].shift()
  }
}
