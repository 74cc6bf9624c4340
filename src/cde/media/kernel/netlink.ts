/**
 * Netlink messages as Linux writes them (RFC 3549 2.3.2, linux/netlink.h): little-endian on all that we run on.
 * ```
 * | length (32) | type (16) | flags (16) | sequence (32) | port (32) | body …  |  padded to 4 octets
 * attribute: | length (16) | type (16) | value … |  padded to 4 octets
 * ```
 */
export interface NetlinkMessage {
  readonly type: number
  readonly sequence: number
  readonly body: Uint8Array
}

export type NetlinkProblem = 'short' | 'length-past-end'

export const netlinkTypes = { error: 2, done: 3 } as const
export const netlinkFlags = { request: 1, acknowledge: 4, exclusive: 0x200, create: 0x400, dump: 0x300 } as const

const HEADER_OCTETS = 16
const ATTRIBUTE_OCTETS = 4
const NESTED = 0x8000
const ATTRIBUTE_TYPE_MASK = 0x3fff

/** One message; the kernel fills in our port itself. */
export function netlinkMessage(type: number, flags: number, sequence: number, body: Uint8Array): Uint8Array {
  const octets = new Uint8Array(padded(HEADER_OCTETS + body.length))
  const view = new DataView(octets.buffer)
  view.setUint32(0, HEADER_OCTETS + body.length, true)
  view.setUint16(4, type, true)
  view.setUint16(6, flags, true)
  view.setUint32(8, sequence, true)
  octets.set(body, HEADER_OCTETS)
  return octets
}

export function attribute(type: number, value: Uint8Array): Uint8Array {
  const octets = new Uint8Array(padded(ATTRIBUTE_OCTETS + value.length))
  const view = new DataView(octets.buffer)
  view.setUint16(0, ATTRIBUTE_OCTETS + value.length, true)
  view.setUint16(2, type, true)
  octets.set(value, ATTRIBUTE_OCTETS)
  return octets
}

/** An attribute whose value is attributes. */
export function nested(type: number, ...children: readonly Uint8Array[]): Uint8Array {
  return attribute(type | NESTED, joined(children))
}

/** nf_tables writes its numbers in network order. */
export function uint32Attribute(type: number, value: number): Uint8Array {
  return attribute(type, uint32(value))
}

export function textAttribute(type: number, text: string): Uint8Array {
  return attribute(type, new TextEncoder().encode(`${text}\0`))
}

/** 32 bits in network order. */
export function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const octets = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    octets.set(part, at)
    at += part.length
  }
  return octets
}

/** The messages of one datagram, as views into it. */
export function readMessages(datagram: Uint8Array): NetlinkMessage[] | NetlinkProblem {
  const messages: NetlinkMessage[] = []
  const view = viewOf(datagram)
  for (let at = 0; at < datagram.length; ) {
    if (datagram.length - at < HEADER_OCTETS) return 'short'
    const length = view.getUint32(at, true)
    if (length < HEADER_OCTETS || at + length > datagram.length) return 'length-past-end'
    const type = view.getUint16(at + 4, true)
    const sequence = view.getUint32(at + 8, true)
    messages.push({ type, sequence, body: datagram.subarray(at + HEADER_OCTETS, at + length) })
    at += padded(length)
  }
  return messages
}

/** Attributes by type; of several with one type all are kept, in order. */
export type Attributes = ReadonlyMap<number, readonly Uint8Array[]>

export function readAttributes(octets: Uint8Array): Attributes | NetlinkProblem {
  const found = new Map<number, Uint8Array[]>()
  const view = viewOf(octets)
  for (let at = 0; at < octets.length; ) {
    if (octets.length - at < ATTRIBUTE_OCTETS) return 'short'
    const length = view.getUint16(at, true)
    if (length < ATTRIBUTE_OCTETS || at + length > octets.length) return 'length-past-end'
    const type = view.getUint16(at + 2, true) & ATTRIBUTE_TYPE_MASK
    const values = found.get(type) ?? []
    values.push(octets.subarray(at + ATTRIBUTE_OCTETS, at + length))
    found.set(type, values)
    at += padded(length)
  }
  return found
}

/** @returns the errno of an error message, 0 for an acknowledgement, undefined for another message or a cut one */
export function errnoIn({ type, body }: NetlinkMessage): number | undefined {
  return type !== netlinkTypes.error || body.length < 4 ? undefined : 0 - viewOf(body).getInt32(0, true)
}

function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.length)
}

function padded(octets: number): number {
  return (octets + 3) & ~3
}
