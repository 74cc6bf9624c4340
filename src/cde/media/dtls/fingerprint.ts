import { attributeValues, type Sdp, type SdpMedia } from '../sdp.ts'
import { dtlsLimits } from '../../../lib/limits.ts'

/** What SDP says of a certificate (RFC 8122 5): the digest of its DER. */
export interface Fingerprint {
  readonly hash: HashName
  /** Lower case, without colons. */
  readonly hex: string
}

/** RFC 8122 5 names more; MD2, MD5 and SHA-1 prove nothing any more. The strongest comes first. */
export const hashNames = ['sha-512', 'sha-384', 'sha-256'] as const
export type HashName = (typeof hashNames)[number]

const digestOctets = { 'sha-512': 64, 'sha-384': 48, 'sha-256': 32 } as const

/** @param value what follows `a=fingerprint:` @returns undefined for what is none, or is by a hash that we do not take */
export function parseFingerprint(value: string): Fingerprint | undefined {
  const [name = '', digest = '', ...more] = value.trim().split(/ +/)
  const hash = hashNames.find((known) => known === name.toLowerCase())
  if (hash === undefined || more.length > 0 || !/^[\da-f]{2}(?::[\da-f]{2}){31,63}$/i.test(digest)) return undefined
  const hex = digest.replaceAll(':', '').toLowerCase()
  return hex.length === 2 * digestOctets[hash] ? { hash, hex } : undefined
}

/** @returns what follows `a=fingerprint:`, its digits in upper case as RFC 8122 5 wants them */
export function writeFingerprint({ hash, hex }: Fingerprint): string {
  return `${hash} ${(hex.toUpperCase().match(/../g) ?? []).join(':')}`
}

/** RFC 8122 5: those of the section go before the session's. Of several hashes the strongest alone counts (RFC 8122 5.1). */
export function fingerprintsOf(sdp: Sdp, section: SdpMedia): readonly Fingerprint[] {
  const own = attributeValues(section.lines, 'fingerprint')
  const values = own.length > 0 ? own : attributeValues(sdp.session, 'fingerprint')
  const read = values.slice(0, dtlsLimits.fingerprintsMax).flatMap((value) => parseFingerprint(value) ?? [])
  const strongest = hashNames.find((name) => read.some(({ hash }) => hash === name))
  return read.filter(({ hash }) => hash === strongest)
}
