import { mediaLimits } from '../../../lib/limits.ts'

/** Why a packet was not protected or not believed. */
export type SrtpProblem =
  | 'short'
  | 'too-long'
  | 'not-rtp'
  | 'too-many-sources'
  | 'replayed'
  | 'too-old'
  | 'key-used-up'
  | 'mki-unknown'
  | 'auth-failed'
  | 'unencrypted'
  | 'closed'

/**
 * How long the part of an RTP packet is that stays readable: fixed header, CSRC list, extension (RFC 3711 3.1).
 * @param end octets of the packet that may be header or payload
 */
export function rtpHeaderOctets(packet: Uint8Array, end: number): number | 'short' | 'not-rtp' {
  if (end < 12) return 'short'
  const first = packet[0] ?? 0
  if (first >>> 6 !== 2) return 'not-rtp'
  let octets = 12 + (first & 0x0f) * 4
  if ((first & 0x10) !== 0) {
    if (octets + 4 > end) return 'short'
    octets += 4 + (((packet[octets + 2] ?? 0) << 8) | (packet[octets + 3] ?? 0)) * 4
  }
  return octets > end ? 'short' : octets
}

/** The keystream is no longer than this: nothing beyond may leave or be read. */
export function isTooLong(octets: number): boolean {
  return octets > mediaLimits.packetOctetsMax
}
