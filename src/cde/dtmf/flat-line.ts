import type { MaskPolicy } from '../../wall/settings.ts'

const SAMPLES_PER_MS = 8
/** Without a sign of a key for so long, a burst is over: the caller may speak again. */
const BURST_MS = 2_000
/** What only the masker takes for a key is speech now and then; a real one is told by the reporter soon, or masked by itself. */
const UNCERTAIN_BURST_MS = 300
/** A field is closed by its last key, which may still be down; the next one often comes too late for it. */
const AFTER_FIELD_MS = 800

/**
 * How much of the caller's speech is given up for certainty: until where the whole line is masked, whatever is on it.
 *
 * `adaptive`: never. `burst`: from the first key until 2 s after the last, or a moment after the field is closed.
 * `full`: while a field is open, and a moment after. Positions are samples on the caller's timeline.
 */
export class FlatLine {
  readonly #policy: MaskPolicy
  #isFieldOpen = false
  #to = Number.NEGATIVE_INFINITY

  constructor(policy: MaskPolicy) {
    this.#policy = policy
  }

  /** Everything that leaves before this position is masked. */
  get to(): number {
    return this.#to
  }

  /** True while a suspicion is enough: a burst would begin with the next key. */
  isKeyAwaited(at: number): boolean {
    return this.#policy === 'burst' && this.#isFieldOpen && this.#to < at
  }

  /** A press, in any carriage. */
  keyAt(at: number): void {
    this.#beginBurst(at, BURST_MS)
  }

  /** What the masker replaces as a key, and nobody else has confirmed. */
  maybeKeyAt(at: number): void {
    this.#beginBurst(at, UNCERTAIN_BURST_MS)
  }

  /** @param live position that arrives now */
  setFieldOpen(isOpen: boolean, live: number): void {
    const wasOpen = this.#isFieldOpen
    this.#isFieldOpen = isOpen
    const after = live + AFTER_FIELD_MS * SAMPLES_PER_MS
    if (this.#policy === 'full') {
      if (isOpen) this.#to = Number.POSITIVE_INFINITY
      else if (wasOpen) this.#to = after
    } else if (wasOpen && !isOpen) this.#to = Math.min(this.#to, after)
  }

  #beginBurst(at: number, ms: number): void {
    if (this.#policy === 'burst' && this.#isFieldOpen) this.#to = Math.max(this.#to, at + ms * SAMPLES_PER_MS)
  }
}
