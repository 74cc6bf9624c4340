/** Does a number that anyone can measure depend on the key? A permutation test on the means of the keys' ranks. */
import { type RandomBytes, randomUnit } from '../../../src/lib/random.ts'

const KEYS = 16

export interface Dependence {
  /** Standard deviation of the keys' mean ranks without what chance adds to it, by that of all ranks: 0 for no dependence, 1 for nothing else. */
  readonly spread: number
  /** Share of shuffles of the keys whose means differ as much. */
  readonly chance: number
}

/**
 * @param values one per press. @param keys one per press, 0–15
 * @param shuffles the smallest share that can be told is 1 in so many and one
 */
export function keyDependence(
  values: readonly number[],
  keys: readonly number[],
  shuffles: number,
  random: RandomBytes,
): Dependence {
  // Ranks, so that a few presses far from all others cannot hide what the rest says.
  const ranks = centredRanks(values)
  const variance = varianceOf(ranks)
  if (variance === 0) return { spread: 0, chance: 1 }
  const between = betweenKeys(ranks, keys)
  const shuffled = [...keys]
  let asMuch = 0
  for (let i = 0; i < shuffles; i++) {
    shuffle(shuffled, random)
    if (betweenKeys(ranks, shuffled) >= between) asMuch++
  }
  // By chance alone the means of 16 keys differ by the variance of 15 presses in all.
  const beyondChance = (between - (KEYS - 1) * variance) / values.length / variance
  return { spread: Math.sqrt(Math.max(0, beyondChance)), chance: (asMuch + 1) / (shuffles + 1) }
}

/**
 * Holm's correction: many tests find something by chance.
 * @returns the same shares, each as large as it must be for all together to be wrong no more often than they say
 */
export function corrected(chances: readonly number[]): number[] {
  const order = chances.map((_, index) => index).sort((a, b) => (chances[a] ?? 0) - (chances[b] ?? 0))
  const result: number[] = []
  let least = 0
  for (const [rank, index] of order.entries()) {
    least = Math.min(1, Math.max(least, (chances[index] ?? 0) * (chances.length - rank)))
    result[index] = least
  }
  return result
}

/** Ranks about their mean; equal values share one. */
function centredRanks(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b)
  const first = new Map<number, number>()
  const last = new Map<number, number>()
  for (const [rank, value] of sorted.entries()) {
    if (!first.has(value)) first.set(value, rank)
    last.set(value, rank)
  }
  return values.map((value) => ((first.get(value) ?? 0) + (last.get(value) ?? 0) - values.length + 1) / 2)
}

function varianceOf(centred: readonly number[]): number {
  return centred.reduce((sum, value) => sum + value * value, 0) / centred.length
}

/** Sum over the keys of presses times squared mean. */
function betweenKeys(centred: readonly number[], keys: readonly number[]): number {
  const sums = new Float64Array(KEYS)
  const counts = new Float64Array(KEYS)
  for (let i = 0; i < centred.length; i++) {
    const key = keys[i] as number
    sums[key] = (sums[key] as number) + (centred[i] as number)
    counts[key] = (counts[key] as number) + 1
  }
  return sums.reduce((total, sum, key) => total + sum ** 2 / Math.max(1, counts[key] as number), 0)
}

function shuffle(keys: number[], random: RandomBytes): void {
  for (let i = keys.length - 1; i > 0; i--) {
    const j = Math.floor(randomUnit(random) * (i + 1))
    ;[keys[i], keys[j]] = [keys[j] ?? 0, keys[i] ?? 0]
  }
}
