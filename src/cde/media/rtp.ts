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

const HEADER_OCTETS = 12

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
  if (packet.length < HEADER_OCTETS) return 'short'
  if (packet.length > mediaLimits.packetOctetsMax) return 'too-long'
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength)
  const first = view.getUint8(0)
  const second = view.getUint8(1)
  if (first >> 6 !== 2) return 'version'
  // RFC 5761 4: a second octet of 192–223 is RTCP; RTP payload types 64–95 are therefore never assigned.
  if (second >= 192 && second <= 223) return 'rtcp'

  let start = HEADER_OCTETS + (first & 0x0f) * 4
  if (start > packet.length) return 'csrc-past-end'
  if ((first & 0x10) !== 0) {
    if (start + 4 > packet.length) return 'extension-past-end'
    start += 4 + view.getUint16(start + 2) * 4
    if (start > packet.length) return 'extension-past-end'
  }
  let end = packet.length
  if ((first & 0x20) !== 0) {
    // RFC 3550 5.1: the last octet counts the padding, itself included, so zero is wrong too.
    const paddingOctets = end > start ? view.getUint8(end - 1) : 0
    if (paddingOctets === 0 || start + paddingOctets > end) return 'padding-past-end'
    end -= paddingOctets
  }
  return {
    payloadType: second & 0x7f,
    marker: (second & 0x80) !== 0,
    sequence: view.getUint16(2),
    timestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
    payload: packet.subarray(start, end),
  }
}

/** A packet with the bare 12-octet header: no padding, no extension, no CSRC. Numbers are taken modulo their field's size. */
export function writeRtp(fields: RtpFields, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(HEADER_OCTETS + payload.length)
  const view = new DataView(packet.buffer)
  view.setUint8(0, 0x80)
  view.setUint8(1, (fields.marker ? 0x80 : 0) | (fields.payloadType & 0x7f))
  view.setUint16(2, fields.sequence)
  view.setUint32(4, fields.timestamp)
  view.setUint32(8, fields.ssrc)
  packet.set(payload, HEADER_OCTETS)
  return packet
}
