/**
 * Which headers cross from one leg to the other. RFC 7092: a B2BUA makes its own dialog headers; SIP-23 of our interop
 * requirements: copying is by allow-list only, and copied values keep their octets.
 */
import { callLimits } from '../../lib/limits.ts'
import { findCardNumber } from '../../lib/luhn-scan.ts'
import type { Header } from '../sip/message.ts'

/** Copied on every call, besides the configured names: what a carrier and a PBX expect of each other, none of it a dialog header. */
const ALWAYS = [
  'p-asserted-identity',
  'privacy',
  'diversion',
  'history-info',
  'identity',
  'date',
  'priority',
  'resource-priority',
]

/** The header that tells the desk which call this is; only we may set it. */
export const CALL_HEADER = 'X-Tonewall-Call'

/** Headers of `received` that may go on to the other leg: allow-listed, bounded in number and size, in their order. */
export function passedHeaders(received: readonly Header[], configured: readonly string[]): Header[] {
  const allowed = new Set([...ALWAYS, ...configured.map((name) => name.toLowerCase())])
  allowed.delete(CALL_HEADER.toLowerCase())
  const passed: Header[] = []
  let octets = 0
  for (const header of received) {
    if (!allowed.has(header.name.toLowerCase())) continue
    const size = Buffer.byteLength(header.value)
    if (size > callLimits.copiedHeaderOctetsMax || passed.length >= callLimits.copiedHeadersMax) continue
    octets += size
    if (octets > callLimits.copiedHeadersOctetsMax) break
    passed.push({ name: header.name, value: header.value })
  }
  return passed
}

/**
 * Configured headers that control may see. A value that looks like a card number stays behind: the wall would refuse it; so
 * does what would make the report larger than the wall takes.
 */
export function reportedHeaders(received: readonly Header[], configured: readonly string[]): Header[] {
  const allowed = new Set(configured.map((name) => name.toLowerCase()))
  const reported: Header[] = []
  let octets = 0
  for (const { name, value } of received) {
    if (!allowed.has(name.toLowerCase()) || value.length > 1_024 || findCardNumber(value) !== -1) continue
    // As JSON: a quote or a control character takes several octets there.
    octets += Buffer.byteLength(JSON.stringify({ name, value })) + 1
    if (octets > callLimits.reportedHeadersOctetsMax || reported.length >= callLimits.reportedHeadersMax) break
    reported.push({ name, value })
  }
  return reported
}
