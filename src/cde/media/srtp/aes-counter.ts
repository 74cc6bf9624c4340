import { type Cipheriv, createCipheriv } from 'node:crypto'
import { mediaLimits } from '../../../lib/limits.ts'
import { secretOctets } from './secret-octets.ts'

const BLOCK_OCTETS = 16
/** A packet, and the block that masks its tag in GCM. */
const BLOCKS_MAX = Math.ceil(mediaLimits.packetOctetsMax / BLOCK_OCTETS) + 1
/** Packets whose keystreams are made in one go: entering OpenSSL costs as much as 50 blocks. */
const PACKETS_AHEAD = 8

/**
 * AES in counter mode as a keystream. One ECB cipher lives as long as the key, because in Node 24 making a cipher costs more
 * than encrypting a packet; the counter blocks are laid out here, in 32-bit words XOR salt:
 *
 *   cm  (RFC 3711 4.1.1)          0      | SSRC                    | index 47–16         | index 15–0 · counter from 0
 *   gcm (RFC 7714 8.1 and 9.1)  0 · SSRC | SSRC · index 47–32      | index 31–0          | counter from 1
 */
export class AesCounter {
  /** The keystream of the last `seek` begins in here at what it returned; valid until the next. */
  stream: Uint8Array = new Uint8Array()
  readonly #layout: 'cm' | 'gcm'
  readonly #cipher: Cipheriv
  readonly #salt: DataView
  readonly #counters = new Uint8Array(BLOCK_OCTETS * BLOCKS_MAX)
  readonly #view = new DataView(this.#counters.buffer)
  // What `stream` holds: so many packets in a row, each with so many blocks.
  #ssrc = 0
  #indexHigh = 0
  #firstLow = 0
  #packets = 0
  #blocks = 0

  /** @param salt 14 octets; a shorter one is filled up with zeros on the right (RFC 7714 11) */
  constructor(key: Uint8Array, salt: Uint8Array, layout: 'cm' | 'gcm' = 'cm') {
    this.#layout = layout
    this.#cipher = createCipheriv(key.length === 16 ? 'aes-128-ecb' : 'aes-256-ecb', key, null).setAutoPadding(false)
    const store = secretOctets(BLOCK_OCTETS)
    store.set(salt)
    this.#salt = new DataView(store.buffer)
  }

  /**
   * Makes the keystream of a packet and, when packets come in a row, of the next few.
   * @param indexHigh bits 16–47 of the packet index (for RTP the rollover counter)
   * @param indexLow bits 0–15 of it (for RTP the sequence number)
   * @param octets at most one packet's worth (mediaLimits.packetOctetsMax); callers refuse what is longer
   * @returns where it begins in `stream`
   */
  seek(ssrc: number, indexHigh: number, indexLow: number, octets: number): number {
    const place = indexLow - this.#firstLow
    const sameRow = ssrc === this.#ssrc && indexHigh === this.#indexHigh && this.#packets > 0 && place >= 0
    const blocks = Math.ceil(octets / BLOCK_OCTETS)
    if (sameRow && place < this.#packets && blocks <= this.#blocks) return place * this.#blocks * BLOCK_OCTETS
    const isNext = sameRow && place === this.#packets
    const packets = isNext ? Math.min(PACKETS_AHEAD, Math.floor(BLOCKS_MAX / Math.max(blocks, 1))) : 1
    this.#make(ssrc, indexHigh, indexLow, blocks, packets)
    return 0
  }

  /** The cipher of the zero block, which GHASH multiplies by. To be wiped by whoever asked. */
  hashKey(): Uint8Array {
    return this.#cipher.update(new Uint8Array(BLOCK_OCTETS))
  }

  /** Ends the cipher: OpenSSL clears its key schedule then. */
  wipe(): void {
    new Uint8Array(this.#salt.buffer).fill(0)
    this.stream.fill(0)
    this.#packets = 0
    this.#cipher.final()
  }

  #make(ssrc: number, indexHigh: number, firstLow: number, blocks: number, packets: number): void {
    const salt = this.#salt
    const view = this.#view
    const gcm = this.#layout === 'gcm'
    const first = salt.getUint32(0) ^ (gcm ? ssrc >>> 16 : 0)
    const second = salt.getUint32(4) ^ (gcm ? (ssrc << 16) | (indexHigh >>> 16) : ssrc)
    let at = 0
    for (let packet = 0; packet < packets; packet++) {
      const low = firstLow + packet
      const third = salt.getUint32(8) ^ (gcm ? (indexHigh << 16) | low : indexHigh)
      const fourth = gcm ? 1 : ((salt.getUint16(12) ^ low) << 16) >>> 0
      for (let block = 0; block < blocks; block++, at += BLOCK_OCTETS) {
        view.setUint32(at, first)
        view.setUint32(at + 4, second)
        view.setUint32(at + 8, third)
        view.setUint32(at + 12, fourth + block)
      }
    }
    this.stream.fill(0)
    this.stream = this.#cipher.update(this.#counters.subarray(0, at))
    this.#ssrc = ssrc
    this.#indexHigh = indexHigh
    this.#firstLow = firstLow
    this.#packets = packets
    this.#blocks = blocks
  }
}
