const RATE_HZ = 8_000
/** Below the rows: most of a voice, dial tone, hum. */
const LOW_HZ = 560
const LOW_Q = 0.8
/** Above the columns: the rest of a voice, and half of all noise. */
const HIGH_HZ = 1_900
const HIGH_Q = 0.9

/**
 * Lets through where tones are, 560 to 1,900 Hz: two second-order sections (high-pass, low-pass), 12 dB per octave each.
 * What lies outside can neither hide a tone nor speak against it.
 */
export class ToneBand {
  readonly #high = section('high-pass', LOW_HZ, LOW_Q)
  readonly #low = section('low-pass', HIGH_HZ, HIGH_Q)
  // State of both sections, transposed direct form II.
  #h1 = 0
  #h2 = 0
  #l1 = 0
  #l2 = 0

  /** @param samples replaced by what passes; each call goes on where the one before ended */
  pass(samples: Float64Array): void {
    const h = this.#high
    const l = this.#low
    let h1 = this.#h1
    let h2 = this.#h2
    let l1 = this.#l1
    let l2 = this.#l2
    for (let i = 0; i < samples.length; i++) {
      const x = samples[i] as number
      const y = h.b0 * x + h1
      h1 = h.b1 * x - h.a1 * y + h2
      h2 = h.b2 * x - h.a2 * y
      const z = l.b0 * y + l1
      l1 = l.b1 * y - l.a1 * z + l2
      l2 = l.b2 * y - l.a2 * z
      samples[i] = z
    }
    this.#h1 = h1
    this.#h2 = h2
    this.#l1 = l1
    this.#l2 = l2
  }

  wipe(): void {
    this.#h1 = 0
    this.#h2 = 0
    this.#l1 = 0
    this.#l2 = 0
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
