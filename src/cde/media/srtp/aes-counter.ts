import { type Cipheriv, createCipheriv } from 'node:crypto'
import { mediaLimits } from '../../../lib/limits.ts'
import { secretOctets } from './secret-octets.ts'

const BLOCK_OCTETS = 16
const BLOCKS_MAX = Math.ceil(mediaLimits.packetOctetsMax / BLOCK_OCTETS)

/**
 * AES in counter mode as RFC 3711 4.1.1 has it, as a keystream. One ECB cipher lives as long as the key, because in Node 24
 * making a cipher costs more than encrypting a packet; the counter blocks are laid out here.
 *
 *   IV = (salt · 2^16) XOR (SSRC · 2^64) XOR (index · 2^16)
 */
export class AesCounter {
  readonly #cipher: Cipheriv
  readonly #salt: DataView
  readonly #counters = new Uint8Array(BLOCK_OCTETS * BLOCKS_MAX)
  readonly #view = new DataView(this.#counters.buffer)

  /** @param salt 14 octets; a shorter one is filled up with zeros on the right (RFC 7714 11) */
  constructor(key: Uint8Array, salt: Uint8Array) {
    this.#cipher = createCipheriv(key.length === 16 ? 'aes-128-ecb' : 'aes-256-ecb', key, null).setAutoPadding(false)
    const store = secretOctets(BLOCK_OCTETS)
    store.set(salt)
    this.#salt = new DataView(store.buffer)
  }

  /**
   * @param indexHigh bits 16–47 of the packet index (for RTP the rollover counter)
   * @param indexLow bits 0–15 of it (for RTP the sequence number)
   * @param octets at most one packet's worth; more gives fewer
   * @returns at least so many octets, to be wiped after use when they are keys
   */
  keystream(ssrc: number, indexHigh: number, indexLow: number, octets: number): Uint8Array {
    const blocks = Math.min(Math.ceil(octets / BLOCK_OCTETS), BLOCKS_MAX)
    const salt = this.#salt
    const view = this.#view
    const first = salt.getUint32(0)
    const second = salt.getUint32(4) ^ ssrc
    const third = salt.getUint32(8) ^ indexHigh
    const fourth = ((salt.getUint16(12) ^ indexLow) << 16) >>> 0
    for (let block = 0, at = 0; block < blocks; block++, at += BLOCK_OCTETS) {
      view.setUint32(at, first)
      view.setUint32(at + 4, second)
      view.setUint32(at + 8, third)
      view.setUint32(at + 12, fourth + block)
    }
    return this.#cipher.update(this.#counters.subarray(0, blocks * BLOCK_OCTETS))
  }

  /** Ends the cipher: OpenSSL clears its key schedule then. */
  wipe(): void {
    new Uint8Array(this.#salt.buffer).fill(0)
    this.#cipher.final()
  }
}
