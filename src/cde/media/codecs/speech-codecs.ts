/** The speech codecs we know, by their names in SDP. */
import { opusDuration48k } from './opus/packet.ts'

/** Encoding names as registered (RFC 3551 6, RFC 7587 7). */
export type SpeechCodec = 'PCMU' | 'PCMA' | 'G722' | 'opus'

export interface SpeechCodecTraits {
  /** Units of the RTP timestamp. RFC 3551 4.5.2: G.722's 8,000 is an old mistake that stays; RFC 7587 4.1: Opus' is fixed. */
  readonly clockHz: number
  /** Rate of the samples of our coders. */
  readonly sampleRateHz: 8_000 | 16_000
  /** `a=rtpmap` after the payload type. */
  readonly encoding: string
  /** What we offer it as: the static type (RFC 3551 6), or a dynamic one of ours. */
  readonly payloadType: number
}

export const speechCodecs: Readonly<Record<SpeechCodec, SpeechCodecTraits>> = {
  PCMU: { clockHz: 8_000, sampleRateHz: 8_000, encoding: 'PCMU/8000', payloadType: 0 },
  PCMA: { clockHz: 8_000, sampleRateHz: 8_000, encoding: 'PCMA/8000', payloadType: 8 },
  G722: { clockHz: 8_000, sampleRateHz: 16_000, encoding: 'G722/8000', payloadType: 9 },
  // RFC 7587 7: always two channels in the name, whatever is sent.
  opus: { clockHz: 48_000, sampleRateHz: 16_000, encoding: 'opus/48000/2', payloadType: 111 },
}

/** How far the RTP timestamp moves with so many samples of our coders. */
export function clockUnits(codec: SpeechCodec, samples: number): number {
  const { clockHz, sampleRateHz } = speechCodecs[codec]
  return (samples * clockHz) / sampleRateHz
}

/**
 * How long one payload lasts, from its octets alone.
 * @param start of the payload in `octets`
 * @returns units of the codec's RTP clock; 0 for an Opus payload that is none
 */
export function durationUnits(codec: SpeechCodec, octets: Uint8Array, start: number, length: number): number {
  // G.711 and G.722 at 64 kbit/s: one octet for each unit of 8 kHz (RFC 3551 4.5.2, 4.5.14).
  return codec === 'opus' ? opusDuration48k(octets, start, length) : length
}
