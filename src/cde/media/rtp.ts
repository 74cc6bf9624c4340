import { mediaLimits } from '../../lib/limits.ts'

/** What of an RTP header we read and write. CSRC lists and extensions are skipped when read and never written (MED-01). */
export interface RtpFields {
  /** 0–127 */
  readonly payloadType: number
  readonly marker: boolean
  /** 16 bits, wraps */
  readonly sequence: number
  /** 32 bits, wraps, in units of the payload type's clock */
  readonly timestamp: number
  readonly ssrc: number
}

export interface RtpPacket extends RtpFields {
  /** A view into the datagram: without header, CSRC list, extension and padding. May be empty. */
  readonly payload: Uint8Array
}

export type RtpProblem =
  | 'short'
  | 'too-long'
  | 'version'
  | 'rtcp'
  | 'csrc-past-end'
  | 'extension-past-end'
  | 'padding-past-end'

/** Without CSRC list and extension. */
export const RTP_HEADER_OCTETS = 12

/**
 * RFC 3550 5.1 and 5.3.1:
 * ```
 *  0 1 2 3 4 5 6 7 8 9 …
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * |                           timestamp                           |
 * |                             SSRC                              |
 * |          CC · 4 octets of CSRC, then the extension            |
 * ```
 * @param packet one UDP datagram
 */
export function parseRtp(packet: Uint8Array): RtpPacket | RtpProblem {
  if (packet.length < RTP_HEADER_OCTETS) return 'short'
  if (packet.length > mediaLimits.packetOctetsMax) return 'too-long'
  const first = packet[0] as number
  const second = packet[1] as number
  if (first >> 6 !== 2) return 'version'
  // RFC 5761 4: a second octet of 192–223 is RTCP; RTP payload types 64–95 are therefore never assigned.
  if (second >= 192 && second <= 223) return 'rtcp'

  let start = RTP_HEADER_OCTETS + (first & 0x0f) * 4
  if (start > packet.length) return 'csrc-past-end'
  if ((first & 0x10) !== 0) {
    if (start + 4 > packet.length) return 'extension-past-end'
    start += 4 + uint16(packet, start + 2) * 4
    if (start > packet.length) return 'extension-past-end'
  }
  let end = packet.length
  if ((first & 0x20) !== 0) {
    // RFC 3550 5.1: the last octet counts the padding, itself included, so zero is wrong too.
    const paddingOctets = end > start ? (packet[end - 1] as number) : 0
    if (paddingOctets === 0 || start + paddingOctets > end) return 'padding-past-end'
    end -= paddingOctets
  }
  return {
    payloadType: second & 0x7f,
    marker: (second & 0x80) !== 0,
    sequence: uint16(packet, 2),
    timestamp: uint32(packet, 4),
    ssrc: uint32(packet, 8),
    payload: packet.subarray(start, end),
  }
}

/** The numbers of a packet read in place; one object serves all packets, so that none is allocated for each. */
export interface RtpNumbers {
  payloadType: number
  marker: boolean
  sequence: number
  timestamp: number
  ssrc: number
  payloadOctets: number
}

/** @returns the object that `readPlainRtp` fills */
export function rtpNumbers(): RtpNumbers {
  return { payloadType: 0, marker: false, sequence: 0, timestamp: 0, ssrc: 0, payloadOctets: 0 }
}

/**
 * Reads a packet with the bare header, as nearly all are, where it lies.
 * @returns false for one with CSRC, extension or padding, and for what `parseRtp` refuses; `into` is untouched then
 */
export function readPlainRtp(octets: Uint8Array, start: number, length: number, into: RtpNumbers): boolean {
  if (length < RTP_HEADER_OCTETS || length > mediaLimits.packetOctetsMax || octets[start] !== 0x80) return false
  const second = octets[start + 1] ?? 0
  if (second >= 192 && second <= 223) return false
  into.payloadType = second & 0x7f
  into.marker = second >= 0x80
  into.sequence = ((octets[start + 2] ?? 0) << 8) | (octets[start + 3] ?? 0)
  into.timestamp = readUint32(octets, start + 4)
  into.ssrc = readUint32(octets, start + 8)
  into.payloadOctets = length - RTP_HEADER_OCTETS
  return true
}

/** Writes the bare header over the one that stands at `start`. Numbers are taken modulo their field's size. */
export function rewriteRtp(
  octets: Uint8Array,
  start: number,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  octets[start] = 0x80
  octets[start + 1] = (marker ? 0x80 : 0) | (payloadType & 0x7f)
  octets[start + 2] = sequence >> 8
  octets[start + 3] = sequence
  writeUint32(octets, start + 4, timestamp)
  writeUint32(octets, start + 8, ssrc)
}

function readUint32(octets: Uint8Array, at: number): number {
  const a = octets[at] ?? 0
  const b = octets[at + 1] ?? 0
  const c = octets[at + 2] ?? 0
  return ((a << 24) | (b << 16) | (c << 8) | (octets[at + 3] ?? 0)) >>> 0
}

function writeUint32(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 24
  octets[at + 1] = value >>> 16
  octets[at + 2] = value >>> 8
  octets[at + 3] = value
}

/** A packet with the bare 12-octet header: no padding, no extension, no CSRC. Numbers are taken modulo their field's size. */
export function writeRtp(fields: RtpFields, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(RTP_HEADER_OCTETS + payload.length)
  packet[0] = 0x80
  packet[1] = (fields.marker ? 0x80 : 0) | (fields.payloadType & 0x7f)
  packet[2] = fields.sequence >> 8
  packet[3] = fields.sequence
  setUint32(packet, 4, fields.timestamp)
  setUint32(packet, 8, fields.ssrc)
  packet.set(payload, RTP_HEADER_OCTETS)
  return packet
}

// A DataView per packet would cost more than all the rest; the callers have checked the length.
function uint16(octets: Uint8Array, at: number): number {
  return ((octets[at] as number) << 8) | (octets[at + 1] as number)
}

function uint32(octets: Uint8Array, at: number): number {
  return ((uint16(octets, at) << 16) | uint16(octets, at + 2)) >>> 0
}

function setUint32(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 24
  octets[at + 1] = value >>> 16
  octets[at + 2] = value >>> 8
  octets[at + 3] = value
}
