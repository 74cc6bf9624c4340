/**
 * Comfort noise (RFC 3389): reading its payload, writing one, and making the noise itself. On a masked leg nobody's payload
 * goes through: a level that moves with the keys would tell of them. Ours is made from a level alone.
 */
import type { RandomBytes } from '../../../lib/random.ts'

/** RFC 3389 3.2 sets no bound; spectra of more than ten coefficients are not used for speech bands of this width. */
const ORDER_MAX = 10
const FULL_SCALE = 32_768

export interface NoiseShape {
  /** 0–127, dB below the loudest that the codec can say (RFC 3389 3.1) */
  readonly levelDbov: number
  /** Reflection coefficients of the spectrum, each within ±1; none is white noise. */
  readonly reflections: readonly number[]
}

/** RFC 3389 3: one octet of level, whose highest bit is ignored, then any number of coefficients; excess ones are dropped. */
export function readComfortNoise(payload: Uint8Array): NoiseShape | 'empty' {
  const [level, ...coefficients] = payload.subarray(0, 1 + ORDER_MAX)
  if (level === undefined) return 'empty'
  // RFC 3389 3.2: 127 stands for 0; 255 would be beyond 1 and is taken as the largest.
  const reflections = coefficients.map((octet) => (258 * (Math.min(octet, 254) - 127)) / 32_768)
  return { levelDbov: level & 0x7f, reflections }
}

/** White noise of this level, in one octet. */
export function writeComfortNoise(levelDbov: number): Uint8Array {
  return Uint8Array.of(Math.min(127, Math.max(0, Math.round(levelDbov))))
}

/** Noise without end: changes of shape do not break it. */
export class ComfortNoise {
  #state: number
  #reflections: readonly number[] = []
  #peak = 0
  readonly #backward = new Float64Array(ORDER_MAX + 1)

  /** @param random only for the start: the noise of two lines shall differ, nothing depends on its being hard to guess */
  constructor(random: RandomBytes) {
    const [a = 1, b = 0, c = 0, d = 0] = random(4)
    // xorshift stands still at zero.
    this.#state = ((a << 24) | (b << 16) | (c << 8) | d) === 0 ? 1 : (a << 24) | (b << 16) | (c << 8) | d
  }

  shape(shape: NoiseShape): void {
    const rms = FULL_SCALE * 10 ** (-shape.levelDbov / 20)
    // The filter adds 1/(1 - k²) of power for each coefficient; even noise has a third of its peak's power.
    const loss = shape.reflections.reduce((product, k) => product * (1 - k * k), 1)
    this.#peak = rms * Math.sqrt(3 * loss)
    this.#reflections = shape.reflections
  }

  /** Fills `samples`, at any rate: the spectrum is relative to it. */
  write(samples: Int16Array): void {
    for (let i = 0; i < samples.length; i++) {
      const sample = Math.round(this.#filtered(this.#white() * this.#peak))
      samples[i] = Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, sample))
    }
  }

  /** The all-pole lattice of the reflection coefficients: y = x - k·b, with A(z) = 1 + k·z⁻¹ at order one. */
  #filtered(excitation: number): number {
    let forward = excitation
    for (let i = this.#reflections.length - 1; i >= 0; i--) {
      const k = this.#reflections[i] as number
      const backward = this.#backward[i] as number
      forward -= k * backward
      this.#backward[i + 1] = backward + k * forward
    }
    this.#backward[0] = forward
    return forward
  }

  /** −1 to 1, evenly. */
  #white(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return x / 2 ** 31
  }
}
