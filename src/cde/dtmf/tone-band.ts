import { BLOCK_SAMPLES, type ToneBank } from './tone-bank.ts'

const RATE_HZ = 8_000
/** Below the rows: most of a voice, dial tone, hum. */
const LOW_HZ = 560
const LOW_Q = 0.8
/** Above the columns: the rest of a voice, and half of all noise. */
const HIGH_HZ = 1_900
const HIGH_Q = 0.9
const STILL = 1e-12

/**
 * Lets through where tones are, 560 to 1,900 Hz: two second-order sections (high-pass, low-pass), 12 dB per octave each.
 * What lies outside can neither hide a tone nor speak against it.
 */
export class ToneBand {
  readonly #high = section('high-pass', LOW_HZ, LOW_Q)
  readonly #low = section('low-pass', HIGH_HZ, HIGH_Q)
  // The last two samples before, between and after the sections (direct form I).
  #x1 = 0
  #x2 = 0
  #y1 = 0
  #y2 = 0
  #z1 = 0
  #z2 = 0

  /**
   * The next block, in one go: as it is into one bank, what passes into another.
   * @param samples BLOCK_SAMPLES, 16-bit scale; each call goes on where the one before ended
   */
  split(samples: Float64Array, all: ToneBank, band: ToneBank): void {
    const whole = all.samples
    const passed = band.samples
    const toWhole = all.place
    const toPassed = band.place
    let sum = 0
    let energy = 0
    let passedSum = 0
    let passedEnergy = 0
    const { b0: hb0, b1: hb1, b2: hb2, a1: ha1, a2: ha2 } = this.#high
    const { b0: lb0, b1: lb1, b2: lb2, a1: la1, a2: la2 } = this.#low
    let x1 = this.#x1
    let x2 = this.#x2
    let y1 = this.#y1
    let y2 = this.#y2
    let z1 = this.#z1
    let z2 = this.#z2
    for (let i = 0; i < BLOCK_SAMPLES; i++) {
      const x = samples[i] as number
      // The newest output comes last in each sum: the next sample waits for one product and one difference only.
      const y = hb0 * x + hb1 * x1 + hb2 * x2 - ha2 * y2 - ha1 * y1
      const z = lb0 * y + lb1 * y1 + lb2 * y2 - la2 * z2 - la1 * z1
      x2 = x1
      x1 = x
      y2 = y1
      y1 = y
      z2 = z1
      z1 = z
      whole[toWhole + i] = x
      sum += x
      energy += x * x
      passed[toPassed + i] = z
      passedSum += z
      passedEnergy += z * z
    }
    all.add(sum, energy)
    band.add(passedSum, passedEnergy)
    this.#x1 = x1
    this.#x2 = x2
    // In silence the filter would ring on for ever in numbers too small for the processor's fast way.
    const isStill = Math.abs(y1) + Math.abs(y2) + Math.abs(z1) + Math.abs(z2) < STILL
    this.#y1 = isStill ? 0 : y1
    this.#y2 = isStill ? 0 : y2
    this.#z1 = isStill ? 0 : z1
    this.#z2 = isStill ? 0 : z2
  }

  wipe(): void {
    this.#x1 = 0
    this.#x2 = 0
    this.#y1 = 0
    this.#y2 = 0
    this.#z1 = 0
    this.#z2 = 0
  }
}

interface Section {
  readonly b0: number
  readonly b1: number
  readonly b2: number
  readonly a1: number
  readonly a2: number
}

/** Bilinear transform of the analogue second-order filter. */
function section(kind: 'high-pass' | 'low-pass', hz: number, q: number): Section {
  const radians = (2 * Math.PI * hz) / RATE_HZ
  const cosine = Math.cos(radians)
  const alpha = Math.sin(radians) / (2 * q)
  const sign = kind === 'high-pass' ? -1 : 1
  const outer = (1 - sign * cosine) / 2
  const scale = 1 / (1 + alpha)
  return {
    b0: outer * scale,
    b1: sign * 2 * outer * scale,
    b2: outer * scale,
    a1: -2 * cosine * scale,
    a2: (1 - alpha) * scale,
  }
}
