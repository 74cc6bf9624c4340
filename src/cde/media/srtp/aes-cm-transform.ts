import { AesCounter } from './aes-counter.ts'
import { HmacSha1 } from './hmac-sha1.ts'
import type { SessionKeys } from './key-derivation.ts'
import type { Suite } from './suites.ts'
import {
  E_BIT,
  RTCP_HEADER_OCTETS,
  RTCP_INDEX_OCTETS,
  type RtpIndex,
  type Transform,
  writeUint32,
} from './transform.ts'

/** AES in counter mode with HMAC-SHA1 (RFC 3711 4.1.1 and 4.2.1). */
export class AesCmTransform implements Transform {
  readonly rtpTagOctets: number
  readonly rtcpTrailerOctets: number
  readonly #rtcpTagOctets: number
  readonly #rtp: SessionCiphers
  readonly #rtcp: SessionCiphers

  constructor(suite: Suite, keys: Readonly<Record<'rtp' | 'rtcp', SessionKeys>>) {
    this.rtpTagOctets = suite.rtpTagOctets
    this.#rtcpTagOctets = suite.rtcpTagOctets
    this.rtcpTrailerOctets = RTCP_INDEX_OCTETS + suite.rtcpTagOctets
    this.#rtp = sessionCiphers(keys.rtp)
    this.#rtcp = sessionCiphers(keys.rtcp)
  }

  sealRtp(packet: Uint8Array, headerOctets: number, length: number, ssrc: number, index: RtpIndex): number {
    this.#crypt(this.#rtp, packet, headerOctets, length, ssrc, index.rollover, index.sequence)
    // RFC 3711 4.2: the tag covers the packet as sent, and the rollover counter.
    const tag = this.#rtp.hmac.sign(packet, length, index.rollover)
    for (let i = 0; i < this.rtpTagOctets; i++) packet[length + i] = tag[i] ?? 0
    return length + this.rtpTagOctets
  }

  openRtp(
    packet: Uint8Array,
    headerOctets: number,
    length: number,
    ssrc: number,
    index: RtpIndex,
    mkiOctets: number,
  ): number | 'auth-failed' {
    const tagAt = length - this.rtpTagOctets
    const end = tagAt - mkiOctets
    const tag = this.#rtp.hmac.sign(packet, end, index.rollover)
    if (!sameTag(tag, packet, tagAt, this.rtpTagOctets)) return 'auth-failed'
    this.#crypt(this.#rtp, packet, headerOctets, end, ssrc, index.rollover, index.sequence)
    return end
  }

  sealRtcp(packet: Uint8Array, length: number, ssrc: number, index: number): number {
    this.#crypt(this.#rtcp, packet, RTCP_HEADER_OCTETS, length, ssrc, index >>> 16, index & 0xffff)
    writeUint32(packet, length, E_BIT | index)
    const tagAt = length + RTCP_INDEX_OCTETS
    const tag = this.#rtcp.hmac.sign(packet, tagAt, undefined)
    for (let i = 0; i < this.#rtcpTagOctets; i++) packet[tagAt + i] = tag[i] ?? 0
    return tagAt + this.#rtcpTagOctets
  }

  openRtcp(packet: Uint8Array, length: number, ssrc: number, index: number, mkiOctets: number): number | 'auth-failed' {
    const indexAt = this.rtcpIndexAt(length, mkiOctets)
    const tag = this.#rtcp.hmac.sign(packet, indexAt + RTCP_INDEX_OCTETS, undefined)
    if (!sameTag(tag, packet, length - this.#rtcpTagOctets, this.#rtcpTagOctets)) return 'auth-failed'
    this.#crypt(this.#rtcp, packet, RTCP_HEADER_OCTETS, indexAt, ssrc, index >>> 16, index & 0xffff)
    return indexAt
  }

  mkiAt(kind: 'rtp' | 'rtcp', length: number, mkiOctets: number): number {
    // RFC 3711 3.1: the MKI stands before the tag.
    return length - (kind === 'rtp' ? this.rtpTagOctets : this.#rtcpTagOctets) - mkiOctets
  }

  rtcpIndexAt(length: number, mkiOctets: number): number {
    return length - this.#rtcpTagOctets - mkiOctets - RTCP_INDEX_OCTETS
  }

  wipe(): void {
    for (const { counter, hmac } of [this.#rtp, this.#rtcp]) {
      counter.wipe()
      hmac.wipe()
    }
  }

  #crypt(
    { counter }: SessionCiphers,
    packet: Uint8Array,
    from: number,
    to: number,
    ssrc: number,
    indexHigh: number,
    indexLow: number,
  ): void {
    let j = counter.seek(ssrc, indexHigh, indexLow, to - from)
    const { stream } = counter
    for (let i = from; i < to; i++, j++) packet[i] = (packet[i] ?? 0) ^ (stream[j] ?? 0)
  }
}

interface SessionCiphers {
  readonly counter: AesCounter
  readonly hmac: HmacSha1
}

function sessionCiphers({ cipherKey, salt, authKey }: SessionKeys): SessionCiphers {
  return { counter: new AesCounter(cipherKey, salt), hmac: new HmacSha1(authKey) }
}

/** In a time that tells nothing about where the two differ. */
function sameTag(tag: Uint8Array, packet: Uint8Array, at: number, octets: number): boolean {
  let difference = 0
  for (let i = 0; i < octets; i++) difference |= (tag[i] ?? 0) ^ (packet[at + i] ?? 0)
  return difference === 0
}
