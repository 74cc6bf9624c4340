// V8 keeps typed arrays of up to 64 octets inside its own heap and leaves copies behind when it moves them.
const STORE_OCTETS_MIN = 128

/** Octets for a key, outside the heap that V8 moves, so that wiping them wipes the only copy. Zero at first. */
export function secretOctets(length: number): Uint8Array {
  return new Uint8Array(Math.max(length, STORE_OCTETS_MIN)).subarray(0, length)
}

/** Compares in a time that tells nothing about where the two differ. */
export function sameSecret(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}
