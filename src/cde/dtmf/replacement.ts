import type { ReplacementKind } from '../../wall/settings.ts'
import { ComfortNoise } from './comfort-noise.ts'

export type { ReplacementKind }

/** Bits of a sample on the timeline. */
export const MASKED = 1
/** The first masked sample of a press; set together with MASKED. */
export const PRESS_START = 2

const RATE_HZ = 8_000
const PIP_HZ = 440
const PIP_LEVEL_DBM0 = -20
const PIP_SAMPLES = 960
const RAMP_SAMPLES = 80
const OVERLOAD_DBM0 = 3.14

/** One pip: 120 ms of 440 Hz with soft edges, always the same samples. */
export const PIP: Readonly<Int16Array> = Int16Array.from({ length: PIP_SAMPLES }, (_, i) => {
  const peak = 32_767 * 10 ** ((PIP_LEVEL_DBM0 - OVERLOAD_DBM0) / 20)
  const fromEdge = Math.min(i, PIP_SAMPLES - 1 - i, RAMP_SAMPLES)
  const ramp = (1 - Math.cos((Math.PI * fromEdge) / RAMP_SAMPLES)) / 2
  return Math.round(peak * ramp * Math.sin((2 * Math.PI * PIP_HZ * i) / RATE_HZ))
})

/**
 * Writes over masked samples what the agent hears in place of a key: nothing that depends on the key, on how long it was
 * held or on the input. `flat`: a pip for each press, silence around it. `comfort`: noise at the line's level.
 */
export class Replacement {
  readonly #kind: ReplacementKind
  readonly #noise = new ComfortNoise()
  /** How far the running pip has come. */
  #pipAt = PIP_SAMPLES

  constructor(kind: ReplacementKind) {
    this.#kind = kind
  }

  /** True while a pip is under way, which masks whether the line does or not. */
  get isSounding(): boolean {
    return this.#pipAt < PIP_SAMPLES
  }

  /** A frame without a masked sample, on its way to the agent. */
  pass(samples: Int16Array): void {
    if (this.#kind === 'comfort') this.#noise.listen(samples)
  }

  /**
   * Replaces in place. A pip that has begun is always played to its end, and masks what lies under it.
   * @param marks one per sample: MASKED, PRESS_START; MASKED is added where the pip masks
   */
  apply(samples: Int16Array, marks: Uint8Array): void {
    for (let i = 0; i < samples.length; i++) {
      const mark = marks[i] ?? 0
      // A press that begins while the pip of another one plays gets none of its own: the pip has one length.
      if ((mark & PRESS_START) !== 0 && this.#kind === 'flat' && this.#pipAt === PIP_SAMPLES) this.#pipAt = 0
      if (this.#pipAt < PIP_SAMPLES) {
        samples[i] = PIP[this.#pipAt++] ?? 0
        marks[i] = mark | MASKED
      } else if (mark !== 0) {
        samples[i] = this.#kind === 'comfort' ? this.#noise.next() : 0
      }
    }
  }
}
