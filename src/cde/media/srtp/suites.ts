/** The SRTP crypto suites that we speak: RFC 4568 6.2 (AES-CM with HMAC-SHA1) and RFC 7714 14 (AEAD). */
export type SuiteName = 'AES_CM_128_HMAC_SHA1_80' | 'AES_CM_128_HMAC_SHA1_32' | 'AEAD_AES_256_GCM' | 'AEAD_AES_128_GCM'

export interface Suite {
  readonly name: SuiteName
  /** Of the master key and the session key alike. */
  readonly keyOctets: 16 | 32
  readonly saltOctets: 12 | 14
  readonly aead: boolean
  readonly rtpTagOctets: number
  readonly rtcpTagOctets: number
}

// RFC 4568 6.2.2: the short tag is for RTP; RTCP keeps its 80 bits.
const cm = { keyOctets: 16, saltOctets: 14, aead: false, rtcpTagOctets: 10 } as const
const gcm = { saltOctets: 12, aead: true, rtpTagOctets: 16, rtcpTagOctets: 16 } as const

/** In the order in which we offer them: what every peer has comes first, the short tag last. */
export const suites: readonly Suite[] = [
  { name: 'AES_CM_128_HMAC_SHA1_80', ...cm, rtpTagOctets: 10 },
  { name: 'AEAD_AES_256_GCM', ...gcm, keyOctets: 32 },
  { name: 'AEAD_AES_128_GCM', ...gcm, keyOctets: 16 },
  { name: 'AES_CM_128_HMAC_SHA1_32', ...cm, rtpTagOctets: 4 },
]

export function suiteNamed(name: string): Suite | undefined {
  return suites.find((suite) => suite.name === name)
}
