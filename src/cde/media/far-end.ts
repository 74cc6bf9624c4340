import { mediaLimits } from '../../lib/limits.ts'
import type { ReportBlock } from './rtcp.ts'

/** What the peer says of our stream; without a report of it, nothing. */
export interface FarEndTotals {
  readonly farLost?: number
  readonly farJitterMs?: number
  /** Mean of all that its reports let us measure. */
  readonly roundTripMs?: number
}

/** Units of the times in RTCP reports: 2⁻¹⁶ s (RFC 3550 4). */
const UNITS_PER_MS = 65.536

/** The peer's reception of our stream, from its report blocks (RFC 3550 6.4.1). What it claims is noted, never believed for more. */
export class FarEnd {
  #last: { lost: number; jitterMs: number } | undefined
  #roundTripMsSum = 0
  #roundTrips = 0

  /**
   * @param block about our own source
   * @param elapsedMs since the session began, which is the time that our sender reports carry
   * @param perMs units of our stream's timestamps in a millisecond
   */
  report(block: ReportBlock, elapsedMs: number, perMs: number): void {
    this.#last = { lost: Math.max(0, block.lostPackets), jitterMs: block.jitterSamples / perMs }
    if (block.lastReport === 0) return
    // RFC 3550 6.4.1 DLSR: round trip = A − LSR − DLSR, in the middle 32 bits of NTP time, which wrap.
    const units = ((Math.floor(elapsedMs * UNITS_PER_MS) | 0) - block.lastReport - block.sinceLastReport) | 0
    const roundTripMs = Math.max(0, units) / UNITS_PER_MS
    // A little below nothing is the rounding of two clocks; far below, or very far above, is not about a report of ours.
    if (units < -UNITS_PER_MS || roundTripMs > mediaLimits.roundTripMsMax) return
    this.#roundTripMsSum += roundTripMs
    this.#roundTrips++
  }

  totals(): FarEndTotals {
    return {
      ...(this.#last !== undefined && { farLost: this.#last.lost, farJitterMs: this.#last.jitterMs }),
      ...(this.#roundTrips > 0 && { roundTripMs: this.#roundTripMsSum / this.#roundTrips }),
    }
  }
}
