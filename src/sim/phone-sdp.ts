/** The session description of a simulated phone: one G.711 audio stream with telephone-event. */
import { type AudioFormat, type AudioSession, type Direction, readAudio } from '../cde/media/audio-session.ts'
import type { G711Codec } from '../cde/media/g711.ts'
import { parseSdp } from '../cde/media/sdp.ts'
import type { Address } from '../lib/address.ts'

const KNOWN: readonly AudioFormat[] = [
  { payloadType: 8, codec: 'PCMA', clockHz: 8_000 },
  { payloadType: 0, codec: 'PCMU', clockHz: 8_000 },
  { payloadType: 101, codec: 'telephone-event', clockHz: 8_000 },
]

/** What this phone offers. @param codecs in order of preference */
export function ownFormats(codecs: readonly G711Codec[], withEvents: boolean): AudioFormat[] {
  const audio = codecs.flatMap((codec) => KNOWN.filter((format) => format.codec === codec))
  return withEvents ? [...audio, ...KNOWN.filter(({ codec }) => codec === 'telephone-event')] : audio
}

/** RFC 3264 6.1: an answer keeps the offer's order and payload type numbers. */
function commonFormats(offered: readonly AudioFormat[], own: readonly AudioFormat[]): AudioFormat[] {
  return offered.filter(({ codec, clockHz }) =>
    own.some((format) => format.codec === codec && format.clockHz === clockHz),
  )
}

/** RFC 3264 6.1: what answers a direction. */
export function answeringDirection(offered: Direction): Direction {
  if (offered === 'sendonly') return 'recvonly'
  if (offered === 'recvonly') return 'sendonly'
  return offered
}

/** @param version counts up with every description of the same session (RFC 8866 5.2) */
export function writePhoneSdp(
  local: Address,
  formats: readonly AudioFormat[],
  direction: Direction,
  version: number,
): Uint8Array {
  const family = local.host.includes(':') ? 'IP6' : 'IP4'
  const lines = [
    'v=0',
    `o=phone 1 ${version} IN ${family} ${local.host}`,
    's=-',
    `c=IN ${family} ${local.host}`,
    't=0 0',
    `m=audio ${local.port} RTP/AVP ${formats.map(({ payloadType }) => payloadType).join(' ')}`,
    ...formats.map(({ payloadType, codec, clockHz }) => `a=rtpmap:${payloadType} ${codec}/${clockHz}`),
    ...formats.filter(({ codec }) => codec === 'telephone-event').map((format) => `a=fmtp:${format.payloadType} 0-16`),
    'a=ptime:20',
    `a=${direction}`,
  ]
  return new TextEncoder().encode(`${lines.join('\r\n')}\r\n`)
}

/**
 * The peer's audio, with only those formats that this phone speaks too.
 * @returns undefined when the body holds no audio, or none in a common codec
 */
export function readPhoneSdp(body: Uint8Array, own: readonly AudioFormat[]): AudioSession | undefined {
  const sdp = parseSdp(body)
  if (typeof sdp === 'string') return undefined
  // These phones speak RTP in the clear only.
  if (sdp.media.some(({ description }) => description.port !== 0 && description.transport.includes('SAVP')))
    return undefined
  const audio = readAudio(sdp)
  if (typeof audio === 'string') return undefined
  const formats = commonFormats(audio.formats, own)
  return formats.some(({ codec }) => codec !== 'telephone-event') ? { ...audio, formats } : undefined
}
