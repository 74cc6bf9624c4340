import type { Clock } from './clock.ts'

/**
 * One timer for a sans-I/O part: asks the part when it next wants to be woken, and wakes it then. Call `reschedule` after
 * every input, because an input may change that time.
 */
export class Alarm {
  readonly #clock: Clock
  readonly #nextAtMs: () => number | undefined
  readonly #wake: (nowMs: number) => void
  #timer: NodeJS.Timeout | undefined
  #setForMs = Number.POSITIVE_INFINITY

  constructor(clock: Clock, nextAtMs: () => number | undefined, wake: (nowMs: number) => void) {
    this.#clock = clock
    this.#nextAtMs = nextAtMs
    this.#wake = wake
  }

  reschedule(): void {
    const atMs = this.#nextAtMs() ?? Number.POSITIVE_INFINITY
    if (atMs === this.#setForMs) return
    this.stop()
    if (atMs === Number.POSITIVE_INFINITY) return
    this.#setForMs = atMs
    // setTimeout takes at most 2^31 - 1 ms; a longer wait is taken in steps.
    const delayMs = Math.min(Math.max(0, atMs - this.#clock.monotonicMs()), 2 ** 31 - 1)
    this.#timer = setTimeout(() => this.#fire(), delayMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#setForMs = Number.POSITIVE_INFINITY
  }

  #fire(): void {
    this.#setForMs = Number.POSITIVE_INFINITY
    this.#wake(this.#clock.monotonicMs())
    this.reschedule()
  }
}
