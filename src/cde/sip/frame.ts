import { sipLimits } from '../../lib/limits.ts'
import { isToken, parseNumber } from './grammar.ts'
import { type Header, headerValues, type SipMessage } from './message.ts'

/** What can be wrong with the outside of a message. */
export type FrameProblem =
  | 'keep-alive' // only line ends: RFC 5626 3.5.1
  | 'too-large'
  | 'start-line'
  | 'version'
  | 'header-syntax'
  | 'header-too-long'
  | 'too-many-headers'
  | 'unfinished-headers'
  | 'content-length'

interface Frame {
  readonly message: SipMessage | undefined
  readonly problem: FrameProblem | undefined
}

const REQUEST_LINE = /^([A-Za-z0-9\-.!%*_+`'~]+) (\S+) SIP\/2\.0$/i
const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d)(?: ([^]*))?$/i
const HEADER_LINE = /^([A-Za-z0-9\-.!%*_+`'~]+)[ \t]*:([^]*)$/
const EMPTY = new Uint8Array(0)

/** Splits a datagram into start line, headers and body (RFC 3261 7, 18.3). Never throws. */
export function readFrame(datagram: Uint8Array): Frame {
  if (datagram.length > sipLimits.messageOctetsMax) return { message: undefined, problem: 'too-large' }
  const head = readHead(datagram)
  const [startLine, ...headerLines] = head.lines
  if (startLine === undefined) return { message: undefined, problem: 'keep-alive' }
  const headers: Header[] = []
  let problem = readHeaders(headerLines, headers)
  if (head.bodyAt === undefined) problem ??= 'unfinished-headers'
  const body = readBody(datagram, head.bodyAt, headers)
  if (typeof body === 'string') problem ??= body
  const start = readStartLine(startLine, headers, typeof body === 'string' ? EMPTY : body)
  return { message: start.message, problem: start.problem ?? problem }
}

/**
 * Finds the unfolded lines of the head, and where the body begins. Only the head is ever turned into text: an INFO body
 * may hold a key press, and a string cannot be wiped.
 */
function readHead(datagram: Uint8Array): { lines: string[]; bodyAt: number | undefined } {
  const lines: string[] = []
  let at = 0
  for (let count = 0; at < datagram.length && count < sipLimits.headLinesMax; count++) {
    const lineFeedAt = datagram.indexOf(10, at)
    const end = lineFeedAt === -1 ? datagram.length : lineFeedAt
    const line = latin1(datagram, at, end > at && datagram[end - 1] === 13 ? end - 1 : end)
    at = end + 1
    if (line === '') {
      // RFC 3261 7.5: empty lines before the start line are ignored.
      if (lines.length > 0) return { lines, bodyAt: at }
    } else if (/^[ \t]/.test(line) && lines.length > 1) lines.push(`${lines.pop()} ${line.trim()}`)
    else lines.push(line)
  }
  return { lines, bodyAt: undefined }
}

function latin1(octets: Uint8Array, from: number, to: number): string {
  return Buffer.from(octets.buffer, octets.byteOffset + from, to - from).toString('latin1')
}

function readHeaders(lines: readonly string[], headers: Header[]): FrameProblem | undefined {
  let problem: FrameProblem | undefined
  for (const line of lines) {
    if (headers.length >= sipLimits.headersMax) return problem ?? 'too-many-headers'
    const match = HEADER_LINE.exec(line)
    if (match === null || line.includes('\r')) problem ??= 'header-syntax'
    else if (line.length > sipLimits.headerOctetsMax) problem ??= 'header-too-long'
    else headers.push({ name: match[1] ?? '', value: (match[2] ?? '').trim() })
  }
  return problem
}

/**
 * A copy (Buffer's own slice would not be one). RFC 3261 18.3: over UDP the body ends with Content-Length, or with the
 * datagram when there is none.
 */
function readBody(datagram: Uint8Array, at: number | undefined, headers: readonly Header[]): Uint8Array | FrameProblem {
  if (at === undefined) return EMPTY
  const lengths = headerValues({ headers }, 'Content-Length')
  if (lengths.length > 1) return 'content-length'
  const available = datagram.length - at
  const length = lengths[0] === undefined ? available : parseNumber(lengths[0], available)
  return length === undefined ? 'content-length' : new Uint8Array(datagram.subarray(at, at + length))
}

function readStartLine(line: string, headers: readonly Header[], body: Uint8Array): Frame {
  const status = STATUS_LINE.exec(line)
  if (status !== null) {
    const message = { kind: 'response', status: Number(status[1]), reason: status[2] ?? '', headers, body } as const
    return { message, problem: undefined }
  }
  const request = REQUEST_LINE.exec(line)
  if (request === null) return readRoughStartLine(line, headers, body)
  const [, method = '', uri = ''] = request
  return { message: { kind: 'request', method, uri, headers, body }, problem: undefined }
}

/** A faulty request line that still tells its method, so that it can be answered: 505 or 400. */
function readRoughStartLine(line: string, headers: readonly Header[], body: Uint8Array): Frame {
  // Split, not matched: a pattern with two runs of blanks takes quadratic time on a datagram full of them.
  const words = line.split(/[ \t]+/).filter((word) => word !== '')
  const [method = ''] = words
  const version = /^SIP\/(\d{1,9}\.\d{1,9})$/i.exec(words.at(-1) ?? '')?.[1]
  if (!isToken(method) || words.length < 3 || version === undefined)
    return { message: undefined, problem: 'start-line' }
  const message = { kind: 'request', method, uri: words.slice(1, -1).join(' '), headers, body } as const
  return { message, problem: version === '2.0' ? 'start-line' : 'version' }
}
