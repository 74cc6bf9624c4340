/**
 * The certificate that our side of every DTLS handshake shows: self-signed, of a key made at the start of the process and
 * written nowhere. Nobody trusts it for its name; its fingerprint in SDP is what it is known by (RFC 5763 5).
 */
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import type { RandomBytes } from '../../../lib/random.ts'
import { bitString, explicit, integer, objectId, sequence, set, utcTime, utf8 } from './der.ts'
import type { Fingerprint } from './fingerprint.ts'

export interface DtlsIdentity {
  /** X.509 in DER. */
  readonly certificate: Uint8Array<ArrayBuffer>
  /** `ECPrivateKey` (RFC 5915) in DER; wiped by whoever has loaded it. */
  readonly privateKey: Uint8Array<ArrayBuffer>
}

const DAY_MS = 86_400_000
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
const COMMON_NAME = '2.5.4.3'

/** ECDSA on P-256, which every DTLS 1.2 peer has (RFC 8827 6.5). @param wallMs its validity begins a day before */
export function makeIdentity(random: RandomBytes, wallMs: number): DtlsIdentity {
  const pair = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'sec1' },
  })
  const algorithm = sequence(objectId(ECDSA_WITH_SHA256))
  const name = sequence(set(sequence(objectId(COMMON_NAME), utf8('tonewall'))))
  // RFC 5280 4.1: version 3 is the number 2. What must be told apart has a serial number drawn at random.
  const toBeSigned = sequence(
    explicit(0, integer(Uint8Array.of(2))),
    integer(random(8)),
    algorithm,
    name,
    sequence(utcTime(wallMs - DAY_MS), utcTime(wallMs + 365 * DAY_MS)),
    name,
    pair.publicKey,
  )
  const key = { key: pair.privateKey, format: 'der', type: 'sec1' } as const
  const certificate = sequence(toBeSigned, algorithm, bitString(sign('sha256', toBeSigned, key)))
  const privateKey = Uint8Array.from(pair.privateKey)
  pair.privateKey.fill(0)
  return { certificate: Uint8Array.from(certificate), privateKey }
}

/** RFC 8122 5: of the certificate in DER; SHA-256 is the hash that every peer takes. */
export function fingerprintOf({ certificate }: Pick<DtlsIdentity, 'certificate'>): Fingerprint {
  return { hash: 'sha-256', hex: createHash('sha256').update(certificate).digest('hex') }
}
