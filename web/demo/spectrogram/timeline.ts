/**
 * The common time of both pictures, in columns. Frames arrive in bursts; the pictures must glide. So time runs with the
 * clock, is pulled gently towards what has arrived, and is shown a little late. When nothing arrives it stands still.
 */
import { COLUMNS_PER_SECOND } from './columns.ts'

export type Direction = 'caller' | 'agent'

const LAG_COLUMNS = 14
/** Nothing for so long, and the picture stands until sound comes again. */
const PAUSE_COLUMNS = 40
const PULL = 0.02

export class Timeline {
  readonly #heads: Record<Direction, number> = { caller: 0, agent: 0 }
  #epochMs = 0
  #shown = 0

  /** @returns the index of the first of `columns` columns that have just arrived for this direction */
  place(direction: Direction, columns: number, nowMs: number): number {
    const newest = Math.max(this.#heads.caller, this.#heads.agent)
    if (this.#columnAt(nowMs) - newest > PAUSE_COLUMNS) this.#epochMs = nowMs - (newest * 1_000) / COLUMNS_PER_SECOND
    // A direction that was silent while the other went on continues at the same time as the other.
    if (newest - this.#heads[direction] > PAUSE_COLUMNS) this.#heads[direction] = newest
    const first = this.#heads[direction]
    this.#heads[direction] = first + columns
    const aheadColumns = first + columns - this.#columnAt(nowMs)
    this.#epochMs -= ((aheadColumns * 1_000) / COLUMNS_PER_SECOND) * (aheadColumns > PAUSE_COLUMNS ? 1 : PULL)
    return first
  }

  /** @returns the fractional column at the pictures' young edge; never runs backwards */
  shownAt(nowMs: number): number {
    const newest = Math.max(this.#heads.caller, this.#heads.agent)
    this.#shown = Math.max(this.#shown, Math.min(this.#columnAt(nowMs) - LAG_COLUMNS, newest))
    return this.#shown
  }

  #columnAt(nowMs: number): number {
    return ((nowMs - this.#epochMs) * COLUMNS_PER_SECOND) / 1_000
  }
}
