import { type Param, paramValue, parseParams, splitList } from './grammar.ts'
import { parseUri } from './uri.ts'

/** One value of From, To, Contact, Route, Record-Route: RFC 3261 20.10. */
export interface NameAddr {
  /** As written, quotes included; '' when absent. */
  readonly display: string
  readonly uri: string
  /** Header parameters; those inside the brackets belong to the URI (RFC 4475 3.3.12, 3.3.13). */
  readonly params: readonly Param[]
}

export type NameAddrProblem = 'bad-display-name' | 'bad-uri' | 'bad-param' | 'unbalanced'

const BRACKETED = /^("(?:[^"\\]|\\[^])*"[ \t]*|[^"<]*)<([^>]*)>/
// Tokens and blanks. Octets above 127 are let through: many devices write UTF-8 names without quotes.
const DISPLAY_TOKENS = /^[A-Za-z0-9\-.!%*_+`'~ \t\x80-\xff]*$/

/** Parses one name-addr or addr-spec with its parameters. Never throws. */
export function parseNameAddr(value: string): NameAddr | NameAddrProblem {
  const bracketed = BRACKETED.exec(value)
  if (bracketed === null) return value.includes('"') || value.includes('<') ? 'unbalanced' : parseBare(value)
  const display = (bracketed[1] ?? '').trim()
  if (!display.startsWith('"') && !DISPLAY_TOKENS.test(display)) return 'bad-display-name'
  const uri = bracketed[2] ?? ''
  if (typeof parseUri(uri) === 'string') return 'bad-uri'
  const params = parseParams(value.slice(bracketed[0].length))
  return params === undefined ? 'bad-param' : { display, uri, params }
}

/** RFC 3261 20.10: without brackets everything after the first semicolon is a header parameter, and ? may not occur. */
function parseBare(value: string): NameAddr | NameAddrProblem {
  const semicolon = value.indexOf(';')
  const uri = (semicolon === -1 ? value : value.slice(0, semicolon)).trim()
  if (uri.includes('?') || uri.includes(',') || typeof parseUri(uri) === 'string') return 'bad-uri'
  const params = semicolon === -1 ? [] : parseParams(value.slice(semicolon))
  return params === undefined ? 'bad-param' : { display: '', uri, params }
}

/** Parses a comma-separated list of them (Contact, Route, Record-Route). */
export function parseNameAddrList(value: string): NameAddr[] | NameAddrProblem {
  const parts = splitList(value)
  if (parts === undefined) return 'unbalanced'
  const parsed: NameAddr[] = []
  for (const part of parts) {
    const one = parseNameAddr(part)
    if (typeof one === 'string') return one
    parsed.push(one)
  }
  return parsed
}

/** The tag of a From or To value; '' when it has none or cannot be read (RFC 2543 peers). */
export function tagOf(value: string): string {
  const parsed = parseNameAddr(value)
  return typeof parsed === 'string' ? '' : (paramValue(parsed.params, 'tag') ?? '')
}
