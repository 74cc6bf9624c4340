/**
 * Request bodies as bytes: constant text and secret slots (gateways.md section 8). No string ever holds a digit, and the
 * body lies on an ArrayBuffer of its own, so that zeroing it leaves no copy.
 */
import { gatewayLimits } from '../../lib/limits.ts'

/** A place for digits: `write` puts exactly `octets` ASCII digits into the view that it is given. */
export interface SecretSlot {
  readonly octets: number
  write(into: Uint8Array): void
}

export type TemplatePart = string | SecretSlot

/** V8 keeps smaller typed arrays on its heap and moves them without clearing. */
const STORE_OCTETS_MIN = 128

const utf8 = new TextEncoder()

/**
 * Renders the parts in order. Text must be escaped for its format already; digits need no escaping in JSON, XML or forms.
 * @returns a body that its owner zeroes, or 'too-long' (`gatewayLimits.requestOctetsMax`), with nothing left behind
 */
export function renderTemplate(parts: readonly TemplatePart[]): Uint8Array<ArrayBuffer> | 'too-long' {
  const pieces = parts.map((part) => (typeof part === 'string' ? utf8.encode(part) : part))
  const total = pieces.reduce((sum, piece) => sum + (piece instanceof Uint8Array ? piece.length : piece.octets), 0)
  if (total > gatewayLimits.requestOctetsMax) return 'too-long'
  const body = new Uint8Array(new ArrayBuffer(Math.max(total, STORE_OCTETS_MIN)), 0, total)
  let at = 0
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) {
      body.set(piece, at)
      at += piece.length
    } else {
      piece.write(body.subarray(at, at + piece.octets))
      at += piece.octets
    }
  }
  return body
}

/** Writes values 0–9 as ASCII characters. Both arrays have the same length. */
export function writeAsciiDigits(values: Uint8Array, into: Uint8Array): void {
  for (let i = 0; i < into.length; i++) into[i] = (values[i] ?? 0) + 48
}
