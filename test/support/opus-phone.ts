/**
 * Opus as other phones send it: variable rate, copies of the frame before (in-band FEC), pauses left out (DTX), frames of any length.
 * Our own encoder does none of these; libopus is told directly here.
 */
import { opusNative, type OpusHandler } from '../../src/cde/media/codecs/opus/native.ts'
import { OpusDecoder } from '../../src/cde/media/codecs/opus/opus.ts'
import type { AudioFormat } from '../../src/cde/media/audio-formats.ts'
import { parseRtp, writeRtp } from '../../src/cde/media/rtp.ts'
import { fromBaseRate } from '../../src/cde/media/resample.ts'
import type { TimedPacket } from './dtmf-call.ts'

export const OPUS_TYPE = 111
export const opusFormats: readonly AudioFormat[] = [
  { payloadType: OPUS_TYPE, codec: 'opus', clockHz: 48_000 },
  { payloadType: 110, codec: 'telephone-event', clockHz: 48_000 },
]

export interface OpusSettings {
  /** 10, 20, 40 or 60 */
  readonly frameMs?: number
  readonly bitrate?: number
  /** Copies of the frame before, as for a network that loses a fifth. */
  readonly fec?: boolean
  readonly dtx?: boolean
  readonly ssrc?: number
  /** Near their wrap by default. */
  readonly timestamp?: number
  readonly sequence?: number
}

// Requests of libopus, `opus_defines.h`.
const SET_APPLICATION = 4_000
const APPLICATION_VOIP = 2_048
const SET_BITRATE = 4_002
const SET_VBR = 4_006
const SET_INBAND_FEC = 4_012
const SET_PACKET_LOSS_PERC = 4_014
const SET_DTX = 4_016

/** The samples, 8 kHz, as RTP packets of 48 kHz Opus, each leaving when its first sample is due. */
export function packetizeOpus(samples: Int16Array, settings: OpusSettings = {}): TimedPacket[] {
  const { frameMs = 20, ssrc = 1, timestamp = 0xffff_0000, sequence = 65_500 } = settings
  const handler = opusNative().open('encoder', 48_000)
  if (handler === undefined) throw new Error('no Opus encoder left')
  configure(handler, settings)
  const full = fromBaseRate(samples, 48_000, 6 * samples.length)
  const frame = frameMs * 48
  const payload = new Uint8Array(1_500)
  const packets: TimedPacket[] = []
  for (let index = 0; (index + 1) * frame <= full.length; index++) {
    const octets = opusNative().encode(handler, full.subarray(index * frame, (index + 1) * frame), payload)
    // DTX: what is not worth sending comes as one octet or two, and is not sent.
    if (octets <= 2) continue
    const fields = {
      payloadType: OPUS_TYPE,
      marker: index === 0,
      sequence: (sequence + index) & 0xffff,
      timestamp: (timestamp + index * frame) >>> 0,
      ssrc,
    }
    packets.push({ atMs: index * frameMs, packet: writeRtp(fields, payload.slice(0, octets)) })
  }
  opusNative().close('encoder', 48_000, handler)
  return packets
}

/** What a listener's Opus decoder makes of our packets, at 16 kHz. Packets of other types are left out. */
export function heardOpus(packets: readonly TimedPacket[]): Int16Array {
  const decoder = new OpusDecoder(16_000)
  const samples = new Int16Array(1_920)
  const pieces: number[] = []
  for (const { packet } of packets) {
    const rtp = parseRtp(packet)
    if (typeof rtp === 'string' || rtp.payloadType !== OPUS_TYPE) continue
    const count = decoder.decode(rtp.payload, samples)
    if (typeof count === 'string') throw new Error(`our own Opus packet is ${count}`)
    pieces.push(...samples.subarray(0, count))
  }
  decoder.close()
  return Int16Array.from(pieces)
}

function configure(handler: OpusHandler, settings: OpusSettings): void {
  handler._encoder_ctl(SET_APPLICATION, APPLICATION_VOIP)
  handler._encoder_ctl(SET_BITRATE, settings.bitrate ?? 32_000)
  handler._encoder_ctl(SET_VBR, 1)
  handler._encoder_ctl(SET_INBAND_FEC, settings.fec === true ? 1 : 0)
  handler._encoder_ctl(SET_PACKET_LOSS_PERC, settings.fec === true ? 20 : 0)
  handler._encoder_ctl(SET_DTX, settings.dtx === true ? 1 : 0)
}
