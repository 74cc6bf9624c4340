import { mediaLimits } from '../../lib/limits.ts'

/** One line, `type=value`. Text holds one character per octet (Latin-1), so octets of any encoding survive unchanged. */
export interface SdpLine {
  /** one letter */
  readonly type: string
  readonly value: string
}

/** The `m=` line. */
export interface MediaLine {
  /** `audio`, `video`, `application` … */
  readonly media: string
  /** 0–65535; 0 means rejected (RFC 3264 6) */
  readonly port: number
  /** The `/2` of `m=audio 4000/2`, kept for the round trip. */
  readonly portCount: string
  readonly transport: string
  readonly formats: readonly string[]
}

export interface SdpMedia {
  readonly description: MediaLine
  /** All lines after the `m=` line, in their order. */
  readonly lines: readonly SdpLine[]
}

/** A session description. Order, unknown lines and duplicates are kept, so that what we do not touch passes unchanged. */
export interface Sdp {
  readonly session: readonly SdpLine[]
  readonly media: readonly SdpMedia[]
}

export type SdpProblem =
  | 'too-long'
  | 'too-many-lines'
  | 'too-many-media'
  | 'no-version'
  | 'line-malformed'
  | 'media-malformed'

/**
 * Reads an SDP body (RFC 8866 5) as found in the field (SIP-36): lines may end in CRLF, LF or CR, blank lines are skipped,
 * `s=`, `t=`, `o=` and `c=` may be missing, line types may be unknown. Nothing is interpreted but the `m=` lines.
 */
export function parseSdp(bytes: Uint8Array): Sdp | SdpProblem {
  if (bytes.length > mediaLimits.sdpOctetsMax) return 'too-long'
  const texts = latin1Text(bytes)
    .split(/\r\n|\n|\r/, mediaLimits.sdpLinesMax + 1)
    .filter((text) => text !== '')
  if (texts.length > mediaLimits.sdpLinesMax) return 'too-many-lines'
  // RFC 8866 5: the description starts with its version; anything else is not SDP.
  if (texts[0]?.startsWith('v=') !== true) return 'no-version'

  const session: SdpLine[] = []
  const media: { description: MediaLine; lines: SdpLine[] }[] = []
  for (const text of texts) {
    // RFC 8866 9: values hold any octet but NUL, CR and LF.
    if (!/^[A-Za-z]=/.test(text) || text.includes('\0')) return 'line-malformed'
    const line = { type: text.charAt(0), value: text.slice(2) }
    if (line.type === 'm') {
      if (media.length === mediaLimits.sdpMediaMax) return 'too-many-media'
      const description = parseMediaLine(line.value)
      if (description === undefined) return 'media-malformed'
      media.push({ description, lines: [] })
    } else {
      ;(media.at(-1)?.lines ?? session).push(line)
    }
  }
  return { session, media }
}

/** Writes the lines in their order, each ended by CRLF (RFC 8866 5). */
export function serializeSdp(sdp: Sdp): Uint8Array {
  const lines = [...sdp.session]
  for (const { description, lines: mediaLines } of sdp.media) {
    const { media, port, portCount, transport, formats } = description
    lines.push({ type: 'm', value: [media, `${port}${portCount}`, transport, ...formats].join(' ') }, ...mediaLines)
  }
  return latin1Octets(lines.map(({ type, value }) => `${type}=${value}\r\n`).join(''))
}

/** The values of all `a=name:value` lines in their order; a bare `a=name` gives ''. Trailing blanks are cut. */
export function attributeValues(lines: readonly SdpLine[], name: string): string[] {
  return lines.filter((line) => attributeName(line) === name).map(({ value }) => value.slice(name.length + 1).trim())
}

/** The name of an `a=` line; undefined for other lines. Names are case-sensitive (RFC 8866 5.13). */
export function attributeName(line: SdpLine): string | undefined {
  return line.type === 'a' ? /^[^:\s]*/.exec(line.value)?.[0] : undefined
}

function parseMediaLine(value: string): MediaLine | undefined {
  const [media, portText = '', transport, ...formats] = value.trim().split(/ +/)
  const [, port, portCount = ''] = /^(\d{1,5})(\/\d{1,5})?$/.exec(portText) ?? []
  if (media === undefined || media === '' || transport === undefined || port === undefined) return undefined
  if (Number(port) > 65_535 || formats.length === 0 || formats.length > mediaLimits.sdpFormatsMax) return undefined
  return { media, port: Number(port), portCount, transport, formats }
}

function latin1Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function latin1Octets(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'))
}
