/**
 * Whether a call's caller direction is masked. One owner per call; everything else only asks.
 *
 *            capture opens                       capture closes
 *   clear ────────────────► armed ─────────────────────────────► cooling
 *     ▲                       ▲          capture opens              │
 *     │                       └─────────────────────────────────────┤
 *     └─────────────────────────────────────────────────────────────┘ cool-down over
 *
 * Cooling is still masked: late keys are common (dtmf reference, section 11), and each of them makes it last longer: a caller
 * who keys on while the capture is cancelled or times out stays masked until 3 s after the last key. No transfer, hold or
 * re-INVITE leads out of armed: only the capture does.
 */
export type SecureState = 'clear' | 'armed' | 'cooling'

const COOL_DOWN_MS = 3_000

export class SecureMode {
  state: SecureState = 'clear'
  #clearAtMs: number | undefined

  captureOpened(): void {
    this.state = 'armed'
    this.#clearAtMs = undefined
  }

  captureClosed(nowMs: number): void {
    if (this.state !== 'armed') return // ignored: closing what is not open changes nothing
    this.state = 'cooling'
    this.#clearAtMs = nowMs + COOL_DOWN_MS
  }

  /** A key, or what may be one, was masked; or the masker failed: not yet safe to go on in clear. */
  keyMasked(nowMs: number): void {
    if (this.state === 'cooling') this.#clearAtMs = nowMs + COOL_DOWN_MS
  }

  wake(nowMs: number): 'disarm' | undefined {
    if (this.#clearAtMs === undefined || nowMs < this.#clearAtMs) return undefined
    this.state = 'clear'
    this.#clearAtMs = undefined
    return 'disarm'
  }

  nextWakeAtMs(): number | undefined {
    return this.#clearAtMs
  }
}
