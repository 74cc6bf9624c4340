/**
 * The strictest judge of a masked leg: it is told where each key was and tries all 16 pairs of tones by least squares (dtmf
 * reference, 8.1 and 8.4). It shares nothing with masker and reporter.
 */
const ROWS_HZ = [697, 770, 852, 941]
const COLUMNS_HZ = [1_209, 1_336, 1_477, 1_633]
const KEYS = [1, 2, 3, 12, 4, 5, 6, 13, 7, 8, 9, 14, 10, 0, 11, 15]
const RATE_HZ = 8_000

/**
 * @param samples what is left of the tone, at 8 kHz
 * @param frequencyError the sender's, which the judge knows too
 * @returns the key whose tones explain `samples` best; of silence, always the same one
 */
export function mostLikelyKey(samples: Int16Array, frequencyError = 0): number {
  const tones = [...ROWS_HZ, ...COLUMNS_HZ].flatMap((hz) => quadrature(hz * (1 + frequencyError), samples.length))
  let best = 0
  let bestEnergy = -1
  for (const [pair, key] of KEYS.entries()) {
    const row = (pair >> 2) * 2
    const column = 8 + (pair & 3) * 2
    const basis = [tones[row], tones[row + 1], tones[column], tones[column + 1]].filter(
      (vector) => vector !== undefined,
    )
    const energy = energyInSpan(samples, basis)
    if (energy > bestEnergy) {
      best = key
      bestEnergy = energy
    }
  }
  return best
}

export interface Advantage {
  readonly tried: number
  readonly right: number
  /** Share above chance, scaled: 0 is guessing 1 of 16, 1 is reading everything. */
  readonly advantage: number
  /** 95 %, Wilson's interval on the same scale. */
  readonly interval: readonly [number, number]
}

/** What a judge who was right so often knows. */
export function advantageOf(right: number, tried: number): Advantage {
  const scaled = (share: number): number => Math.round(((share - 1 / 16) / (15 / 16)) * 10_000) / 10_000
  if (tried === 0) return { tried, right, advantage: 0, interval: [0, 0] }
  const z = 1.96
  const share = right / tried
  const middle = (share + z ** 2 / (2 * tried)) / (1 + z ** 2 / tried)
  const half = (z / (1 + z ** 2 / tried)) * Math.sqrt((share * (1 - share)) / tried + z ** 2 / (4 * tried ** 2))
  return { tried, right, advantage: scaled(share), interval: [scaled(middle - half), scaled(middle + half)] }
}

function quadrature(hz: number, length: number): Float64Array[] {
  return [0, Math.PI / 2].map((quarter) =>
    Float64Array.from({ length }, (_, i) => Math.cos((2 * Math.PI * hz * i) / RATE_HZ - quarter)),
  )
}

/** Energy of the projection on the span of the vectors, by Gram and Schmidt. */
function energyInSpan(samples: Int16Array, vectors: readonly Float64Array[]): number {
  const basis: Float64Array[] = []
  let energy = 0
  for (const given of vectors) {
    const vector = given.slice()
    for (const other of basis) {
      const along = dot(vector, other)
      for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) - along * (other[i] as number)
    }
    const length = Math.sqrt(dot(vector, vector))
    if (length < 1e-6) continue
    for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) / length
    basis.push(vector)
    energy += dot(samples, vector) ** 2
  }
  return energy
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < b.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}
