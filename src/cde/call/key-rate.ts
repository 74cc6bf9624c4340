/** How many keys of one call are told: as many as fingers make, however many packets say otherwise (a token bucket). */
import { callLimits } from '../../lib/limits.ts'

export class KeyRate {
  #tokens: number = callLimits.keysBurstMax
  #atMs: number

  constructor(nowMs: number) {
    this.#atMs = nowMs
  }

  /** Takes one key. @returns false when it comes too fast */
  allows(nowMs: number): boolean {
    const refilled = this.#tokens + ((nowMs - this.#atMs) * callLimits.keysPerSecondMax) / 1_000
    this.#atMs = nowMs
    this.#tokens = Math.min(callLimits.keysBurstMax, refilled)
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}
