import { type RandomBytes, randomUnit } from '../../src/lib/random.ts'

/**
 * One to four small damages to a valid input: octets changed, cut out, doubled, filled with extremes, or the end cut off.
 * Mutations of valid inputs reach what random octets never do (STYLE rule 17).
 */
export function mutate(valid: Uint8Array, random: RandomBytes): Uint8Array {
  let bytes: Uint8Array = valid.slice()
  const damages = 1 + below(4, random)
  for (let i = 0; i < damages; i++) bytes = damage(bytes, random)
  return bytes
}

/** A whole number from 0 to `count` − 1. */
export function below(count: number, random: RandomBytes): number {
  return Math.floor(randomUnit(random) * count)
}

const extremes = [0x00, 0x7f, 0x80, 0xff]

function damage(bytes: Uint8Array, random: RandomBytes): Uint8Array {
  const at = below(bytes.length + 1, random)
  const until = Math.min(bytes.length, at + 1 + below(8, random))
  const before = bytes.subarray(0, at)
  switch (below(6, random)) {
    case 0:
      return joined(before, random(1), bytes.subarray(at + 1))
    case 1:
      return joined(before, bytes.subarray(until))
    case 2:
      return joined(before, bytes.subarray(at, until), bytes.subarray(at))
    case 3:
      return joined(before, new Uint8Array(until - at).fill(extremes[below(4, random)] ?? 0), bytes.subarray(until))
    case 4:
      return joined(before, random(below(8, random)), bytes.subarray(at))
    default:
      return before.slice()
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts))
}
