import { ALLOW, mediaType } from './core.ts'
import { cseqOf, type HeaderProblem } from './check.ts'
import type { FrameProblem } from './frame.ts'
import { type Header, headerValue, headerValues, type SipRequest } from './message.ts'
import { topVia } from './transactions.ts'
import { parseUri } from './uri.ts'
import { BRANCH_COOKIE } from './via.ts'

export interface Refusal {
  readonly status: number
  readonly headers: readonly Header[]
}

const SERVED: ReadonlySet<string> = new Set(['INVITE', 'BYE', 'OPTIONS', 'INFO', 'UPDATE'])
// RFC 3261 8.2.1: methods that exist but are not served get 405; methods nobody knows get 501.
const NOT_SERVED: ReadonlySet<string> = new Set(
  'REGISTER SUBSCRIBE NOTIFY PUBLISH MESSAGE REFER PRACK ACK CANCEL'.split(' '),
)
/** What can be called: phone numbers as URIs, and the emergency URNs of RFC 5031 (SIP-28), besides SIP itself. */
const SCHEMES: ReadonlySet<string> = new Set(['sip', 'sips', 'tel', 'urn'])
const ALLOWED: Header = { name: 'Allow', value: ALLOW }
const SDP_ONLY: Header = { name: 'Accept', value: 'application/sdp' }

/** The answer to a request whose text is broken. */
export function syntaxRefusal(problem: FrameProblem | HeaderProblem): number {
  return problem === 'version' ? 505 : 400
}

/** The inspections of RFC 3261 8.2 that need nothing but the request; the first that fails decides. */
export function refusalOf(request: SipRequest): Refusal | undefined {
  const { method } = request
  if (topVia(request)?.branch === BRANCH_COOKIE) return refuse(400)
  if (!SERVED.has(method)) return refuse(NOT_SERVED.has(method) ? 405 : 501, ALLOWED)
  if (cseqOf(request)?.method !== method) return refuse(400)
  const uri = parseUri(request.uri)
  if (typeof uri === 'string' || !SCHEMES.has(uri.scheme)) return refuse(416)
  const required = headerValues(request, 'Require')
  // SIP-22: no extension is served yet. Proxy-Require is for proxies.
  if (required.length > 0) return refuse(420, { name: 'Unsupported', value: required.join(', ') })
  return method === 'INVITE' || method === 'UPDATE' ? contentRefusal(request) : undefined
}

/** RFC 3261 8.2.3: only SDP bodies, not encoded, and a caller that takes SDP. */
function contentRefusal(request: SipRequest): Refusal | undefined {
  const contentType = mediaType(headerValue(request, 'Content-Type') ?? '')
  if (request.body.length > 0 && contentType !== 'application/sdp') return refuse(415, SDP_ONLY)
  const encoding = headerValue(request, 'Content-Encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding !== 'identity') return refuse(415, { name: 'Accept-Encoding', value: 'identity' })
  const accepted = headerValues(request, 'Accept')
    .flatMap((value) => value.split(','))
    .map(mediaType)
  const takesSdp = accepted.some((type) => ['application/sdp', 'application/*', '*/*'].includes(type))
  return accepted.length > 0 && !takesSdp ? refuse(406, SDP_ONLY) : undefined
}

function refuse(status: number, ...headers: readonly Header[]): Refusal {
  return { status, headers }
}
