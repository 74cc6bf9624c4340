import { srtpLimits } from '../../../lib/limits.ts'
import { MasterKey } from './master-key.ts'
import { secretOctets } from './secret-octets.ts'
import type { PeerKey } from './srtp-receiver.ts'
import { type Suite, suiteNamed } from './suites.ts'

/**
 * One `a=crypto` line (RFC 4568 9.1):
 * ```
 * a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:<base64>|2^20|1:4;inline:<base64>|2^20|2:4 KDR=0 WSH=64
 *          tag suite                        key·salt lifetime MKI:octets               session parameters
 * ```
 */
export interface CryptoLine {
  /** As written, 1–9 digits: the answer repeats it. */
  readonly tag: string
  readonly suite: string
  readonly keys: readonly InlineKey[]
  readonly parameters: readonly string[]
}

export interface InlineKey {
  /** Key and salt; of any length as long as the suite is not looked at. Wiped by whoever parsed the line. */
  readonly octets: Uint8Array
  /** As written, `2^20` or `1048576`; empty where missing. */
  readonly lifetime: string
  /** As written; undefined where missing. */
  readonly mki: { readonly value: string; readonly octets: number } | undefined
}

export type CryptoLineProblem = 'malformed' | 'method' | 'key' | 'lifetime' | 'mki'

// 2^48 packets, RFC 3711 9.2.
const LIFETIME_DEFAULT = 2 ** 48

/** @param value what follows `a=crypto:`. Nothing is judged but the form; see `usableKeys`. */
export function parseCryptoLine(value: string): CryptoLine | CryptoLineProblem {
  const [tag = '', suite = '', keyText = '', ...parameters] = value.trim().split(/[ \t]+/)
  if (!/^\d{1,9}$/.test(tag) || !/^\w{1,64}$/.test(suite) || keyText === '') return 'malformed'
  if (parameters.length > srtpLimits.sessionParametersMax) return 'malformed'
  const keyTexts = keyText.split(';')
  if (keyTexts.length > srtpLimits.keysPerLineMax) return 'malformed'
  const keys: InlineKey[] = []
  for (const text of keyTexts) {
    const key = parseInlineKey(text)
    if (typeof key === 'string') {
      wipeLine({ keys })
      return key
    }
    keys.push(key)
  }
  return { tag, suite, keys, parameters }
}

/** @returns what follows `a=crypto:`. The key is in the string: write it into the message and let it go. */
export function writeCryptoLine({ tag, suite, keys, parameters }: CryptoLine): string {
  const keyTexts = keys.map(({ octets, lifetime, mki }) => {
    const base64 = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('base64')
    const parts = [`inline:${base64}`, ...(lifetime === '' ? [] : [lifetime])]
    return [...parts, ...(mki === undefined ? [] : [`${mki.value}:${mki.octets}`])].join('|')
  })
  return [tag, suite, keyTexts.join(';'), ...parameters].join(' ')
}

export function wipeLine({ keys }: Pick<CryptoLine, 'keys'>): void {
  for (const { octets } of keys) octets.fill(0)
}

/**
 * What we can make of a line: its suite and keys.
 * @returns undefined for a suite, a parameter or a key that is not ours to use; the keys are then still the line's
 */
export function usableKeys(line: CryptoLine): { suite: Suite; keys: readonly PeerKey[] } | undefined {
  const suite = suiteNamed(line.suite)
  if (suite === undefined || !line.parameters.every(isHarmless)) return undefined
  const mkiOctets = line.keys[0]?.mki?.octets
  // RFC 4568 6.1: several keys are told apart by their MKIs, all of one length.
  if (line.keys.length > 1 && mkiOctets === undefined) return undefined
  const keys: PeerKey[] = []
  for (const { octets, lifetime, mki } of line.keys) {
    if (octets.length !== suite.keyOctets + suite.saltOctets || mki?.octets !== mkiOctets) return undefined
    keys.push({
      master: new MasterKey(octets, suite.keyOctets),
      mki: mki === undefined ? new Uint8Array() : mkiValue(mki),
      lifetimePackets: lifetime === '' ? LIFETIME_DEFAULT : lifetimePackets(lifetime),
    })
  }
  return { suite, keys }
}

/**
 * RFC 4568 6.3: parameters that we need not act on. UNENCRYPTED_SRTP, UNENCRYPTED_SRTCP and UNAUTHENTICATED_SRTP take the
 * protection away; KDR other than 0, FEC_ORDER and FEC_KEY change what the keys do; what we do not know refuses the line
 * unless it begins with `-` (6.3.7).
 */
function isHarmless(parameter: string): boolean {
  return parameter.startsWith('-') || /^WSH=\d{1,9}$/.test(parameter) || parameter === 'KDR=0'
}

function parseInlineKey(text: string): InlineKey | CryptoLineProblem {
  const method = 'inline:'
  if (!text.toLowerCase().startsWith(method)) return 'method'
  const [keyText = '', ...rest] = text.slice(method.length).split('|')
  const octets = decodeBase64(keyText)
  if (octets === undefined) return 'key'
  const [first, second, ...tooMany] = rest
  // Both are optional: a first part with a colon is the MKI already.
  const lifetime = first === undefined || first.includes(':') ? '' : first
  const mkiText = lifetime === '' ? first : second
  const problem =
    tooMany.length > 0 || (lifetime === '' && second !== undefined)
      ? 'malformed'
      : lifetime !== '' && lifetimePackets(lifetime) < 1
        ? 'lifetime'
        : undefined
  const mki = mkiText === undefined ? undefined : parseMki(mkiText)
  if (problem === undefined && mki !== 'mki') return { octets, lifetime, mki }
  octets.fill(0)
  return problem ?? 'mki'
}

/** @returns 0 for what is no lifetime */
function lifetimePackets(text: string): number {
  const [, exponent, plain] = /^(?:2\^(\d{1,2})|(\d{1,15}))$/.exec(text) ?? []
  if (exponent !== undefined) return Number(exponent) <= 48 ? 2 ** Number(exponent) : 0
  return plain === undefined ? 0 : Math.min(Number(plain), LIFETIME_DEFAULT)
}

function parseMki(text: string): { value: string; octets: number } | 'mki' {
  const [, value = '', length = ''] = /^(\d{1,310}):(\d{1,3})$/.exec(text) ?? []
  const octets = Number(length)
  if (value === '' || octets < 1 || octets > srtpLimits.mkiOctetsMax) return 'mki'
  return BigInt(value) >> BigInt(8 * octets) === 0n ? { value, octets } : 'mki'
}

/** RFC 3711 3.1, RFC 4568 6.1: the number in so many octets, the greatest first. */
function mkiValue({ value, octets }: { value: string; octets: number }): Uint8Array {
  let rest = BigInt(value)
  const mki = new Uint8Array(octets)
  for (let i = octets - 1; i >= 0; i--, rest >>= 8n) mki[i] = Number(rest & 0xffn)
  return mki
}

const BASE64_CHARACTERS_MAX = 128

/** Straight into a wipeable store: Node's own decoder would leave a copy in a shared pool. Missing padding is forgiven. */
function decodeBase64(text: string): Uint8Array | undefined {
  const digits = text.replace(/={1,2}$/, '')
  if (digits === '' || digits.length % 4 === 1 || text.length > BASE64_CHARACTERS_MAX) return undefined
  const octets = secretOctets(Math.floor((digits.length * 3) / 4))
  let held = 0
  let bits = 0
  let at = 0
  for (let i = 0; i < digits.length; i++) {
    const six = base64Value(digits.charCodeAt(i))
    if (six === undefined) {
      octets.fill(0)
      return undefined
    }
    held = (held << 6) | six
    bits += 6
    if (bits < 8) continue
    bits -= 8
    octets[at++] = (held >>> bits) & 0xff
    held &= (1 << bits) - 1
  }
  return octets
}

/** RFC 4648 4. */
function base64Value(code: number): number | undefined {
  if (code >= 65 && code <= 90) return code - 65
  if (code >= 97 && code <= 122) return code - 71
  if (code >= 48 && code <= 57) return code + 4
  if (code === 43) return 62
  return code === 47 ? 63 : undefined
}
