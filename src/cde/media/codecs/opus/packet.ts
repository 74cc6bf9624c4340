/** What an Opus packet says of itself (RFC 6716 3), without decoding it. */

/** RFC 6716 3.1, table 2: frame durations by the TOC's configuration, in units of 2.5 ms. */
const silkUnits = [4, 8, 16, 24]
const hybridUnits = [4, 8]
const celtUnits = [1, 2, 4, 8]

/** RFC 6716 3.2.5 [R5]: at most 120 ms in a packet. */
const UNITS_MAX = 48

export type OpusPacketProblem = 'empty' | 'no-frame-count' | 'too-long'

export interface OpusPacket {
  readonly durationSamples48k: number
  /** A frame of discontinuous transmission (RFC 7587 3.1.3): the sender is silent and says only for how long. */
  readonly isSilent: boolean
}

export function readOpusPacket(payload: Uint8Array): OpusPacket | OpusPacketProblem {
  const [toc, countOctet] = payload
  if (toc === undefined) return 'empty'
  // RFC 6716 3.1: the two lowest bits tell one, two equal, two different, or a counted number of frames.
  const code = toc & 3
  if (code === 3 && countOctet === undefined) return 'no-frame-count'
  const frames = code === 3 ? (countOctet ?? 0) & 0x3f : code === 0 ? 1 : 2
  if (frames === 0) return 'no-frame-count'
  const units = frames * frameUnits(toc >> 3)
  if (units > UNITS_MAX) return 'too-long'
  return { durationSamples48k: units * 120, isSilent: code === 0 && payload.length === 1 }
}

function frameUnits(configuration: number): number {
  if (configuration < 12) return silkUnits[configuration & 3] ?? 0
  if (configuration < 16) return hybridUnits[configuration & 1] ?? 0
  return celtUnits[configuration & 3] ?? 0
}
