import { decodeG711 } from './g711.ts'
import { wavLimits } from './limits.ts'

export interface Wav {
  readonly rateHz: number
  /** Number of channels, equal to `samples.length`. */
  readonly channels: number
  /** One array per channel, all of the same length. */
  readonly samples: readonly Int16Array[]
}

export type WavProblem = 'not-wav' | 'no-format' | 'format-unsupported' | 'no-data' | 'too-long'

interface Format {
  readonly coding: 'pcm16' | 'PCMA' | 'PCMU'
  readonly channels: number
  readonly rateHz: number
}

// Format tags of the RIFF registry (RFC 2361 and the WAVEFORMATEXTENSIBLE description).
const TAG_PCM = 1
const TAG_ALAW = 6
const TAG_MULAW = 7
const TAG_EXTENSIBLE = 0xfffe

/**
 * Reads a RIFF/WAVE file: PCM of 16 bits, A-law or µ-law, any number of channels up to the limit. Unknown chunks are skipped.
 * A `data` chunk that claims more than the file holds is read to the end of the file: tools that write to a pipe leave such sizes.
 */
export function parseWav(bytes: Uint8Array): Wav | WavProblem {
  if (bytes.length > wavLimits.octetsMax) return 'too-long'
  if (fourCc(bytes, 0) !== 'RIFF' || fourCc(bytes, 8) !== 'WAVE') return 'not-wav'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let format: Format | 'format-unsupported' | undefined
  for (let at = 12, chunks = 0; at + 8 <= bytes.length && chunks < wavLimits.chunksMax; chunks++) {
    const id = fourCc(bytes, at)
    const octets = view.getUint32(at + 4, true)
    const body = bytes.subarray(at + 8, Math.min(at + 8 + octets, bytes.length))
    if (id === 'fmt ') format = readFormat(body)
    if (id === 'data') {
      if (format === undefined) return 'no-format'
      return format === 'format-unsupported' ? format : readSamples(body, format)
    }
    // Chunks begin at even offsets.
    at += 8 + octets + (octets & 1)
  }
  return format === undefined ? 'no-format' : 'no-data'
}

/**
 * Writes 16-bit PCM. Shorter channels are filled up with silence.
 * @param channels one array per channel, at least one
 */
export function writeWav(channels: readonly Int16Array[], rateHz: number): Uint8Array {
  const frames = Math.max(0, ...channels.map((samples) => samples.length))
  const frameOctets = channels.length * 2
  const dataOctets = frames * frameOctets
  const bytes = new Uint8Array(44 + dataOctets)
  const view = new DataView(bytes.buffer)
  putText(bytes, 0, 'RIFF')
  view.setUint32(4, 36 + dataOctets, true)
  putText(bytes, 8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, TAG_PCM, true)
  view.setUint16(22, channels.length, true)
  view.setUint32(24, rateHz, true)
  view.setUint32(28, rateHz * frameOctets, true)
  view.setUint16(32, frameOctets, true)
  view.setUint16(34, 16, true)
  putText(bytes, 36, 'data')
  view.setUint32(40, dataOctets, true)
  for (const [channel, samples] of channels.entries()) {
    for (let i = 0; i < samples.length; i++) view.setInt16(44 + i * frameOctets + channel * 2, samples[i] ?? 0, true)
  }
  return bytes
}

function readFormat(chunk: Uint8Array): Format | 'format-unsupported' {
  if (chunk.length < 16) return 'format-unsupported'
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  let tag = view.getUint16(0, true)
  // WAVEFORMATEXTENSIBLE: the first two octets of the sub-format's GUID are the real tag.
  if (tag === TAG_EXTENSIBLE && chunk.length >= 26) tag = view.getUint16(24, true)
  const channels = view.getUint16(2, true)
  const rateHz = view.getUint32(4, true)
  const sampleBits = view.getUint16(14, true)
  if (channels < 1 || channels > wavLimits.channelsMax) return 'format-unsupported'
  if (rateHz < 1 || rateHz > wavLimits.rateHzMax) return 'format-unsupported'
  if (tag === TAG_PCM && sampleBits === 16) return { coding: 'pcm16', channels, rateHz }
  if (tag === TAG_ALAW && sampleBits === 8) return { coding: 'PCMA', channels, rateHz }
  if (tag === TAG_MULAW && sampleBits === 8) return { coding: 'PCMU', channels, rateHz }
  return 'format-unsupported'
}

function readSamples(data: Uint8Array, format: Format): Wav {
  const { channels, rateHz } = format
  const interleaved = format.coding === 'pcm16' ? readPcm16(data) : decodeG711(format.coding, data)
  const frames = Math.floor(interleaved.length / channels)
  const samples = Array.from({ length: channels }, (_, channel) =>
    Int16Array.from({ length: frames }, (__, frame) => interleaved[frame * channels + channel] ?? 0),
  )
  return { rateHz, channels, samples }
}

function readPcm16(data: Uint8Array): Int16Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  return Int16Array.from({ length: data.length >> 1 }, (_, i) => view.getInt16(i * 2, true))
}

function fourCc(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4))
}

function putText(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i)
}
