import type { Order, Report } from './messages.ts'

/** Control's side of the wall: where orders go and reports come from. The same for a socket, for NATS and in memory. */
export interface CdePort {
  /** Sends an order. @returns false when the CDE is down or the queue is full: nothing was sent */
  send(order: Order): boolean
  /** True between the CDE's `configured` report and its loss. */
  readonly up: boolean
  onReport(listener: (report: Report) => void): void
  onUp(listener: () => void): void
  /** The CDE died or was lost. Live captures and their digits are gone; attempts under way are UNKNOWN. */
  onDown(listener: () => void): void
}
