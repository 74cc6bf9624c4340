/** As much of DER (ITU-T X.690) as a certificate of our own needs: what is written has its definite, shortest length. */

export type Der = Uint8Array

/** @param tag class, form and number in one octet */
export function der(tag: number, ...content: readonly Uint8Array[]): Der {
  const body = Buffer.concat(content)
  return Buffer.concat([Uint8Array.of(tag, ...lengthOctets(body.length)), body])
}

export const sequence = (...content: readonly Uint8Array[]): Der => der(0x30, ...content)
export const set = (...content: readonly Uint8Array[]): Der => der(0x31, ...content)
export const utf8 = (text: string): Der => der(0x0c, Buffer.from(text))
/** With no bits unused. */
export const bitString = (octets: Uint8Array): Der => der(0x03, Uint8Array.of(0), octets)
export const explicit = (number: number, content: Uint8Array): Der => der(0xa0 | number, content)

/** @param octets not negative, the greatest first */
export function integer(octets: Uint8Array): Der {
  const first = octets.findIndex((octet) => octet !== 0)
  const shortest = first === -1 ? Uint8Array.of(0) : octets.subarray(first)
  const sign = (shortest[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array()
  return der(0x02, sign, shortest)
}

/** @param text for instance `1.2.840.10045.4.3.2` */
export function objectId(text: string): Der {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  return der(0x06, Uint8Array.from([40 * first + second, ...rest].flatMap(base128)))
}

/** RFC 5280 4.1.2.5.1: years to 2049. @param wallMs since 1970 */
export function utcTime(wallMs: number): Der {
  const digits = new Date(wallMs).toISOString().replace(/\D/g, '')
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`))
}

function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length]
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
}

function base128(value: number): readonly number[] {
  const digits = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80)
  return digits
}
