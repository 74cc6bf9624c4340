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
  const frames = frameCount(toc, countOctet)
  if (frames === 0) return 'no-frame-count'
  const units = frames * frameUnits(toc >> 3)
  if (units > UNITS_MAX) return 'too-long'
  return { durationSamples48k: units * 120, isSilent: (toc & 3) === 0 && payload.length === 1 }
}

/**
 * For packets that cross untouched: no object for each.
 * @param start of the payload in `octets`
 * @returns how long the packet lasts at 48 kHz; 0 where `readOpusPacket` names a problem
 */
export function opusDuration48k(octets: Uint8Array, start: number, length: number): number {
  if (length === 0) return 0
  const toc = octets[start] ?? 0
  const units = frameCount(toc, length > 1 ? octets[start + 1] : undefined) * frameUnits(toc >> 3)
  return units > UNITS_MAX ? 0 : units * 120
}

/** RFC 6716 3.1: the two lowest bits tell one, two equal, two different, or a counted number of frames. @returns 0 for none */
function frameCount(toc: number, countOctet: number | undefined): number {
  const code = toc & 3
  if (code === 3) return (countOctet ?? 0) & 0x3f
  return code === 0 ? 1 : 2
}

function frameUnits(configuration: number): number {
  if (configuration < 12) return silkUnits[configuration & 3] ?? 0
  if (configuration < 16) return hybridUnits[configuration & 1] ?? 0
  return celtUnits[configuration & 3] ?? 0
}
