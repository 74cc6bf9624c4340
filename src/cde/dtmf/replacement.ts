import type { RandomBytes } from '../../lib/random.ts'
import type { ReplacementKind } from '../../wall/settings.ts'
import { ComfortNoise } from './comfort-noise.ts'
import { CELL_SAMPLES } from './timeline.ts'

export type { ReplacementKind }

const RATE_HZ = 8_000
const PIP_HZ = 440
const PIP_LEVEL_DBM0 = -20
/** Whole cells; with the longest wait before it, about the least that is masked for a press. */
const PIP_SAMPLES = 480
const RAMP_SAMPLES = 80
/** A pip begins up to three cells after its press, by chance; a power of two. */
const PIP_STARTS = 4
const OVERLOAD_DBM0 = 3.14

/** One pip: 60 ms of 440 Hz with soft edges, always the same samples. */
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
  readonly #random: RandomBytes
  readonly #noise = new ComfortNoise()
  /** How far the running pip has come; negative before it begins. */
  #pipAt = PIP_SAMPLES

  constructor(kind: ReplacementKind, random: RandomBytes) {
    this.#kind = kind
    this.#random = random
  }

  /** True while a pip is under way or due, which masks whether the line does or not. */
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
    if (isPressStart && this.#kind === 'flat' && !this.isSounding) this.#pipAt = -this.#waitSamples()
    let pipAt = this.#pipAt
    for (let i = from; i < to; i++) {
      if (pipAt < PIP_SAMPLES) {
        samples[i] = pipAt < 0 ? 0 : (PIP[pipAt] as number)
        pipAt++
      } else samples[i] = this.#kind === 'comfort' ? this.#noise.next() : 0
    }
    this.#pipAt = pipAt
  }

  /**
   * A press is found 0.1 ms sooner for some keys than for others, which rounding to cells only blurs. A hundred times as much
   * of chance is laid over it.
   */
  #waitSamples(): number {
    const [octet = 0] = this.#random(1)
    return (octet % PIP_STARTS) * CELL_SAMPLES
  }
}
