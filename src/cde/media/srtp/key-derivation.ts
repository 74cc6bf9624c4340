import { AesCounter } from './aes-counter.ts'
import type { MasterKey } from './master-key.ts'
import { secretOctets } from './secret-octets.ts'
import type { Suite } from './suites.ts'

/** Session keys of one direction for RTP or for RTCP. */
export interface SessionKeys {
  readonly cipherKey: Uint8Array
  readonly salt: Uint8Array
  /** 20 octets; empty for the AEAD suites. */
  readonly authKey: Uint8Array
}

const AUTH_KEY_OCTETS = 20

// RFC 3711 4.3.2, table 2: cipher key, authentication key, salt.
const labels = { rtp: [0, 1, 2], rtcp: [3, 4, 5] } as const

/**
 * RFC 3711 4.3.1 with a key derivation rate of 0, for AES-256 as in RFC 6188, for the AEAD suites as in RFC 7714 11.
 * The results are to be wiped when the ciphers made of them exist.
 */
export function deriveSessionKeys(master: MasterKey, suite: Suite, kind: 'rtp' | 'rtcp'): SessionKeys {
  const counter = new AesCounter(master.key, master.salt)
  const [cipherLabel, authLabel, saltLabel] = labels[kind]
  const derive = (label: number, octets: number): Uint8Array => {
    // x = (label · 2^48) XOR salt, and the counter starts at x · 2^16: the label meets octet 7 of the salt.
    const at = counter.seek(label, 0, 0, octets)
    const derived = secretOctets(octets)
    derived.set(counter.stream.subarray(at, at + octets))
    return derived
  }
  const keys = {
    cipherKey: derive(cipherLabel, suite.keyOctets),
    authKey: derive(authLabel, suite.aead ? 0 : AUTH_KEY_OCTETS),
    salt: derive(saltLabel, suite.saltOctets),
  }
  counter.wipe()
  return keys
}

export function wipeSessionKeys(keys: SessionKeys): void {
  for (const octets of [keys.cipherKey, keys.salt, keys.authKey]) octets.fill(0)
}
