import { dtmfLimits } from '../../lib/limits.ts'
import { parseEvents } from './events.ts'
import { KEY_CODE_MAX, type KeyCode } from './key-codes.ts'

/** `not-digit` covers foreign body types, flash and anything unreadable. */
export type InfoProblem = 'not-digit'

const [EQUALS, COLON, SPACE, TAB, CR, LF] = [0x3d, 0x3a, 0x20, 0x09, 0x0d, 0x0a]

/**
 * The key in the body of a SIP INFO (SIP-21). RFC 6086 leaves digits in INFO undefined; these four types are in use:
 * `application/dtmf-relay` (`Signal=5`, also with a code as in `Signal=11`), `application/dtmf` (the bare character or
 * code), `audio/telephone-event` (a block of RFC 4733) and `application/vnd.nortelnetworks.digits` (`d=5`).
 * It works on octets: a key never becomes a string.
 * @param contentType as in the header, parameters allowed
 */
export function parseInfoBody(contentType: string, body: Uint8Array): KeyCode | InfoProblem {
  if (body.length > dtmfLimits.infoBodyOctetsMax) return 'not-digit'
  switch ((contentType.split(';')[0] ?? '').trim().toLowerCase()) {
    case 'application/dtmf-relay':
      return keyAt(body, valueOf(body, 'signal'))
    case 'application/dtmf':
      // Some senders put the lines of dtmf-relay under this type.
      return keyAt(body, Math.max(0, valueOf(body, 'signal')))
    case 'application/vnd.nortelnetworks.digits':
      return keyAt(body, valueOf(body, 'd'))
    case 'audio/telephone-event':
      return keyOfBlock(body)
    default:
      return 'not-digit'
  }
}

function keyOfBlock(body: Uint8Array): KeyCode | InfoProblem {
  const events = parseEvents(body)
  const event = typeof events === 'string' ? undefined : events[0]?.event
  return event === undefined || event > KEY_CODE_MAX ? 'not-digit' : event
}

/** @returns where the value of the line `name=` or `name:` begins, -1 when there is none */
function valueOf(body: Uint8Array, name: string): number {
  for (let line = 0; line < body.length; line = nextLine(body, line)) {
    const nameAt = skipBlanks(body, line)
    let at = nameAt
    while (at - nameAt < name.length && lowerCase(body[at]) === name.charCodeAt(at - nameAt)) at++
    if (at - nameAt < name.length) continue
    at = skipBlanks(body, at)
    if (body[at] === EQUALS || body[at] === COLON) return at + 1
  }
  return -1
}

function nextLine(body: Uint8Array, from: number): number {
  const end = body.indexOf(LF, from)
  return end === -1 ? body.length : end + 1
}

/** One character `0–9 * # A–D`, or a code 10–15, with nothing but blanks before and after it on the line. */
function keyAt(body: Uint8Array, from: number): KeyCode | InfoProblem {
  if (from < 0) return 'not-digit'
  let at = from
  while (isBlankOrBreak(body[at])) at++
  const first = keyOfCharacter(body[at++])
  if (first === undefined) return 'not-digit'
  let key = first
  // Two decimal characters are an event code: 10 and 11 for * and #.
  const second = keyOfCharacter(body[at])
  if (second !== undefined) {
    if (first !== 1 || second > KEY_CODE_MAX - 10) return 'not-digit'
    key = 10 + second
    at++
  }
  at = skipBlanks(body, at)
  return at >= body.length || body[at] === CR || body[at] === LF ? key : 'not-digit'
}

function keyOfCharacter(octet: number | undefined): KeyCode | undefined {
  if (octet === undefined) return undefined
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30
  if (octet === 0x2a) return 10
  if (octet === 0x23) return 11
  const letter = lowerCase(octet) - 0x61
  return letter >= 0 && letter < 4 ? 12 + letter : undefined
}

function lowerCase(octet: number | undefined): number {
  return octet !== undefined && octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : (octet ?? 0)
}

function skipBlanks(body: Uint8Array, from: number): number {
  let at = from
  while (body[at] === SPACE || body[at] === TAB) at++
  return at
}

function isBlankOrBreak(octet: number | undefined): boolean {
  return octet === SPACE || octet === TAB || octet === CR || octet === LF
}
