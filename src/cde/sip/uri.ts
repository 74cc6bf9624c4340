import { isIPv4, isIPv6 } from 'node:net'
import type { Address } from '../../lib/address.ts'
import { type Param, parseNumber } from './grammar.ts'

/** A sip: or sips: URI. Texts stay as written (escapes are not undone, RFC 4475 3.1.1.3). */
export interface SipUri {
  readonly scheme: 'sip' | 'sips'
  /** User part, with password if there was one. */
  readonly user: string | undefined
  /** IPv6 without its brackets. */
  readonly host: string
  readonly port: number | undefined
  readonly params: readonly Param[]
  /** What follows `?`. */
  readonly headers: string | undefined
}

/** Any other scheme: kept, not interpreted. */
export interface OtherUri {
  readonly scheme: string
  readonly opaque: string
}

export type UriProblem = 'bad-character' | 'bad-scheme' | 'bad-host' | 'bad-port' | 'bad-param'

// Everything RFC 2396 lets stand in a URI; not blanks, quotes, angle brackets or octets above 126.
const CHARACTERS = /^[!#-;=?-[\]_a-z~]+$/
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/
const HOST = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(.*))?$/
const URI_PARAM = /^([^=]+)(?:=(.*))?$/

/** Parses a URI, RFC 3261 19.1.1. Never throws. */
export function parseUri(text: string): SipUri | OtherUri | UriProblem {
  if (!CHARACTERS.test(text)) return 'bad-character'
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) return 'bad-scheme'
  const rest = text.slice(scheme.length + 1)
  if (scheme !== 'sip' && scheme !== 'sips') return rest === '' ? 'bad-scheme' : { scheme, opaque: rest }
  return parseSipPart(scheme, rest)
}

function parseSipPart(scheme: 'sip' | 'sips', rest: string): SipUri | UriProblem {
  // The user part may hold ; ? / and more; only the @ ends it, and it may not stand anywhere else unescaped.
  const at = rest.indexOf('@')
  if (at === 0) return 'bad-host'
  const user = at === -1 ? undefined : rest.slice(0, at)
  const [beforeHeaders = '', ...headerParts] = rest.slice(at + 1).split('?')
  const [hostPort = '', ...paramTexts] = beforeHeaders.split(';')
  const host = HOST.exec(hostPort)
  if (host?.[1] === undefined) return 'bad-host'
  const bare = host[1].startsWith('[') ? host[1].slice(1, -1) : host[1]
  if (bare !== host[1] && !isIPv6(bare)) return 'bad-host'
  const port = host[2] === undefined ? undefined : parseNumber(host[2], 65_535)
  if (host[2] !== undefined && (port === undefined || port === 0)) return 'bad-port'
  const params: Param[] = []
  for (const text of paramTexts) {
    const param = URI_PARAM.exec(text)
    if (param?.[1] === undefined) return 'bad-param'
    params.push({ name: param[1], value: param[2] })
  }
  return { scheme, user, host: bare, port, params, headers: headerParts.length > 0 ? headerParts.join('?') : undefined }
}

export function isSipUri(uri: SipUri | OtherUri | UriProblem): uri is SipUri {
  return typeof uri !== 'string' && 'host' in uri
}

/** Host and port as they stand in a URI or Via: IPv6 in brackets. */
export function formatHostPort(address: Address): string {
  return `${isIPv6(address.host) ? `[${address.host}]` : address.host}:${address.port}`
}

/** Compares IP literals, whatever the spelling of IPv6. */
export function sameHost(a: string, b: string): boolean {
  return a === b || (isIPv6(a) && isIPv6(b) && shortIpv6(a) === shortIpv6(b))
}

/** RFC 5952; what has no short spelling (a zone after `%`) stays as it is. */
function shortIpv6(host: string): string {
  return URL.parse(`http://[${host}]`)?.hostname.slice(1, -1) ?? host
}

/**
 * Where the URI points when its host is an IP literal; undefined for names (RFC 3263 comes later) and other schemes.
 */
export function literalAddress(uriText: string): Address | undefined {
  const uri = parseUri(uriText)
  if (!isSipUri(uri) || !(isIPv4(uri.host) || isIPv6(uri.host))) return undefined
  return { host: uri.host, port: uri.port ?? 5060 }
}
