import type { Address } from '../../../lib/address.ts'
import { ipHost } from '../ip-host.ts'

/** Room for either family. */
export const SOCKADDR_OCTETS = 28
/** `struct sockaddr_in` and `struct sockaddr_in6` of Linux: family in host order (little-endian), port in network order. */
export const AF_INET = 2
export const AF_INET6 = 10
const IPV4_OCTETS = 16
const IPV6_ADDRESS_AT = 8

/**
 * Writes an address as the kernel reads it. @param octets at least SOCKADDR_OCTETS from `at`
 * @returns its length, 0 for what is no IP literal with a port of 1–65535 (then nothing usable was written)
 */
export function writeSockaddr(octets: Uint8Array, at: number, { host, port }: Address): number {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) return 0
  const literal = ipHost(host)
  if (literal === undefined) return 0
  octets.fill(0, at, at + SOCKADDR_OCTETS)
  octets[at + 2] = port >> 8
  octets[at + 3] = port
  if (!literal.includes(':')) {
    octets[at] = AF_INET
    octets.set(literal.split('.').map(Number), at + 4)
    return IPV4_OCTETS
  }
  octets[at] = AF_INET6
  for (const [index, group] of ipv6Groups(literal).entries()) {
    octets[at + IPV6_ADDRESS_AT + index * 2] = group >> 8
    octets[at + IPV6_ADDRESS_AT + index * 2 + 1] = group
  }
  return SOCKADDR_OCTETS
}

/** @returns the address in the spelling of `ipHost`, undefined for another family */
export function readSockaddr(octets: Uint8Array, at: number): Address | undefined {
  const port = ((octets[at + 2] ?? 0) << 8) | (octets[at + 3] ?? 0)
  const family = octets[at]
  if (family === AF_INET) return { host: octets.subarray(at + 4, at + 8).join('.'), port }
  if (family !== AF_INET6) return undefined
  const groups = Array.from({ length: 8 }, (_, index) => {
    const where = at + IPV6_ADDRESS_AT + index * 2
    return (((octets[where] ?? 0) << 8) | (octets[where + 1] ?? 0)).toString(16)
  })
  return { host: ipHost(groups.join(':')) ?? '::', port }
}

/** @param literal in the short spelling, which the URL parser writes: groups of hexadecimal digits only */
function ipv6Groups(literal: string): number[] {
  const [left = '', right] = literal.split('::')
  const groupsOf = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)))
  const head = groupsOf(left)
  const tail = groupsOf(right ?? '')
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0)
  return [...head, ...zeros, ...tail]
}
