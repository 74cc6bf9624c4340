/**
 * Takes secrets out of wire bytes without making a string of them. Two nets: the values of fields that a connector
 * declares secret, whatever they hold; and any longer run of digits, wherever it stands.
 */

/** Runs this long are no amount (at most 11 digits) and no reference (letters); every card number is longer still. */
const RUN_DIGITS_MIN = 12
const STAR = 42
const QUOTE = 34
const BACKSLASH = 92
const COLON = 58

export interface SecretNames {
  /** Names of JSON members with a string value, at any depth. */
  readonly jsonMembers: readonly string[]
  /** Names of header lines, lower case. */
  readonly headers: readonly string[]
}

/** A copy of `wire` in which every octet of a secret is `*`. The length stays. */
export function scrubWire(wire: Uint8Array, secrets: SecretNames): Uint8Array {
  const clean = new Uint8Array(new ArrayBuffer(Math.max(wire.length, 128)), 0, wire.length)
  clean.set(wire)
  for (const name of secrets.jsonMembers) maskJsonMember(clean, name)
  for (const name of secrets.headers) maskHeader(clean, name)
  maskRuns(clean)
  return clean
}

function maskJsonMember(bytes: Uint8Array, name: string): void {
  const quoted = `"${name}"`
  for (let at = find(bytes, quoted, 0); at !== -1; at = find(bytes, quoted, at + 1)) {
    let i = skipBlanks(bytes, at + quoted.length)
    if (bytes[i] !== COLON) continue
    i = skipBlanks(bytes, i + 1)
    if (bytes[i] === QUOTE) maskQuoted(bytes, i + 1)
    else while (i < bytes.length && isDigit(bytes[i])) bytes[i++] = STAR
  }
}

/** From behind the opening quote to the closing one, or to the end of what was cut off. */
function maskQuoted(bytes: Uint8Array, from: number): void {
  for (let i = from; i < bytes.length && bytes[i] !== QUOTE; i++) {
    if (bytes[i] === BACKSLASH && i + 1 < bytes.length) bytes[i++] = STAR
    bytes[i] = STAR
  }
}

function maskHeader(bytes: Uint8Array, name: string): void {
  for (let at = find(bytes, `${name}:`, 0); at !== -1; at = find(bytes, `${name}:`, at + 1)) {
    for (let i = at + name.length + 1; i < bytes.length && bytes[i] !== 13 && bytes[i] !== 10; i++) bytes[i] = STAR
  }
}

/** Runs of digits with at most one blank or hyphen between two of them. */
function maskRuns(bytes: Uint8Array): void {
  let from = -1
  let last = -1
  let digits = 0
  for (let i = 0; i <= bytes.length; i++) {
    if (i < bytes.length && isDigit(bytes[i])) {
      if (digits === 0) from = i
      digits += 1
      last = i
      continue
    }
    if (digits > 0 && i === last + 1 && (bytes[i] === 32 || bytes[i] === 45)) continue
    if (digits >= RUN_DIGITS_MIN) bytes.fill(STAR, from, last + 1)
    digits = 0
  }
}

/** Where ASCII `text` stands at or after `from`, whatever the case of its letters; -1 when nowhere. */
function find(bytes: Uint8Array, text: string, from: number): number {
  for (let at = from; at + text.length <= bytes.length; at++) {
    let same = 0
    while (same < text.length && lower(bytes[at + same]) === lower(text.charCodeAt(same))) same += 1
    if (same === text.length) return at
  }
  return -1
}

function skipBlanks(bytes: Uint8Array, from: number): number {
  let i = from
  while (bytes[i] === 32 || bytes[i] === 9 || bytes[i] === 10 || bytes[i] === 13) i += 1
  return i
}

function lower(octet: number | undefined): number {
  return octet !== undefined && octet >= 65 && octet <= 90 ? octet + 32 : (octet ?? -1)
}

function isDigit(octet: number | undefined): boolean {
  return octet !== undefined && octet >= 48 && octet <= 57
}
