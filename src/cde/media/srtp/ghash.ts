import { secretOctets } from './secret-octets.ts'

const BLOCK_OCTETS = 16
const WORDS = 4

/** Multiplication by x^8 throws the last octet out; this is what comes back in at the front, in the upper 16 bits. */
const reductions = Int32Array.from({ length: 256 }, (_, octet) => {
  let low = octet
  let high = 0
  for (let bit = 0; bit < 8; bit++) {
    const out = low & 1
    low = (low >>> 1) | ((high & 1) << 7)
    high = (high >>> 1) ^ (out === 0 ? 0 : 0xe100_0000)
  }
  return high
})

/**
 * GHASH (NIST SP 800-38D 6.4), with a table of the 256 multiples of the hash key by one octet. Node's own GCM needs two new
 * objects for each packet, which cost three times as much as this (bench-srtp.ts).
 * Deviation: the places read in the table depend on the hash key, as in most implementations without special instructions; who
 * could measure the caches of the card zone's own machine might learn it, and with it forge tags, never decrypt.
 */
export class Ghash {
  readonly #table = new Int32Array(secretOctets(256 * WORDS * 4).buffer)
  readonly #state = new Int32Array(secretOctets(WORDS * 4).buffer, 0, WORDS)

  /** @param hashKey 16 octets: the cipher of the zero block */
  constructor(hashKey: Uint8Array) {
    const table = this.#table
    const view = new DataView(hashKey.buffer, hashKey.byteOffset, BLOCK_OCTETS)
    for (let word = 0; word < WORDS; word++) table[0x80 * WORDS + word] = view.getInt32(word * 4)
    // The first bit of an octet is x^0: each next one is the one before times x.
    for (let octet = 0x40; octet >= 1; octet >>= 1) this.#timesX(octet * 2 * WORDS, octet * WORDS)
    for (let octet = 2; octet < 256; octet++) {
      const lowest = octet & -octet
      if (lowest === octet) continue
      for (let word = 0; word < WORDS; word++) {
        const rest = table[(octet ^ lowest) * WORDS + word] ?? 0
        table[octet * WORDS + word] = rest ^ (table[lowest * WORDS + word] ?? 0)
      }
    }
  }

  reset(): void {
    this.#state.fill(0)
  }

  /** Takes in the octets from `from` to `to`, the last block filled up with zeros. */
  absorb(octets: Uint8Array, from: number, to: number): void {
    const state = this.#state
    for (let at = from; at < to; at += BLOCK_OCTETS) {
      for (let word = 0; word < WORDS; word++) {
        const start = at + word * 4
        if (start >= to) break
        let value = (octets[start] ?? 0) << 24
        if (start + 1 < to) value |= (octets[start + 1] ?? 0) << 16
        if (start + 2 < to) value |= (octets[start + 2] ?? 0) << 8
        if (start + 3 < to) value |= octets[start + 3] ?? 0
        state[word] = (state[word] ?? 0) ^ value
      }
      this.#multiply()
    }
  }

  /** The last block: how long the authenticated and the encrypted part were. */
  absorbLengths(aadOctets: number, textOctets: number): void {
    this.#state[1] = (this.#state[1] ?? 0) ^ (aadOctets * 8)
    this.#state[3] = (this.#state[3] ?? 0) ^ (textOctets * 8)
    this.#multiply()
  }

  /** One octet of the result, 0–15. */
  octet(place: number): number {
    return ((this.#state[place >>> 2] ?? 0) >>> (24 - 8 * (place & 3))) & 0xff
  }

  wipe(): void {
    this.#table.fill(0)
    this.#state.fill(0)
  }

  /** State times hash key, by Horner's rule from the last octet to the first. */
  #multiply(): void {
    const state = this.#state
    const table = this.#table
    let z0 = 0
    let z1 = 0
    let z2 = 0
    let z3 = 0
    for (let word = WORDS - 1; word >= 0; word--) {
      const value = state[word] ?? 0
      for (let shift = 0; shift < 32; shift += 8) {
        const out = reductions[z3 & 0xff] ?? 0
        const at = ((value >>> shift) & 0xff) << 2
        z3 = ((z3 >>> 8) | (z2 << 24)) ^ (table[at + 3] ?? 0)
        z2 = ((z2 >>> 8) | (z1 << 24)) ^ (table[at + 2] ?? 0)
        z1 = ((z1 >>> 8) | (z0 << 24)) ^ (table[at + 1] ?? 0)
        z0 = (z0 >>> 8) ^ out ^ (table[at] ?? 0)
      }
    }
    state[0] = z0
    state[1] = z1
    state[2] = z2
    state[3] = z3
  }

  /** The entry at `from`, times x, goes to `to`. */
  #timesX(from: number, to: number): void {
    const table = this.#table
    const out = (table[from + 3] ?? 0) & 1
    for (let word = WORDS - 1; word > 0; word--) {
      table[to + word] = ((table[from + word] ?? 0) >>> 1) | ((table[from + word - 1] ?? 0) << 31)
    }
    table[to] = ((table[from] ?? 0) >>> 1) ^ (out === 0 ? 0 : 0xe100_0000)
  }
}
