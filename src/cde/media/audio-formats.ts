/** The formats of an audio line: which payload type is which codec (RFC 8866 6.6, RFC 3551 6). */
import { type SpeechCodec, speechCodecs } from './codecs/speech-codecs.ts'
import type { G711Codec } from './g711.ts'
import { attributeValues, type SdpMedia } from './sdp.ts'

/** Names as registered; in SDP their letter case does not matter (RFC 8866 6.6). */
export type AudioCodec = SpeechCodec | 'CN' | 'telephone-event'

export interface AudioFormat {
  /** 0–127 */
  readonly payloadType: number
  readonly codec: AudioCodec
  /** Units of its RTP timestamp: for G.722 not its rate, for events that of the audio they go with (RFC 4733 2.1). */
  readonly clockHz: number
}

export interface SpeechFormat extends AudioFormat {
  readonly codec: SpeechCodec
}

/** What is negotiated unless a setting says otherwise: only what the masked line can carry. In our order of preference. */
export const defaultCodecs: readonly AudioCodec[] = ['PCMA', 'PCMU', 'telephone-event']

/** Of events and comfort noise (RFC 4733 2.1, RFC 3389 4): those of the audio that they go with. */
const companionClocksHz: readonly number[] = [8_000, 16_000, 32_000, 48_000]

// RFC 3551 6, table 4, and RFC 3389 4: these may come without rtpmap.
const staticEncodings: Readonly<Record<string, string>> = {
  '0': 'PCMU/8000',
  '8': 'PCMA/8000',
  '9': 'G722/8000',
  '13': 'CN/8000',
}

/** A format that carries speech by itself. */
export function isSpeech(format: AudioFormat): format is SpeechFormat {
  return format.codec !== 'telephone-event' && format.codec !== 'CN'
}

export function isG711(format: AudioFormat): format is AudioFormat & { readonly codec: G711Codec } {
  return format.codec === 'PCMU' || format.codec === 'PCMA'
}

/** The value of its `a=rtpmap`. */
export function rtpmapOf({ payloadType, codec, clockHz }: AudioFormat): string {
  return `${payloadType} ${codec}/${clockHz}${codec === 'opus' ? '/2' : ''}`
}

/** @returns the formats of `media` among `supported`, in the line's order */
export function readFormats(media: SdpMedia, supported: readonly AudioCodec[]): AudioFormat[] {
  const encodings = new Map<string, string>()
  for (const value of attributeValues(media.lines, 'rtpmap')) {
    const [payloadType = '', encoding = ''] = value.split(/ +/)
    // Duplicate attributes (SIP-36): the first one counts, as for formats named twice.
    if (!encodings.has(payloadType)) encodings.set(payloadType, encoding)
  }
  const formats: AudioFormat[] = []
  for (const format of new Set(media.description.formats)) {
    const known = readFormat(format, encodings.get(format) ?? staticEncodings[format] ?? '')
    if (known !== undefined && supported.includes(known.codec)) formats.push(known)
  }
  return formats
}

/** @param encoding `name/clock` or `name/clock/channels` (RFC 8866 6.6) */
function readFormat(payloadTypeText: string, encoding: string): AudioFormat | undefined {
  if (!/^\d{1,3}$/.test(payloadTypeText)) return undefined
  const payloadType = Number(payloadTypeText)
  // RFC 5761 4: types 64–95 cannot be told from RTCP.
  if (payloadType > 127 || (payloadType >= 64 && payloadType <= 95)) return undefined
  const [, name = '', clock = '', channels = '1'] = /^([^/]+)\/(\d{1,6})(?:\/(\d))?$/.exec(encoding) ?? []
  const clockHz = Number(clock)
  const codec = codecNamed(name)
  // RFC 7587 7: Opus is always named with two channels, whatever it carries.
  if (codec === undefined || channels !== (codec === 'opus' ? '2' : '1')) return undefined
  if (codec === 'CN' || codec === 'telephone-event') {
    return companionClocksHz.includes(clockHz) ? { payloadType, codec, clockHz } : undefined
  }
  return clockHz === speechCodecs[codec].clockHz ? { payloadType, codec, clockHz } : undefined
}

// RFC 4733 7.1.1: without fmtp the events are 0–15, all that we need, so fmtp is not looked at.
const codecsByName = new Map<string, AudioCodec>(
  (['PCMU', 'PCMA', 'G722', 'opus', 'CN', 'telephone-event'] as const).map((codec) => [codec.toLowerCase(), codec]),
)

function codecNamed(name: string): AudioCodec | undefined {
  return codecsByName.get(name.toLowerCase())
}
