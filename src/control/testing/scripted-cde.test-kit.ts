import type { Order, Report } from '../../wall/messages.ts'
import { order as orderSchema, report as reportSchema } from '../../wall/messages.ts'
import type { CdePort } from '../../wall/port.ts'

/** The other end of the wall, played by a test: it sees every order, and reports what the test says. Both are checked as on the real wall. */
export class ScriptedCde implements CdePort {
  readonly orders: Order[] = []
  /** What the CDE does with an order, in the same turn. */
  answer: (order: Order) => void = () => {}
  /** False: the wall's queue is full, nothing leaves. */
  accepts = true
  #up = true
  readonly #reportListeners: ((report: Report) => void)[] = []
  readonly #upListeners: (() => void)[] = []
  readonly #downListeners: (() => void)[] = []

  get up(): boolean {
    return this.#up
  }

  send(order: Order): boolean {
    if (!this.#up || !this.accepts) return false
    const checked = orderSchema.parse(order)
    this.orders.push(checked)
    this.answer(checked)
    return true
  }

  onReport(listener: (report: Report) => void): void {
    this.#reportListeners.push(listener)
  }

  onUp(listener: () => void): void {
    this.#upListeners.push(listener)
  }

  onDown(listener: () => void): void {
    this.#downListeners.push(listener)
  }

  report(report: Report): void {
    const checked = reportSchema.parse(report)
    for (const listener of this.#reportListeners) listener(checked)
  }

  die(): void {
    this.#up = false
    for (const listener of this.#downListeners) listener()
  }

  revive(): void {
    this.#up = true
    for (const listener of this.#upListeners) listener()
  }

  /** The orders of one type so far. */
  ordersOf<T extends Order['type']>(type: T): Extract<Order, { type: T }>[] {
    return this.orders.filter((order): order is Extract<Order, { type: T }> => order.type === type)
  }
}
