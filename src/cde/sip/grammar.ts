/**
 * The few pieces of the RFC 3261 section 25 grammar that every header shares. All texts are octet strings, unfolded.
 */

export interface Param {
  readonly name: string
  /** As written, quotes included; undefined for a parameter without `=`. */
  readonly value: string | undefined
}

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/
// A quoted string may hold any octet after a backslash (RFC 4475 3.1.1.2 puts NUL and DEL there).
const PARAM = /[ \t]*;[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)(?:[ \t]*=[ \t]*("(?:[^"\\]|\\[^])*"|[^\s;,<>"]+))?/y

export function isToken(text: string): boolean {
  return TOKEN.test(text)
}

/** Parses `;a=b;c` to its end; undefined when anything else stands in it. */
export function parseParams(text: string): Param[] | undefined {
  const params: Param[] = []
  const end = text.trimEnd().length
  let at = 0
  while (at < end) {
    PARAM.lastIndex = at
    const match = PARAM.exec(text)
    if (match === null) return undefined
    params.push({ name: match[1] ?? '', value: match[2] })
    at = PARAM.lastIndex
  }
  return params
}

/** The value of the parameter, '' when it has none, undefined when it is absent. Names compare without case. */
export function paramValue(params: readonly Param[], name: string): string | undefined {
  const found = params.find((param) => param.name.toLowerCase() === name)
  return found === undefined ? undefined : (found.value ?? '')
}

/**
 * Splits a header value at commas outside quotes and angle brackets (RFC 3261 7.3.1); undefined when those are open.
 */
export function splitList(value: string): string[] | undefined {
  const parts: string[] = []
  let start = 0
  let quoted = false
  let bracketed = false
  for (let at = 0; at < value.length; at++) {
    const char = value[at]
    if (quoted) {
      if (char === '\\') at++
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if (char === '<') bracketed = true
    else if (char === '>') bracketed = false
    else if (char === ',' && !bracketed) {
      parts.push(value.slice(start, at).trim())
      start = at + 1
    }
  }
  if (quoted || bracketed) return undefined
  parts.push(value.slice(start).trim())
  return parts
}

/** Decimal digits only, at most `max`; undefined otherwise. Leading zeros are legal in SIP numbers. */
export function parseNumber(text: string, max: number): number | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined
  const value = Number(text)
  return value <= max ? value : undefined
}
