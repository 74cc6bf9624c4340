import { type CipherGCM, createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import type { SessionKeys } from './key-derivation.ts'
import { secretOctets } from './secret-octets.ts'
import {
  E_BIT,
  RTCP_HEADER_OCTETS,
  RTCP_INDEX_OCTETS,
  type RtpIndex,
  type Transform,
  writeUint32,
} from './transform.ts'

const TAG_OCTETS = 16
const IV_OCTETS = 12

/** AES-GCM as RFC 7714 uses it: the tag belongs to the ciphertext, and the MKI comes last. */
export class AeadTransform implements Transform {
  readonly rtpTagOctets = TAG_OCTETS
  readonly rtcpTrailerOctets = TAG_OCTETS + RTCP_INDEX_OCTETS
  readonly #rtp: SessionCipher
  readonly #rtcp: SessionCipher
  readonly #rtcpAad = new Uint8Array(RTCP_HEADER_OCTETS + RTCP_INDEX_OCTETS)

  constructor(keys: Readonly<Record<'rtp' | 'rtcp', SessionKeys>>) {
    this.#rtp = new SessionCipher(keys.rtp)
    this.#rtcp = new SessionCipher(keys.rtcp)
  }

  sealRtp(packet: Uint8Array, headerOctets: number, length: number, ssrc: number, index: RtpIndex): number {
    // RFC 7714 8.1: two zero octets, SSRC, rollover counter, sequence number, all XOR salt.
    const cipher = this.#rtp.encrypting(ssrc, index.rollover >>> 16, lowHalf(index))
    return seal(cipher, packet, headerOctets, length, packet.subarray(0, headerOctets))
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
    const iv = this.#rtp.iv(ssrc, index.rollover >>> 16, lowHalf(index))
    return this.#rtp.open(iv, packet, headerOctets, end, packet.subarray(0, headerOctets))
  }

  sealRtcp(packet: Uint8Array, length: number, ssrc: number, index: number): number {
    const word = (E_BIT | index) >>> 0
    // RFC 7714 9.1: two zero octets, SSRC, two zero octets, the index in 31 bits, all XOR salt.
    const tagEnd = seal(
      this.#rtcp.encrypting(ssrc, 0, index),
      packet,
      RTCP_HEADER_OCTETS,
      length,
      this.#aad(packet, word),
    )
    writeUint32(packet, tagEnd, word)
    return tagEnd + RTCP_INDEX_OCTETS
  }

  openRtcp(packet: Uint8Array, length: number, ssrc: number, index: number, mkiOctets: number): number | 'auth-failed' {
    const end = this.rtcpIndexAt(length, mkiOctets) - TAG_OCTETS
    const aad = this.#aad(packet, (E_BIT | index) >>> 0)
    return this.#rtcp.open(this.#rtcp.iv(ssrc, 0, index), packet, RTCP_HEADER_OCTETS, end, aad)
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

function lowHalf({ rollover, sequence }: RtpIndex): number {
  return (((rollover & 0xffff) << 16) | sequence) >>> 0
}

/**
 * One key and salt. The key is a KeyObject: as a Buffer it costs 11 µs a packet in Node 24. OpenSSL clears it when the object
 * is collected; there is no way to clear it at once.
 */
class SessionCipher {
  #key: KeyObject | undefined
  readonly #algorithm: 'aes-128-gcm' | 'aes-256-gcm'
  readonly #salt: DataView
  readonly #iv = new Uint8Array(IV_OCTETS)
  readonly #ivView = new DataView(this.#iv.buffer)

  constructor(keys: SessionKeys) {
    this.#algorithm = keys.cipherKey.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm'
    this.#key = createSecretKey(keys.cipherKey)
    const salt = secretOctets(IV_OCTETS)
    salt.set(keys.salt)
    this.#salt = new DataView(salt.buffer)
  }

  /** @param high 16 bits and @param low 32 bits that follow the SSRC. @returns valid until the next call */
  iv(ssrc: number, high: number, low: number): Uint8Array {
    const salt = this.#salt
    this.#ivView.setUint32(0, salt.getUint32(0) ^ (ssrc >>> 16))
    this.#ivView.setUint32(4, salt.getUint32(4) ^ ((ssrc << 16) | high))
    this.#ivView.setUint32(8, salt.getUint32(8) ^ low)
    return this.#iv
  }

  encrypting(ssrc: number, high: number, low: number): CipherGCM {
    return createCipheriv(this.#algorithm, this.#present(), this.iv(ssrc, high, low))
  }

  /** Decrypts `from` to `end` in place if the tag behind it is right. */
  open(iv: Uint8Array, packet: Uint8Array, from: number, end: number, aad: Uint8Array): number | 'auth-failed' {
    const cipher = createDecipheriv(this.#algorithm, this.#present(), iv, { authTagLength: TAG_OCTETS })
    cipher.setAAD(aad)
    cipher.setAuthTag(packet.subarray(end, end + TAG_OCTETS))
    const plain = cipher.update(packet.subarray(from, end))
    try {
      cipher.final()
    } catch {
      plain.fill(0)
      return 'auth-failed'
    }
    packet.set(plain, from)
    return end
  }

  wipe(): void {
    new Uint8Array(this.#salt.buffer).fill(0)
    this.#key = undefined
  }

  #present(): KeyObject {
    if (this.#key === undefined) throw new Error('the key was wiped')
    return this.#key
  }
}

function seal(cipher: CipherGCM, packet: Uint8Array, from: number, length: number, aad: Uint8Array): number {
  cipher.setAAD(aad)
  packet.set(cipher.update(packet.subarray(from, length)), from)
  cipher.final()
  packet.set(cipher.getAuthTag(), length)
  return length + TAG_OCTETS
}
