import { parseNumber, splitList } from './grammar.ts'
import { headerValues, type SipMessage } from './message.ts'
import { type NameAddrProblem, parseNameAddr, parseNameAddrList } from './name-addr.ts'
import { isSipUri, parseUri } from './uri.ts'
import { parseVia } from './via.ts'

/** What can be wrong with the headers that RFC 3261 8.1.1 makes compulsory, and with those that route. */
export type HeaderProblem =
  | 'missing-header'
  | 'duplicate-header'
  | 'request-uri'
  | 'via'
  | 'from'
  | 'to'
  | 'call-id'
  | 'cseq'
  | 'max-forwards'
  | 'contact'
  | 'route'

export interface CSeq {
  readonly number: number
  readonly method: string
}

const ONCE = ['From', 'To', 'Call-ID', 'CSeq'] as const

/** Looks for the first fault. Headers that the UA does not read are not looked at (RFC 3261 8.2.2: be liberal). */
export function checkMessage(message: SipMessage): HeaderProblem | undefined {
  for (const name of ONCE) {
    const count = headerValues(message, name).length
    if (count !== 1) return count === 0 ? 'missing-header' : 'duplicate-header'
  }
  return checkVias(message) ?? checkIdentity(message) ?? checkMaxForwards(message) ?? checkRouting(message)
}

function checkVias(message: SipMessage): HeaderProblem | undefined {
  const lines = headerValues(message, 'Via')
  if (lines.length === 0) return 'missing-header'
  for (const line of lines) {
    const values = splitList(line)
    if (values === undefined || values.some((value) => parseVia(value) === 'via-syntax')) return 'via'
  }
  return undefined
}

function checkIdentity(message: SipMessage): HeaderProblem | undefined {
  const [from = ''] = headerValues(message, 'From')
  const [to = ''] = headerValues(message, 'To')
  const [callId = ''] = headerValues(message, 'Call-ID')
  if (typeof parseNameAddr(from) === 'string') return 'from'
  if (typeof parseNameAddr(to) === 'string') return 'to'
  if (!/^\S+$/.test(callId)) return 'call-id'
  return cseqOf(message) === undefined ? 'cseq' : undefined
}

function checkMaxForwards(message: SipMessage): HeaderProblem | undefined {
  const values = headerValues(message, 'Max-Forwards')
  if (values.length > 1) return 'duplicate-header'
  // RFC 3261 20.22: 0 to 255.
  return values[0] !== undefined && parseNumber(values[0], 255) === undefined ? 'max-forwards' : undefined
}

function checkRouting(message: SipMessage): HeaderProblem | undefined {
  for (const value of headerValues(message, 'Contact')) {
    if (value !== '*' && typeof parseNameAddrList(value) === 'string') return 'contact'
  }
  for (const value of [...headerValues(message, 'Route'), ...headerValues(message, 'Record-Route')]) {
    const routes: readonly unknown[] | NameAddrProblem = parseNameAddrList(value)
    if (typeof routes === 'string') return 'route'
  }
  if (message.kind === 'response') return undefined
  const uri = parseUri(message.uri)
  // RFC 3261 19.1.1 table 1: headers are not allowed in a Request-URI.
  return typeof uri === 'string' || (isSipUri(uri) && uri.headers !== undefined) ? 'request-uri' : undefined
}

/** CSeq number (32 bits) and method, RFC 3261 20.16; undefined when it cannot be read. */
export function cseqOf(message: SipMessage): CSeq | undefined {
  const [value = ''] = headerValues(message, 'CSeq')
  const match = /^(\d{1,20})[ \t]+([A-Za-z0-9\-.!%*_+`'~]+)$/.exec(value)
  const number = parseNumber(match?.[1] ?? '', 0xff_ff_ff_ff)
  return match?.[2] === undefined || number === undefined ? undefined : { number, method: match[2] }
}
