/**
 * The strictest judge of a masked leg: a decoder that is told where each key was and tries all 16 pairs by least squares
 * (dtmf reference, 8.1 and 8.4). It shares nothing with the masker.
 */
const ROWS = [697, 770, 852, 941]
const COLUMNS = [1_209, 1_336, 1_477, 1_633]
const KEYS = [1, 2, 3, 12, 4, 5, 6, 13, 7, 8, 9, 14, 10, 0, 11, 15]

/** @param frequencyError the sender's, which the judge knows too. @returns the key whose tones explain `samples` best */
export function judgeKey(samples: Int16Array, frequencyError = 0): number {
  let best = 0
  let bestEnergy = -1
  for (const [pair, key] of KEYS.entries()) {
    const hz = [ROWS[pair >> 2] ?? 0, COLUMNS[pair & 3] ?? 0].map((nominal) => nominal * (1 + frequencyError))
    const energy = energyInSpan(samples, hz)
    if (energy > bestEnergy) {
      best = key
      bestEnergy = energy
    }
  }
  return best
}

/** Energy of the projection on cosine and sine of each frequency, by Gram and Schmidt. */
function energyInSpan(samples: Int16Array, frequenciesHz: readonly number[]): number {
  const basis: Float64Array[] = []
  let energy = 0
  for (const hz of frequenciesHz) {
    for (const quarter of [0, Math.PI / 2]) {
      const vector = Float64Array.from(samples, (_, i) => Math.cos((2 * Math.PI * hz * i) / 8_000 - quarter))
      for (const other of basis) {
        const along = dot(vector, other)
        for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) - along * (other[i] ?? 0)
      }
      const length = Math.sqrt(dot(vector, vector))
      if (length < 1e-6) continue
      for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) / length
      basis.push(vector)
      energy += dot(samples, vector) ** 2
    }
  }
  return energy
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < b.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}
