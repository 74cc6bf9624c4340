/** The SRTP protection profiles of `use_srtp` (RFC 5764 4.1.2, RFC 7714 14.2), as OpenSSL names them, and our suites. */
import { suiteNamed, type Suite, type SuiteName } from '../srtp/suites.ts'

interface Profile {
  readonly number: number
  readonly openssl: string
  readonly suite: SuiteName
}

/** In our order of preference. Without the 32-bit tag: RFC 5764 4.1.2 has it, and nobody who does DTLS needs it. */
const profiles: readonly Profile[] = [
  { number: 7, openssl: 'SRTP_AEAD_AES_128_GCM', suite: 'AEAD_AES_128_GCM' },
  { number: 8, openssl: 'SRTP_AEAD_AES_256_GCM', suite: 'AEAD_AES_256_GCM' },
  { number: 1, openssl: 'SRTP_AES128_CM_SHA1_80', suite: 'AES_CM_128_HMAC_SHA1_80' },
]

/** For `SSL_CTX_set_tlsext_use_srtp`. */
export const profileList = profiles.map(({ openssl }) => openssl).join(':')

/** @returns undefined for a profile that we did not offer */
export function suiteOfProfile(number: number): Suite | undefined {
  const profile = profiles.find((known) => known.number === number)
  return profile && suiteNamed(profile.suite)
}
