import { AesCounter } from './aes-counter.ts'
import { Ghash } from './ghash.ts'
import type { SessionKeys } from './key-derivation.ts'
import {
  E_BIT,
  RTCP_HEADER_OCTETS,
  RTCP_INDEX_OCTETS,
  type RtpIndex,
  type Transform,
  writeUint32,
} from './transform.ts'

const TAG_OCTETS = 16

/** AES-GCM as RFC 7714 uses it: the tag belongs to the ciphertext, and the MKI comes last. */
export class AeadTransform implements Transform {
  readonly rtpTagOctets = TAG_OCTETS
  readonly rtcpTrailerOctets = TAG_OCTETS + RTCP_INDEX_OCTETS
  readonly #rtp: Gcm
  readonly #rtcp: Gcm
  readonly #rtcpAad = new Uint8Array(RTCP_HEADER_OCTETS + RTCP_INDEX_OCTETS)

  constructor(keys: Readonly<Record<'rtp' | 'rtcp', SessionKeys>>) {
    this.#rtp = new Gcm(keys.rtp)
    this.#rtcp = new Gcm(keys.rtcp)
  }

  sealRtp(packet: Uint8Array, headerOctets: number, length: number, ssrc: number, index: RtpIndex): number {
    this.#rtp.begin(ssrc, index.rollover, index.sequence, length - headerOctets)
    return this.#rtp.seal(packet, headerOctets, length, packet, headerOctets)
  }

  openRtp(
    packet: Uint8Array,
    headerOctets: number,
    length: number,
    ssrc: number,
    index: RtpIndex,
    mkiOctets: number,
  ): number | 'auth-failed' {
    const end = length - mkiOctets - TAG_OCTETS
    this.#rtp.begin(ssrc, index.rollover, index.sequence, end - headerOctets)
    return this.#rtp.open(packet, headerOctets, end, packet, headerOctets)
  }

  sealRtcp(packet: Uint8Array, length: number, ssrc: number, index: number): number {
    const word = (E_BIT | index) >>> 0
    const aad = this.#aad(packet, word)
    this.#rtcp.begin(ssrc, index >>> 16, index & 0xffff, length - RTCP_HEADER_OCTETS)
    const tagEnd = this.#rtcp.seal(packet, RTCP_HEADER_OCTETS, length, aad, aad.length)
    writeUint32(packet, tagEnd, word)
    return tagEnd + RTCP_INDEX_OCTETS
  }

  openRtcp(packet: Uint8Array, length: number, ssrc: number, index: number, mkiOctets: number): number | 'auth-failed' {
    const end = this.rtcpIndexAt(length, mkiOctets) - TAG_OCTETS
    const aad = this.#aad(packet, (E_BIT | index) >>> 0)
    this.#rtcp.begin(ssrc, index >>> 16, index & 0xffff, end - RTCP_HEADER_OCTETS)
    return this.#rtcp.open(packet, RTCP_HEADER_OCTETS, end, aad, aad.length)
  }

  mkiAt(_kind: 'rtp' | 'rtcp', length: number, mkiOctets: number): number {
    return length - mkiOctets
  }

  rtcpIndexAt(length: number, mkiOctets: number): number {
    return length - mkiOctets - RTCP_INDEX_OCTETS
  }

  wipe(): void {
    this.#rtp.wipe()
    this.#rtcp.wipe()
  }

  /** RFC 7714 9.2: the readable header and the word with the E bit. */
  #aad(packet: Uint8Array, word: number): Uint8Array {
    this.#rtcpAad.set(packet.subarray(0, RTCP_HEADER_OCTETS))
    writeUint32(this.#rtcpAad, RTCP_HEADER_OCTETS, word)
    return this.#rtcpAad
  }
}

/** One key and salt (NIST SP 800-38D 7). The first block of a packet's keystream masks its tag, the others its text. */
class Gcm {
  readonly #counter: AesCounter
  readonly #ghash: Ghash
  #mask = 0

  constructor({ cipherKey, salt }: SessionKeys) {
    this.#counter = new AesCounter(cipherKey, salt, 'gcm')
    const hashKey = this.#counter.hashKey()
    this.#ghash = new Ghash(hashKey)
    hashKey.fill(0)
  }

  begin(ssrc: number, indexHigh: number, indexLow: number, textOctets: number): void {
    this.#mask = this.#counter.seek(ssrc, indexHigh, indexLow, TAG_OCTETS + textOctets)
  }

  /** Encrypts `from` to `to` in place and puts the tag behind. @returns where the tag ends */
  seal(packet: Uint8Array, from: number, to: number, aad: Uint8Array, aadOctets: number): number {
    this.#crypt(packet, from, to)
    this.#hash(packet, from, to, aad, aadOctets)
    for (let i = 0; i < TAG_OCTETS; i++) packet[to + i] = this.#tagOctet(i)
    return to + TAG_OCTETS
  }

  /** Decrypts `from` to `to` in place if the tag behind is right. */
  open(packet: Uint8Array, from: number, to: number, aad: Uint8Array, aadOctets: number): number | 'auth-failed' {
    this.#hash(packet, from, to, aad, aadOctets)
    // In a time that tells nothing about where the two differ.
    let difference = 0
    for (let i = 0; i < TAG_OCTETS; i++) difference |= this.#tagOctet(i) ^ (packet[to + i] ?? 0)
    if (difference !== 0) return 'auth-failed'
    this.#crypt(packet, from, to)
    return to
  }

  wipe(): void {
    this.#counter.wipe()
    this.#ghash.wipe()
  }

  #hash(packet: Uint8Array, from: number, to: number, aad: Uint8Array, aadOctets: number): void {
    this.#ghash.reset()
    this.#ghash.absorb(aad, 0, aadOctets)
    this.#ghash.absorb(packet, from, to)
    this.#ghash.absorbLengths(aadOctets, to - from)
  }

  #tagOctet(place: number): number {
    return this.#ghash.octet(place) ^ (this.#counter.stream[this.#mask + place] ?? 0)
  }

  #crypt(packet: Uint8Array, from: number, to: number): void {
    const { stream } = this.#counter
    let j = this.#mask + TAG_OCTETS
    for (let i = from; i < to; i++, j++) packet[i] = (packet[i] ?? 0) ^ (stream[j] ?? 0)
  }
}
