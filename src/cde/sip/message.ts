import { checkMessage, type HeaderProblem } from './check.ts'
import { type FrameProblem, readFrame } from './frame.ts'

/**
 * One header field. `name` as received, `value` unfolded and trimmed; both are octet strings (one char = one octet).
 */
export interface Header {
  readonly name: string
  readonly value: string
}

export interface SipRequest {
  readonly kind: 'request'
  readonly method: string
  readonly uri: string
  readonly headers: readonly Header[]
  /** A copy: it does not share memory with the datagram. Empty when there is none. */
  readonly body: Uint8Array
}

export interface SipResponse {
  readonly kind: 'response'
  readonly status: number
  readonly reason: string
  readonly headers: readonly Header[]
  readonly body: Uint8Array
}

export type SipMessage = SipRequest | SipResponse

export type ParseProblem = FrameProblem | HeaderProblem

/** What could be read, and the first thing wrong with it. With both, a request can still be answered (400). */
export interface Reading {
  readonly message: SipMessage | undefined
  readonly problem: ParseProblem | undefined
}

/**
 * Reads one datagram as far as it goes: start line, headers, body, and the headers RFC 3261 8.1.1 wants. Never throws.
 */
export function readMessage(datagram: Uint8Array): Reading {
  const frame = readFrame(datagram)
  if (frame.message === undefined || frame.problem !== undefined) return frame
  return { message: frame.message, problem: checkMessage(frame.message) }
}

/** Parses one datagram that holds one SIP message (RFC 3261 7, 18.3). Never throws. */
export function parseMessage(datagram: Uint8Array): SipMessage | ParseProblem {
  const { message, problem } = readMessage(datagram)
  return problem ?? message ?? 'start-line'
}

/**
 * Writes a message. Headers keep their order and octets; Content-Length is set to what the body has. Line breaks
 * inside a value become blanks, so that no value can smuggle in a header of its own.
 */
export function serializeMessage(message: SipMessage): Uint8Array {
  const lines = [
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`,
  ]
  let lengthWritten = false
  for (const { name, value } of message.headers) {
    const isLength = sameHeader(name, 'Content-Length')
    if (isLength && lengthWritten) continue
    lines.push(`${name}: ${isLength ? message.body.length : value}`)
    lengthWritten ||= isLength
  }
  if (!lengthWritten) lines.push(`Content-Length: ${message.body.length}`)
  const head = lines.map((line) => line.replaceAll(/[\r\n]+/g, ' ')).join('\r\n')
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), message.body])
}

// RFC 3261 7.3.3 and 20: the compact forms that a UA meets; the rest of the registry is not read by us.
const COMPACT: ReadonlyMap<string, string> = new Map([
  ['v', 'via'],
  ['f', 'from'],
  ['t', 'to'],
  ['i', 'call-id'],
  ['m', 'contact'],
  ['c', 'content-type'],
  ['e', 'content-encoding'],
  ['l', 'content-length'],
  ['k', 'supported'],
  ['s', 'subject'],
  ['r', 'refer-to'],
  ['b', 'referred-by'],
  ['x', 'session-expires'],
  ['o', 'event'],
  ['u', 'allow-events'],
])

/** The long, lower-case form of a header name. */
export function longName(name: string): string {
  const lower = name.toLowerCase()
  return COMPACT.get(lower) ?? lower
}

/** True when both name the same header, compact forms included. */
export function sameHeader(a: string, b: string): boolean {
  return longName(a) === longName(b)
}

/** All values of a header, in order, one per header line. */
export function headerValues(message: { readonly headers: readonly Header[] }, name: string): string[] {
  const wanted = longName(name)
  return message.headers.filter((header) => longName(header.name) === wanted).map((header) => header.value)
}

/** The first value of a header. */
export function headerValue(message: { readonly headers: readonly Header[] }, name: string): string | undefined {
  const wanted = longName(name)
  return message.headers.find((header) => longName(header.name) === wanted)?.value
}
