import type { Clock } from '../../lib/clock.ts'
import type { Timers } from '../timers.ts'

interface Entry {
  readonly atMs: number
  readonly action: () => void
}

/** A clock and its timers that stand still until the test moves them. */
export class VirtualTime implements Clock, Timers {
  #nowMs: number
  readonly #entries = new Set<Entry>()

  constructor(startMs = Date.UTC(2031, 0, 1)) {
    this.#nowMs = startMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, action: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, action }
    this.#entries.add(entry)
    return () => this.#entries.delete(entry)
  }

  /** When the next timer fires, or undefined. */
  nextAtMs(): number | undefined {
    let next: number | undefined
    for (const { atMs } of this.#entries) if (next === undefined || atMs < next) next = atMs
    return next
  }

  /** Moves on and fires what has become due, in order. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs
    for (;;) {
      const [entry] = [...this.#entries].sort((a, b) => a.atMs - b.atMs)
      if (entry === undefined || entry.atMs > untilMs) break
      this.#entries.delete(entry)
      this.#nowMs = Math.max(this.#nowMs, entry.atMs)
      entry.action()
    }
    this.#nowMs = untilMs
  }
}
