import { randomBytes } from 'node:crypto'

/** A source of random octets: `systemRandom` in production, a seeded one in tests and simulations. */
export type RandomBytes = (count: number) => Uint8Array

export const systemRandom: RandomBytes = (count) => randomBytes(count)

/**
 * A reproducible source (mulberry32), for tests and simulators only: never for ids, tags or keys of real calls.
 * @param seed 32-bit integer; print it, so that a failing run can be repeated
 */
export function seededRandom(seed: number): RandomBytes {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  return (count) => Uint8Array.from({ length: count }, () => next() & 0xff)
}

/** A number in [0, 1) with 32 bits of the given source. */
export function randomUnit(random: RandomBytes): number {
  const [a = 0, b = 0, c = 0, d = 0] = random(4)
  return (a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / 2 ** 32
}
