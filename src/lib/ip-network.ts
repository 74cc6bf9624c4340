/** IP addresses and networks as they stand in the configuration: `198.51.100.7`, `10.0.0.0/8`, `2001:db8::/32` (RFC 4632, RFC 4291 2.3). */
import { isIPv4, isIPv6 } from 'node:net'

export interface IpNetwork {
  /** 4 or 16 */
  readonly octets: Uint8Array
  readonly prefixBits: number
}

/** @returns undefined for anything else, also for a network with bits set behind its prefix, which is a mistake of somebody */
export function ipNetwork(text: string): IpNetwork | undefined {
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const octets = octetsOf(address)
  if (octets === undefined) return undefined
  const prefixBits = prefix === undefined ? octets.length * 8 : Number(prefix)
  if (prefixBits > octets.length * 8) return undefined
  const isClean = octets.every((octet, index) => (octet & ~maskOf(prefixBits, index)) === 0)
  return isClean ? { octets, prefixBits } : undefined
}

/** @param host an IP literal; anything else is in no network */
export function isInNetworks(host: string, networks: readonly IpNetwork[]): boolean {
  const octets = octetsOf(host)
  return octets !== undefined && networks.some((network) => isIn(octets, network))
}

function isIn(octets: Uint8Array, network: IpNetwork): boolean {
  if (octets.length !== network.octets.length) return false
  return octets.every((octet, index) => (octet & maskOf(network.prefixBits, index)) === network.octets[index])
}

/** Of one octet of a prefix. */
function maskOf(prefixBits: number, index: number): number {
  const bits = Math.min(8, Math.max(0, prefixBits - index * 8))
  return (0xff << (8 - bits)) & 0xff
}

function octetsOf(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.').map(Number))
  if (!isIPv6(text)) return undefined
  // The URL parser writes every spelling in groups of hexadecimal digits; it takes no zone after `%`, and neither do we.
  const groups = URL.parse(`http://[${text}]`)?.hostname.slice(1, -1).split('::')
  if (groups === undefined) return undefined
  const [head = [], tail = []] = groups.map((part) => part.split(':').filter((group) => group !== ''))
  const zeros: string[] = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  return Uint8Array.from(
    [...head, ...zeros, ...tail].flatMap((group) => {
      const value = Number.parseInt(group, 16)
      return [value >> 8, value & 0xff]
    }),
  )
}
