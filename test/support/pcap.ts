/**
 * Writes the RTP that a caller sends as a pcap file, for SIPp's play_pcap_audio, and reads the RTP out of one.
 * SIPp sends the UDP payloads at the times of the file, from and to the ports of its own call.
 */
import { encodeG711 } from '../../src/lib/g711.ts'
import type { CallAudio, EventPress } from './call-audio.ts'

const PACKET_SAMPLES = 160
const PACKET_MICROS = 20_000
const TYPE_PCMA = 8
const TYPE_EVENT = 101
const END_PACKETS = 3

export interface PcapPacket {
  /** Time since the first packet. */
  readonly atMicros: number
  readonly rtp: Uint8Array
  /** UDP ports, source first; 10,000 when missing. */
  readonly ports?: readonly [number, number]
}

export interface EventStyle {
  /** Whether audio packets go on beside the event packets, or stop for the time of the press. */
  readonly audio: 'beside' | 'stops'
  /** Whether the three end packets count on in sequence (RFC 4733 2.5.1.4) or repeat one number, as some senders do. */
  readonly endSequence: 'counts' | 'repeats'
  /** Recorded packets of one press, by event number: sent instead of ours, on our stream. */
  readonly recorded?: ReadonlyMap<number, readonly PcapPacket[]>
}

/** The packets of a call: A-law audio and RFC 4733 events of one stream (same SSRC, one sequence). */
export function rtpPackets(call: CallAudio, style: EventStyle): PcapPacket[] {
  const alaw = encodeG711('PCMA', call.samples)
  const stream = new Stream()
  for (let at = 0; at + PACKET_SAMPLES <= alaw.length; at += PACKET_SAMPLES) {
    const press = call.presses.find((p) => p.fromSample < at + PACKET_SAMPLES && p.toSample > at)
    if (press === undefined || style.audio === 'beside') {
      stream.send(at, TYPE_PCMA, false, at, alaw.subarray(at, at + PACKET_SAMPLES))
    }
    if (press === undefined) continue
    const recorded = style.recorded?.get(press.event)
    if (recorded === undefined) sendEvent(stream, press, at, style)
    else if (at <= press.fromSample) stream.replay(recorded, at)
  }
  return stream.packets.sort((a, b) => a.atMicros - b.atMicros)
}

function sendEvent(stream: Stream, press: EventPress, at: number, style: EventStyle): void {
  const elapsed = Math.min(at + PACKET_SAMPLES, press.toSample) - press.fromSample
  const isFirst = at <= press.fromSample
  const isEnd = at + PACKET_SAMPLES >= press.toSample
  for (let i = 0; i < (isEnd ? END_PACKETS : 1); i++) {
    const payload = new Uint8Array(4)
    const view = new DataView(payload.buffer)
    view.setUint8(0, press.event)
    // RFC 4733 2.3: end bit, reserved bit, six bits of volume in −dBm0.
    view.setUint8(1, (isEnd ? 0x80 : 0) | 10)
    view.setUint16(2, elapsed)
    if (i > 0 && style.endSequence === 'repeats') stream.repeatSequence()
    stream.send(at, TYPE_EVENT, isFirst && i === 0, press.fromSample, payload)
  }
}

class Stream {
  readonly packets: PcapPacket[] = []
  #sequence = 4_711
  readonly #ssrc = 0x70_65_65_72
  readonly #timestampBase = 160_000

  repeatSequence(): void {
    this.#sequence--
  }

  /** Sends recorded packets as they are, from `at` on: only SSRC, timestamp and the start of the sequence become ours. */
  replay(recorded: readonly PcapPacket[], at: number): void {
    const first = recorded[0]?.rtp
    if (first === undefined) return
    const firstSequence = viewOf(first).getUint16(2)
    const base = this.#sequence
    for (const { atMicros, rtp } of recorded) {
      const sequence = base + ((viewOf(rtp).getUint16(2) - firstSequence) & 0xffff)
      const copy = Uint8Array.from(rtp)
      viewOf(copy).setUint16(2, sequence & 0xffff)
      viewOf(copy).setUint32(4, this.#timestampBase + at)
      viewOf(copy).setUint32(8, this.#ssrc)
      this.packets.push({ atMicros: (at / PACKET_SAMPLES) * PACKET_MICROS + atMicros, rtp: copy })
      this.#sequence = sequence + 1
    }
  }

  send(at: number, payloadType: number, marker: boolean, timestamp: number, payload: Uint8Array): void {
    const rtp = new Uint8Array(12 + payload.length)
    const view = new DataView(rtp.buffer)
    view.setUint8(0, 0x80)
    view.setUint8(1, (marker ? 0x80 : 0) | payloadType)
    view.setUint16(2, this.#sequence++ & 0xffff)
    view.setUint32(4, this.#timestampBase + timestamp)
    view.setUint32(8, this.#ssrc)
    rtp.set(payload, 12)
    this.packets.push({ atMicros: (at / PACKET_SAMPLES) * PACKET_MICROS, rtp })
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const GLOBAL_OCTETS = 24
const RECORD_OCTETS = 16
const FRAME_OCTETS = 14 + 20 + 8

/** A classic pcap file of Ethernet frames with IPv4 and UDP around each packet; SIPp looks at nothing but the UDP payload. */
export function writePcap(packets: readonly PcapPacket[]): Uint8Array {
  const octets = packets.reduce((sum, { rtp }) => sum + RECORD_OCTETS + FRAME_OCTETS + rtp.length, GLOBAL_OCTETS)
  const file = new Uint8Array(octets)
  const view = new DataView(file.buffer)
  view.setUint32(0, 0xa1b2c3d4, true)
  view.setUint16(4, 2, true)
  view.setUint16(6, 4, true)
  view.setUint32(16, 65_535, true)
  view.setUint32(20, 1, true)
  let at = GLOBAL_OCTETS
  for (const { atMicros, rtp, ports } of packets) {
    const frameOctets = FRAME_OCTETS + rtp.length
    view.setUint32(at, 1_000_000 + Math.floor(atMicros / 1_000_000), true)
    view.setUint32(at + 4, atMicros % 1_000_000, true)
    view.setUint32(at + 8, frameOctets, true)
    view.setUint32(at + 12, frameOctets, true)
    writeFrame(view, at + RECORD_OCTETS, rtp.length, ports)
    file.set(rtp, at + RECORD_OCTETS + FRAME_OCTETS)
    at += RECORD_OCTETS + frameOctets
  }
  return file
}

function writeFrame(
  view: DataView,
  at: number,
  payloadOctets: number,
  [from, to]: readonly [number, number] = [10_000, 10_000],
): void {
  view.setUint16(at + 12, 0x0800) // EtherType IPv4
  const ip = at + 14
  view.setUint16(ip, 0x4500)
  view.setUint16(ip + 2, 28 + payloadOctets)
  view.setUint16(ip + 8, 0x4011) // TTL 64, UDP
  view.setUint32(ip + 12, 0x7f000001)
  view.setUint32(ip + 16, 0x7f000001)
  const udp = ip + 20
  view.setUint16(udp, from)
  view.setUint16(udp + 2, to)
  view.setUint16(udp + 4, 8 + payloadOctets)
}

/** The UDP payloads of a classic little-endian pcap file of Ethernet frames with plain IPv4 headers. */
export function readPcap(file: Uint8Array): PcapPacket[] {
  const view = viewOf(file)
  if (view.getUint32(0, true) !== 0xa1b2c3d4 || view.getUint32(20, true) !== 1) throw new Error('not such a pcap file')
  const packets: PcapPacket[] = []
  let firstMicros: number | undefined
  for (let at = GLOBAL_OCTETS; at < file.length; ) {
    const micros = view.getUint32(at, true) * 1_000_000 + view.getUint32(at + 4, true)
    const frameOctets = view.getUint32(at + 8, true)
    const udp = at + RECORD_OCTETS + 14 + 20
    // Short frames are padded: the UDP length says how much is meant.
    const rtp = Uint8Array.from(file.subarray(udp + 8, udp + view.getUint16(udp + 4)))
    firstMicros ??= micros
    packets.push({ atMicros: micros - firstMicros, rtp })
    at += RECORD_OCTETS + frameOctets
  }
  return packets
}
