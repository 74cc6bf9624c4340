/** Key presses that wait for their turn on a simulated phone. Sans-I/O. */
import type { Carriage, KeyCode } from '../cde/dtmf/key-codes.ts'
import { simLimits } from '../lib/limits.ts'

/** First in, first out. The keys lie in one buffer of octets that is zeroed as they leave: a caller's phone keeps none either. */
export class PressQueue {
  readonly #keys = new Uint8Array(simLimits.queuedPresses)
  readonly #waiting: { carriage: Carriage; holdMs: number }[] = []

  get length(): number {
    return this.#waiting.length
  }

  /** @param holdMs brought into the limits of a press. @returns false when the queue is full */
  add(key: KeyCode, carriage: Carriage, holdMs: number): boolean {
    if (this.#waiting.length >= simLimits.queuedPresses) return false
    this.#keys[this.#waiting.length] = key
    this.#waiting.push({
      carriage,
      holdMs: Math.max(simLimits.pressMsMin, Math.min(simLimits.pressMsMax, Math.round(holdMs))),
    })
    return true
  }

  /** Takes the oldest press out. @returns false when none waits */
  take(use: (key: KeyCode, carriage: Carriage, holdMs: number) => void): boolean {
    const press = this.#waiting.shift()
    if (press === undefined) return false
    const key = this.#keys[0] ?? 0
    this.#keys.copyWithin(0, 1)
    this.#keys[this.#waiting.length] = 0
    use(key, press.carriage, press.holdMs)
    return true
  }

  clear(): void {
    this.#waiting.length = 0
    this.#keys.fill(0)
  }
}
