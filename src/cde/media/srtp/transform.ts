/**
 * What a suite does to one packet in place. `packet` is a buffer with room for the tag; `length` octets of it are used.
 * The index is the packet's own: rollover counter and sequence number for RTP, the 31-bit SRTCP index for RTCP.
 */
export interface Transform {
  readonly rtpTagOctets: number
  /** The tag and the word with the E bit and the index (RFC 3711 3.4). */
  readonly rtcpTrailerOctets: number
  /** @returns the new length */
  sealRtp(packet: Uint8Array, headerOctets: number, length: number, ssrc: number, index: RtpIndex): number
  /** @param mkiOctets how long the MKI near the end is. @returns the length without tag and MKI; nothing is changed on failure */
  openRtp(
    packet: Uint8Array,
    headerOctets: number,
    length: number,
    ssrc: number,
    index: RtpIndex,
    mkiOctets: number,
  ): number | 'auth-failed'
  sealRtcp(packet: Uint8Array, length: number, ssrc: number, index: number): number
  openRtcp(packet: Uint8Array, length: number, ssrc: number, index: number, mkiOctets: number): number | 'auth-failed'
  /** Where the MKI starts. */
  mkiAt(kind: 'rtp' | 'rtcp', length: number, mkiOctets: number): number
  /** Where the word with E bit and index starts. */
  rtcpIndexAt(length: number, mkiOctets: number): number
  wipe(): void
}

export interface RtpIndex {
  /** 32 bits */
  readonly rollover: number
  /** 16 bits */
  readonly sequence: number
}

/** RFC 3711 3.4: the first eight octets of RTCP stay readable. */
export const RTCP_HEADER_OCTETS = 8
export const RTCP_INDEX_OCTETS = 4
/** RFC 3711 3.4: set when the packet is encrypted. */
export const E_BIT = 0x8000_0000

export function readUint32(octets: Uint8Array, at: number): number {
  return (
    (((octets[at] ?? 0) << 24) |
      ((octets[at + 1] ?? 0) << 16) |
      ((octets[at + 2] ?? 0) << 8) |
      (octets[at + 3] ?? 0)) >>>
    0
  )
}

export function writeUint32(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 24
  octets[at + 1] = value >>> 16
  octets[at + 2] = value >>> 8
  octets[at + 3] = value
}
