/**
 * The expressions of nf_tables rules that we use (linux/netfilter/nf_tables.h). A rule is a list of them; each works on
 * sixteen registers of 32 bits, and one that does not match ends the rule.
 */
import { attribute, nested, textAttribute, uint32Attribute } from './netlink.ts'

/** 0–15: the registers NFT_REG32_00 to NFT_REG32_15. */
export type Register = number

const LIST_ELEMENT = 1
const FIRST_REGISTER = 8
const bases = { network: 1, transport: 2 } as const
const metaKeys = { protocol: 1, l4Protocol: 16, packetType: 19 } as const
const comparisons = { equal: 0, unequal: 1, atMost: 3, atLeast: 5 } as const
const CHECKSUM_INET = 1
/** The checksum of the layer above, as far as it is in use, is brought in line as well. */
const CHECKSUM_FOLLOWS = 1

export interface Place {
  readonly base: keyof typeof bases
  readonly offset: number
  readonly octets: number
}

/** A fact about the packet that is not in its octets. */
export function loadMeta(key: keyof typeof metaKeys, into: Register): Uint8Array {
  return expression('meta', register(1, into), uint32Attribute(2, metaKeys[key]))
}

/** Octets of the packet, zero octets behind up to the next register. Does not match a packet that ends before. */
export function loadPayload({ base, offset, octets }: Place, into: Register): Uint8Array {
  const where = [uint32Attribute(2, bases[base]), uint32Attribute(3, offset), uint32Attribute(4, octets)]
  return expression('payload', register(1, into), ...where)
}

/**
 * Overwrites octets of the packet. UDP's checksum follows, but for a packet that has none.
 * @param headerChecksumAt where the header's own checksum stands, if it has one
 */
export function storePayload({ base, offset, octets }: Place, from: Register, headerChecksumAt?: number): Uint8Array {
  const own =
    headerChecksumAt === undefined ? [] : [uint32Attribute(6, CHECKSUM_INET), uint32Attribute(7, headerChecksumAt)]
  const where = [uint32Attribute(2, bases[base]), uint32Attribute(3, offset), uint32Attribute(4, octets)]
  return expression('payload', register(5, from), ...where, ...own, uint32Attribute(8, CHECKSUM_FOLLOWS))
}

/** Matches when the register compares so, octet by octet, to `value`. */
export function compare(from: Register, how: keyof typeof comparisons, value: Uint8Array): Uint8Array {
  return expression('cmp', register(1, from), uint32Attribute(2, comparisons[how]), nested(3, attribute(1, value)))
}

/** Keeps the bits of a register that are set in `mask`. */
export function mask(at: Register, bits: Uint8Array): Uint8Array {
  const size = uint32Attribute(3, bits.length)
  const zeros = nested(5, attribute(1, new Uint8Array(bits.length)))
  return expression('bitwise', register(1, at), register(2, at), size, nested(4, attribute(1, bits)), zeros)
}

/** Finds the key that begins at `from` in a map, and copies what it maps to. */
export function lookUp(set: string, from: Register, into: Register): Uint8Array {
  return expression('lookup', textAttribute(1, set), register(2, from), register(3, into))
}

/** Hands the packet to a device for the IPv4 neighbour whose address stands in a register; one hop of its TTL is used up. */
export function forward(device: Register, neighbour: Register): Uint8Array {
  const NFPROTO_IPV4 = 2
  return expression('fwd', register(1, device), register(2, neighbour), uint32Attribute(3, NFPROTO_IPV4))
}

/** Counts per element, as part of a set's description. */
export function counterPrototype(type: number): Uint8Array {
  return nested(type, textAttribute(1, 'counter'), nested(2))
}

function expression(name: string, ...attributes: readonly Uint8Array[]): Uint8Array {
  return nested(LIST_ELEMENT, textAttribute(1, name), nested(2, ...attributes))
}

function register(type: number, number: Register): Uint8Array {
  return uint32Attribute(type, FIRST_REGISTER + number)
}
