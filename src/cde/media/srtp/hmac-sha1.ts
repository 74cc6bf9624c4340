import { secretOctets } from './secret-octets.ts'

const BLOCK_OCTETS = 64
const STATE_WORDS = 5
export const SHA1_OCTETS = 20

/**
 * HMAC-SHA1 (RFC 2104) for many short messages under one key. The states after the two padded keys are kept, so a packet of
 * 172 octets costs five blocks and no object; a new Hmac object of Node 24 costs more than all of them (bench-srtp.ts).
 * Time and memory access depend on the length only.
 */
export class HmacSha1 {
  readonly #inner = secretWords()
  readonly #outer = secretWords()
  readonly #state = secretWords()
  readonly #schedule = new Int32Array(80)
  readonly #tail = new Uint8Array(2 * BLOCK_OCTETS)
  readonly #mac = new Uint8Array(SHA1_OCTETS)
  readonly #macView = new DataView(this.#mac.buffer)

  /** @param key at most 64 octets; SRTP's have 20 */
  constructor(key: Uint8Array) {
    this.#prepare(this.#inner, key, 0x36)
    this.#prepare(this.#outer, key, 0x5c)
  }

  /**
   * @param trailer 32 bits that follow the message: SRTP's rollover counter (RFC 3711 4.2); undefined for none
   * @returns 20 octets, valid until the next call
   */
  sign(message: Uint8Array, length: number, trailer: number | undefined): Uint8Array {
    const state = this.#state
    state.set(this.#inner)
    let at = 0
    for (; at + BLOCK_OCTETS <= length; at += BLOCK_OCTETS) this.#compress(state, message, at)
    const tail = this.#tail
    let end = 0
    for (; at < length; at++) tail[end++] = message[at] ?? 0
    if (trailer !== undefined) {
      for (let shift = 24; shift >= 0; shift -= 8) tail[end++] = (trailer >>> shift) & 0xff
    }
    const total = BLOCK_OCTETS + length + (trailer === undefined ? 0 : 4)
    this.#finish(state, end, total)

    for (let word = 0; word < STATE_WORDS; word++) this.#macView.setInt32(word * 4, state[word] ?? 0)
    tail.set(this.#mac)
    state.set(this.#outer)
    this.#finish(state, SHA1_OCTETS, BLOCK_OCTETS + SHA1_OCTETS)
    for (let word = 0; word < STATE_WORDS; word++) this.#macView.setInt32(word * 4, state[word] ?? 0)
    return this.#mac
  }

  wipe(): void {
    for (const secret of [this.#inner, this.#outer, this.#state, this.#schedule, this.#tail, this.#mac]) secret.fill(0)
  }

  #prepare(state: Int32Array, key: Uint8Array, pad: number): void {
    state.set([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0])
    const block = this.#tail
    for (let i = 0; i < BLOCK_OCTETS; i++) block[i] = (key[i] ?? 0) ^ pad
    this.#compress(state, block, 0)
    block.fill(0)
  }

  /** FIPS 180-4 5.1.1: a one bit, zeros, and the whole message's length in bits. `end` octets stand in the tail. */
  #finish(state: Int32Array, end: number, totalOctets: number): void {
    const tail = this.#tail
    const blocksEnd = end + 9 > BLOCK_OCTETS ? 2 * BLOCK_OCTETS : BLOCK_OCTETS
    tail[end] = 0x80
    tail.fill(0, end + 1, blocksEnd)
    // Below 2^16 octets the length in bits fits the last three.
    const bits = totalOctets * 8
    tail[blocksEnd - 3] = (bits >>> 16) & 0xff
    tail[blocksEnd - 2] = (bits >>> 8) & 0xff
    tail[blocksEnd - 1] = bits & 0xff
    this.#compress(state, tail, 0)
    if (blocksEnd > BLOCK_OCTETS) this.#compress(state, tail, BLOCK_OCTETS)
  }

  /** FIPS 180-4 6.1.2. The four loops differ in their function and constant only; one loop with a choice in it is slower. */
  #compress(state: Int32Array, octets: Uint8Array, at: number): void {
    const w = this.#schedule
    for (let t = 0, i = at; t < 16; t++, i += 4) {
      w[t] =
        ((octets[i] ?? 0) << 24) | ((octets[i + 1] ?? 0) << 16) | ((octets[i + 2] ?? 0) << 8) | (octets[i + 3] ?? 0)
    }
    for (let t = 16; t < 80; t++) {
      const x = (w[t - 3] ?? 0) ^ (w[t - 8] ?? 0) ^ (w[t - 14] ?? 0) ^ (w[t - 16] ?? 0)
      w[t] = (x << 1) | (x >>> 31)
    }
    let a = state[0] ?? 0
    let b = state[1] ?? 0
    let c = state[2] ?? 0
    let d = state[3] ?? 0
    let e = state[4] ?? 0
    for (let t = 0; t < 20; t++) {
      const next = (((a << 5) | (a >>> 27)) + ((b & c) | (~b & d)) + e + 0x5a827999 + (w[t] ?? 0)) | 0
      e = d
      d = c
      c = (b << 30) | (b >>> 2)
      b = a
      a = next
    }
    for (let t = 20; t < 40; t++) {
      const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0x6ed9eba1 + (w[t] ?? 0)) | 0
      e = d
      d = c
      c = (b << 30) | (b >>> 2)
      b = a
      a = next
    }
    for (let t = 40; t < 60; t++) {
      const next = (((a << 5) | (a >>> 27)) + ((b & c) | (b & d) | (c & d)) + e + 0x8f1bbcdc + (w[t] ?? 0)) | 0
      e = d
      d = c
      c = (b << 30) | (b >>> 2)
      b = a
      a = next
    }
    for (let t = 60; t < 80; t++) {
      const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + 0xca62c1d6 + (w[t] ?? 0)) | 0
      e = d
      d = c
      c = (b << 30) | (b >>> 2)
      b = a
      a = next
    }
    state[0] = (state[0] ?? 0) + a
    state[1] = (state[1] ?? 0) + b
    state[2] = (state[2] ?? 0) + c
    state[3] = (state[3] ?? 0) + d
    state[4] = (state[4] ?? 0) + e
  }
}

function secretWords(): Int32Array {
  return new Int32Array(secretOctets(STATE_WORDS * 4).buffer, 0, STATE_WORDS)
}
