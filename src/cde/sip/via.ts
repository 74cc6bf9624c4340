import type { Address } from '../../lib/address.ts'
import { type Param, paramValue, parseNumber, parseParams, splitList } from './grammar.ts'

/** One Via value, RFC 3261 20.42. */
export interface Via {
  readonly transport: string
  /** IPv6 without brackets. */
  readonly host: string
  readonly port: number | undefined
  readonly branch: string
  readonly params: readonly Param[]
}

const PROTOCOL = /^SIP[ \t]*\/[ \t]*2\.0[ \t]*\/[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)[ \t]+/i
const SENT_BY = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])[ \t]*(?::[ \t]*(\d+)[ \t]*)?(;[^]*)?$/

/** RFC 3261 8.1.1.7: branches that begin with this are unique across space and time. */
export const BRANCH_COOKIE = 'z9hG4bK'

/** Parses one Via value (split lists first). Never throws. */
export function parseVia(value: string): Via | 'via-syntax' {
  const protocol = PROTOCOL.exec(value)
  const sentBy = SENT_BY.exec(value.slice(protocol?.[0].length))
  if (protocol?.[1] === undefined || sentBy === null) return 'via-syntax'
  const [, rawHost = '', portText, paramText = ''] = sentBy
  const port = portText === undefined ? undefined : parseNumber(portText, 65_535)
  if (portText !== undefined && (port === undefined || port === 0)) return 'via-syntax'
  const params = parseParams(paramText)
  if (params === undefined) return 'via-syntax'
  const host = rawHost.startsWith('[') ? rawHost.slice(1, -1) : rawHost
  return { transport: protocol[1].toUpperCase(), host, port, branch: paramValue(params, 'branch') ?? '', params }
}

/**
 * Where a response goes. RFC 3581 4: with `rport` to the very source. Without: source host, port of the Via.
 * Deviation: `maddr` is not obeyed (RFC 3261 18.2.2), it would let a request send our answers to others (SIP-35).
 */
export function responseAddress(via: Via, source: Address): Address {
  if (paramValue(via.params, 'rport') !== undefined) return source
  return { host: source.host, port: via.port ?? 5060 }
}

/** A Via header value as it goes into responses: its first Via gets `received` (always) and `rport` (when asked). */
export function stampVia(value: string, source: Address): string {
  const [top = '', ...rest] = splitList(value) ?? [value]
  // A `received` that the peer wrote itself would be a lie about us.
  const stamped = top
    .replace(/;[ \t]*received[ \t]*=[^;]*/gi, '')
    .replace(/;[ \t]*rport[ \t]*(?=;|$)/i, `;rport=${source.port}`)
  return [`${stamped};received=${source.host}`, ...rest].join(', ')
}
