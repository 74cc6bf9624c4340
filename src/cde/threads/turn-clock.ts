import type { Clock } from '../../lib/clock.ts'

/** A thread's time. While packets are handed over it stands still: what a turn brings came at once, and no packet has to ask. */
export class TurnClock {
  readonly #clock: Clock
  #heldMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  readonly nowMs = (): number => this.#heldMs ?? this.#clock.monotonicMs()

  /** @returns the time at which it stands until `release` */
  hold(): number {
    const nowMs = this.#clock.monotonicMs()
    this.#heldMs = nowMs
    return nowMs
  }

  release(): void {
    this.#heldMs = undefined
  }
}
