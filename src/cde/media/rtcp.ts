import { mediaLimits } from '../../lib/limits.ts'

export type RtcpKind = 'sr' | 'rr' | 'sdes' | 'bye' | 'app' | 'feedback' | 'xr' | 'unknown'

/** One packet of a compound datagram: only what we use of it. */
export interface RtcpPacket {
  readonly kind: RtcpKind
  /** SSRC of the sender of the packet; undefined where the packet has none */
  readonly ssrc: number | undefined
  /** Of a sender report: the middle 32 bits of its NTP time, which go back in our reports (RFC 3550 6.4.1 LSR). */
  readonly ntpMiddle: number | undefined
  /** Of a sender or receiver report: what its sender says of the sources that it hears. */
  readonly blocks: readonly ReportBlock[]
}

export type RtcpProblem = 'short' | 'too-long' | 'version' | 'not-rtcp' | 'length-past-end' | 'too-many-packets'

/** A report about one source, RFC 3550 6.4.1. */
export interface ReportBlock {
  readonly ssrc: number
  /** 0–255: lost since the last report, in 256ths */
  readonly fractionLost: number
  /** −8,388,608 to 8,388,607; duplicates make it negative */
  readonly lostPackets: number
  /** 32 bits: count of wraps and highest sequence number */
  readonly highestSequence: number
  readonly jitterSamples: number
  /** `ntpMiddle` of the source's last sender report, 0 without one */
  readonly lastReport: number
  /** Time since then in 65,536ths of a second */
  readonly sinceLastReport: number
}

/** What a sender says of itself, RFC 3550 6.4.1. */
export interface SenderInfo {
  /** Seconds and 2⁻³² seconds */
  readonly ntpSeconds: number
  readonly ntpFraction: number
  readonly timestamp: number
  readonly packets: number
  readonly octets: number
}

const SR = 200
const RR = 201
const SDES = 202
const SDES_CNAME = 1
const SENDER_INFO_OCTETS = 20
const BLOCK_OCTETS = 24

const kinds: Readonly<Record<number, RtcpKind>> = {
  [SR]: 'sr',
  [RR]: 'rr',
  [SDES]: 'sdes',
  203: 'bye',
  204: 'app',
  205: 'feedback',
  206: 'feedback',
  207: 'xr',
}

/** @param datagram a compound RTCP datagram, RFC 3550 6.1; reduced-size ones (RFC 5506) are read too */
export function parseRtcp(datagram: Uint8Array): RtcpPacket[] | RtcpProblem {
  if (datagram.length > mediaLimits.packetOctetsMax) return 'too-long'
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength)
  const packets: RtcpPacket[] = []
  for (let at = 0; at < datagram.length || at === 0; ) {
    if (at + 4 > datagram.length) return 'short'
    if (view.getUint8(at) >> 6 !== 2) return 'version'
    const type = view.getUint8(at + 1)
    // RFC 5761 4: 192–223 is RTCP, everything else on this port is not.
    if (type < 192 || type > 223) return 'not-rtcp'
    const octets = (view.getUint16(at + 2) + 1) * 4
    if (at + octets > datagram.length) return 'length-past-end'
    if (packets.length === mediaLimits.rtcpPacketsPerDatagramMax) return 'too-many-packets'
    packets.push({
      kind: kinds[type] ?? 'unknown',
      ssrc: octets >= 8 ? view.getUint32(at + 4) : undefined,
      ntpMiddle: type === SR && octets >= 28 ? view.getUint32(at + 10) : undefined,
      blocks: type === SR || type === RR ? readBlocks(view, at, octets) : [],
    })
    at += octets
  }
  return packets
}

/** As many of the blocks that the packet at `at` announces as are in it. */
function readBlocks(view: DataView, at: number, octets: number): ReportBlock[] {
  const first = 8 + (view.getUint8(at + 1) === SR ? SENDER_INFO_OCTETS : 0)
  const count = Math.min(view.getUint8(at) & 0x1f, Math.floor((octets - first) / BLOCK_OCTETS))
  return Array.from({ length: Math.max(0, count) }, (_, index) => readBlock(view, at + first + index * BLOCK_OCTETS))
}

function readBlock(view: DataView, at: number): ReportBlock {
  return {
    ssrc: view.getUint32(at),
    fractionLost: view.getUint8(at + 4),
    // 24 bits with a sign.
    lostPackets: (view.getInt32(at + 4) << 8) >> 8,
    highestSequence: view.getUint32(at + 8),
    jitterSamples: view.getUint32(at + 12),
    lastReport: view.getUint32(at + 16),
    sinceLastReport: view.getUint32(at + 20),
  }
}

/**
 * SR (with `sender`) or RR, then SDES with the CNAME, as RFC 3550 6.1 wants each compound to be.
 * @param cname 1–255 Latin-1 characters
 */
export function writeReport(
  ssrc: number,
  cname: string,
  sender: SenderInfo | undefined,
  blocks: readonly ReportBlock[],
): Uint8Array {
  const reportOctets = 8 + (sender === undefined ? 0 : SENDER_INFO_OCTETS) + blocks.length * BLOCK_OCTETS
  // RFC 3550 6.5: SSRC, item type, item length, text, then one to four zero octets up to the next 32-bit boundary.
  const sdesOctets = 4 + 4 * Math.ceil((4 + 2 + cname.length + 1) / 4)
  const bytes = new Uint8Array(reportOctets + sdesOctets)
  const view = new DataView(bytes.buffer)
  putHeader(view, 0, blocks.length, sender === undefined ? RR : SR, reportOctets, ssrc)
  let at = 8
  if (sender !== undefined) {
    view.setUint32(at, sender.ntpSeconds)
    view.setUint32(at + 4, sender.ntpFraction)
    view.setUint32(at + 8, sender.timestamp)
    view.setUint32(at + 12, sender.packets)
    view.setUint32(at + 16, sender.octets)
    at += SENDER_INFO_OCTETS
  }
  for (const block of blocks) {
    putBlock(view, at, block)
    at += BLOCK_OCTETS
  }
  putHeader(view, at, 1, SDES, sdesOctets, ssrc)
  view.setUint8(at + 8, SDES_CNAME)
  view.setUint8(at + 9, cname.length)
  for (let i = 0; i < cname.length; i++) view.setUint8(at + 10 + i, cname.charCodeAt(i))
  return bytes
}

function putHeader(view: DataView, at: number, count: number, type: number, octets: number, ssrc: number): void {
  view.setUint8(at, 0x80 | count)
  view.setUint8(at + 1, type)
  view.setUint16(at + 2, octets / 4 - 1)
  view.setUint32(at + 4, ssrc)
}

function putBlock(view: DataView, at: number, block: ReportBlock): void {
  view.setUint32(at, block.ssrc)
  view.setUint32(at + 4, ((block.fractionLost & 0xff) << 24) | (block.lostPackets & 0xff_ffff))
  view.setUint32(at + 8, block.highestSequence)
  view.setUint32(at + 12, block.jitterSamples)
  view.setUint32(at + 16, block.lastReport)
  view.setUint32(at + 20, block.sinceLastReport)
}
