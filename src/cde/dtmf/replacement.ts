import type { ReplacementKind } from '../../wall/settings.ts'
import { ComfortNoise } from './comfort-noise.ts'

export type { ReplacementKind }

const RATE_HZ = 8_000
const PIP_HZ = 440
const PIP_LEVEL_DBM0 = -20
/** Whole cells, and no longer than the least that is masked for a press. */
const PIP_SAMPLES = 640
const RAMP_SAMPLES = 80
const OVERLOAD_DBM0 = 3.14

/** One pip: 80 ms of 440 Hz with soft edges, always the same samples. */
export const PIP: Readonly<Int16Array> = Int16Array.from({ length: PIP_SAMPLES }, (_, i) => {
  const peak = 32_767 * 10 ** ((PIP_LEVEL_DBM0 - OVERLOAD_DBM0) / 20)
  const fromEdge = Math.min(i, PIP_SAMPLES - 1 - i, RAMP_SAMPLES)
  const ramp = (1 - Math.cos((Math.PI * fromEdge) / RAMP_SAMPLES)) / 2
  return Math.round(peak * ramp * Math.sin((2 * Math.PI * PIP_HZ * i) / RATE_HZ))
})

/**
 * Writes over masked cells what the agent hears in place of a key: nothing that depends on the key, on how long it was
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

  /** A packet that goes to the agent as it came. */
  pass(samples: Int16Array): void {
    if (this.#kind === 'comfort') this.#noise.listen(samples)
  }

  /**
   * Replaces one cell. A pip that has begun is always played to its end.
   * @param from where in `samples` the cell begins. @param to where it ends
   * @param isPressStart a press begins with it: so does a pip, unless that of another press still plays
   */
  cover(samples: Int16Array, from: number, to: number, isPressStart: boolean): void {
    if (isPressStart && this.#kind === 'flat' && !this.isSounding) this.#pipAt = 0
    for (let i = from; i < to; i++) {
      if (this.#pipAt < PIP_SAMPLES) samples[i] = PIP[this.#pipAt++] as number
      else samples[i] = this.#kind === 'comfort' ? this.#noise.next() : 0
    }
  }
}
