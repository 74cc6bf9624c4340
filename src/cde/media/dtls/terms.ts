import type { DtlsRole } from './association.ts'
import type { Fingerprint } from './fingerprint.ts'

/** What offer and answer have agreed on for one leg: plain data, without a secret. */
export interface DtlsTerms {
  /** The same number is the same association; another one is a new handshake. */
  readonly association: number
  readonly role: DtlsRole
  /** One of them is the peer's certificate. */
  readonly fingerprints: readonly Fingerprint[]
  /** RTCP shares RTP's port (RFC 5761). Without, a leg has no RTCP: its port would want a handshake of its own (RFC 5764 4.1). */
  readonly isMuxed: boolean
}
