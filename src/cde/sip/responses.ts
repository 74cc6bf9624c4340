import { type Header, headerValue, headerValues, type SipRequest, type SipResponse } from './message.ts'
import { parseNameAddr } from './name-addr.ts'
import { paramValue } from './grammar.ts'

const REASONS: ReadonlyMap<number, string> = new Map([
  [100, 'Trying'],
  [180, 'Ringing'],
  [181, 'Call Is Being Forwarded'],
  [182, 'Queued'],
  [183, 'Session Progress'],
  [199, 'Early Dialog Terminated'],
  [200, 'OK'],
  [202, 'Accepted'],
  [400, 'Bad Request'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [406, 'Not Acceptable'],
  [408, 'Request Timeout'],
  [410, 'Gone'],
  [415, 'Unsupported Media Type'],
  [416, 'Unsupported URI Scheme'],
  [420, 'Bad Extension'],
  [480, 'Temporarily Unavailable'],
  [481, 'Call/Transaction Does Not Exist'],
  [482, 'Loop Detected'],
  [483, 'Too Many Hops'],
  [484, 'Address Incomplete'],
  [486, 'Busy Here'],
  [487, 'Request Terminated'],
  [488, 'Not Acceptable Here'],
  [491, 'Request Pending'],
  [500, 'Server Internal Error'],
  [501, 'Not Implemented'],
  [502, 'Bad Gateway'],
  [503, 'Service Unavailable'],
  [504, 'Server Time-out'],
  [505, 'Version Not Supported'],
  [600, 'Busy Everywhere'],
  [603, 'Decline'],
  [604, 'Does Not Exist Anywhere'],
  [606, 'Not Acceptable'],
])
const CLASSES = ['', 'Progress', 'OK', 'Redirected', 'Request Failed', 'Server Failed', 'Call Failed']

/** The customary phrase of a status; one for its class when it is not a common one. */
export function reasonPhrase(status: number): string {
  return REASONS.get(status) ?? CLASSES[Math.floor(status / 100)] ?? 'Unknown'
}

export interface ResponseParts {
  readonly reason?: string | undefined
  /** Added to To when the request has no tag there. */
  readonly toTag?: string | undefined
  readonly headers?: readonly Header[] | undefined
  readonly body?: Uint8Array | undefined
  readonly contentType?: string | undefined
}

/**
 * A response as RFC 3261 8.2.6 builds it: Via, From, To, Call-ID, CSeq of the request, octet for octet.
 * Of a broken request it copies what is there.
 */
export function responseTo(request: SipRequest, status: number, parts: ResponseParts = {}): SipResponse {
  const headers: Header[] = headerValues(request, 'Via').map((value) => ({ name: 'Via', value }))
  for (const name of ['From', 'To', 'Call-ID', 'CSeq'] as const) {
    const value = headerValue(request, name)
    if (value !== undefined) headers.push({ name, value: name === 'To' ? withTag(value, parts.toTag) : value })
  }
  headers.push(...(parts.headers ?? []))
  const body = parts.body ?? new Uint8Array(0)
  if (body.length > 0) headers.push({ name: 'Content-Type', value: parts.contentType ?? 'application/sdp' })
  return { kind: 'response', status, reason: parts.reason ?? reasonPhrase(status), headers, body }
}

function withTag(to: string, tag: string | undefined): string {
  if (tag === undefined) return to
  const parsed = parseNameAddr(to)
  if (typeof parsed === 'string' || paramValue(parsed.params, 'tag') !== undefined) return to
  return `${to};tag=${tag}`
}
