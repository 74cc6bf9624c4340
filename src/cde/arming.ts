/**
 * Captures that wait for their line: it is masked in another thread, and a capture begins only once it is. What control orders
 * for a capture meanwhile waits with it, in its order. Only a charge does not wait: it is answered at once, as of a capture that
 * has not begun, because an order that is bounded away has no answer, and a charge must have one.
 *
 *   capture-start ──► waiting ──line is masked──► started, then what was ordered meanwhile
 *                        └──call ends──► refused
 */
import { captureLimits } from '../lib/limits.ts'
import type { Order } from '../wall/messages.ts'

export type CaptureStart = Extract<Order, { type: 'capture-start' }>

interface Waiting {
  readonly start: CaptureStart
  readonly later: Order[]
}

export class Arming {
  readonly #byCall = new Map<string, Waiting>()

  begin(start: CaptureStart): void {
    this.#byCall.set(start.callId, { start, later: [] })
  }

  /** @returns whether the order has to wait, which it then does */
  holds(order: Order): boolean {
    if (this.#byCall.size === 0 || !('captureId' in order) || order.type === 'submit') return false
    for (const { start, later } of this.#byCall.values()) {
      const isOfCall = order.type === 'capture-start' && order.callId === start.callId
      if (!isOfCall && order.captureId !== start.captureId) continue
      if (later.length < captureLimits.ordersWaitingMax) later.push(order)
      return true
    }
    return false
  }

  /** The line is masked, or its call has ended. @returns what waited for it */
  take(callId: string): Waiting | undefined {
    const waiting = this.#byCall.get(callId)
    this.#byCall.delete(callId)
    return waiting
  }
}
