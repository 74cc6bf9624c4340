/** Messages of nf_tables (linux/netfilter/nf_tables.h), in the family `netdev`, whose hooks lie before all routing. */
import {
  attribute,
  type Attributes,
  joined,
  nested,
  netlinkFlags,
  netlinkMessage,
  readAttributes,
  textAttribute,
  uint32Attribute,
} from './netlink.ts'
import { counterPrototype } from './nft-expressions.ts'

const SUBSYSTEM = 10 << 8
const types = { newTable: 0, newChain: 3, newRule: 6, newSet: 9, newElements: 12, getElements: 13, deleteElements: 14 }
const BATCH_BEGIN = 16
const BATCH_END = 17
const FAMILY_NETDEV = 5
/** The table belongs to the socket that makes it: it goes when that is closed, by us or by the death of the process. */
const TABLE_OWNED = 2
const HOOK_INGRESS = 0
const POLICY_ACCEPT = 1
const SET_MAP = 0x8
const SET_EXPRESSION = 0x100
const LIST_ELEMENT = 1

/** A message without its number in the sequence. */
export interface NftMessage {
  readonly type: number
  readonly flags: number
  readonly body: Uint8Array
}

export interface MapShape {
  readonly keyOctets: number
  readonly dataOctets: number
  /** The kernel refuses more. */
  readonly elementsMax: number
}

export interface Counted {
  readonly packets: number
  readonly octets: number
}

export function newOwnedTable(table: string): NftMessage {
  return alone(created(types.newTable, textAttribute(1, table), uint32Attribute(2, TABLE_OWNED)))
}

/** A chain through which all that comes in on a device passes; what no rule takes goes on its usual way. */
export function newIngressChain(table: string, chain: string, device: string): NftMessage {
  const hook = nested(4, uint32Attribute(1, HOOK_INGRESS), uint32Attribute(2, 0), nested(4, textAttribute(1, device)))
  const names = [textAttribute(1, table), textAttribute(3, chain)]
  return created(types.newChain, ...names, hook, uint32Attribute(5, POLICY_ACCEPT), textAttribute(7, 'filter'))
}

/** A map of plain octets, each element with a counter of its own. */
export function newCountingMap(table: string, map: string, shape: MapShape): NftMessage {
  const { keyOctets, dataOctets, elementsMax } = shape
  const sizes = [
    uint32Attribute(5, keyOctets),
    uint32Attribute(7, dataOctets),
    nested(9, uint32Attribute(1, elementsMax)),
  ]
  // The types of key and data mean something to the tool `nft` only.
  const kinds = [uint32Attribute(3, SET_MAP | SET_EXPRESSION), uint32Attribute(4, 0), uint32Attribute(6, 0)]
  const names = [textAttribute(1, table), textAttribute(2, map)]
  return created(types.newSet, ...names, ...kinds, ...sizes, uint32Attribute(10, 1), counterPrototype(17))
}

/** @param expressions see nft-expressions.ts */
export function newRule(table: string, chain: string, expressions: readonly Uint8Array[]): NftMessage {
  return created(types.newRule, textAttribute(1, table), textAttribute(2, chain), nested(4, ...expressions))
}

export interface MapEntry {
  readonly key: Uint8Array
  readonly data: Uint8Array
}

/** Refused as a whole when the map is full or holds one of the keys. */
export function newElements(table: string, map: string, entries: readonly MapEntry[]): NftMessage {
  const elements = entries.map(({ key, data }) => nested(LIST_ELEMENT, valueOf(1, key), valueOf(2, data)))
  return alone(created(types.newElements, ...elementsOf(table, map, elements)))
}

export function deleteElements(table: string, map: string, keys: readonly Uint8Array[]): NftMessage {
  return plain(types.deleteElements, ...elementsOf(table, map, keyed(keys)))
}

/** A request, not for a batch: the answer is a message per key, each read by `countedIn`. */
export function getElements(table: string, map: string, keys: readonly Uint8Array[]): NftMessage {
  return plain(types.getElements, ...elementsOf(table, map, keyed(keys)))
}

/**
 * All or nothing: the kernel acts on a batch at once, and acknowledges its last message.
 * @returns the octets to send, and the number of the message whose acknowledgement says that it is done
 */
export function batch(messages: readonly NftMessage[], firstSequence: number): { octets: Uint8Array; last: number } {
  const last = firstSequence + messages.length
  const parts = messages.map(({ type, flags, body }, index) => {
    const acknowledge = index === messages.length - 1 ? netlinkFlags.acknowledge : 0
    return netlinkMessage(type, flags | acknowledge, firstSequence + 1 + index, body)
  })
  // The header of a batch names the subsystem where others name the family's version, in network order.
  const bounds = Uint8Array.of(0, 0, 0, SUBSYSTEM >> 8)
  const begin = netlinkMessage(BATCH_BEGIN, netlinkFlags.request, firstSequence, bounds)
  const end = netlinkMessage(BATCH_END, netlinkFlags.request, last + 1, bounds)
  return { octets: joined([begin, ...parts, end]), last }
}

/** Key and counter of the one element in an answer to `getElements`; undefined for any other message. */
export function countedIn(type: number, body: Uint8Array): { key: Uint8Array; counted: Counted } | undefined {
  const FAMILY_HEADER_OCTETS = 4
  if (type !== (SUBSYSTEM | types.newElements) || body.length < FAMILY_HEADER_OCTETS) return undefined
  const element = within(within(read(body.subarray(FAMILY_HEADER_OCTETS)), 3), LIST_ELEMENT)
  const key = within(element, 1)?.get(1)?.[0]
  const counter = within(within(element, 7), 2)
  const octets = counter?.get(1)?.[0]
  const packets = counter?.get(2)?.[0]
  if (key === undefined || octets?.length !== 8 || packets?.length !== 8) return undefined
  return { key, counted: { packets: uint64(packets), octets: uint64(octets) } }
}

function within(attributes: Attributes | undefined, type: number): Attributes | undefined {
  const value = attributes?.get(type)?.[0]
  return value === undefined ? undefined : read(value)
}

function read(octets: Uint8Array): Attributes | undefined {
  const attributes = readAttributes(octets)
  return typeof attributes === 'string' ? undefined : attributes
}

function uint64(octets: Uint8Array): number {
  return Number(new DataView(octets.buffer, octets.byteOffset).getBigUint64(0))
}

function elementsOf(table: string, map: string, elements: readonly Uint8Array[]): Uint8Array[] {
  return [textAttribute(1, table), textAttribute(2, map), nested(3, ...elements)]
}

function keyed(keys: readonly Uint8Array[]): Uint8Array[] {
  return keys.map((key) => nested(LIST_ELEMENT, valueOf(1, key)))
}

function valueOf(type: number, value: Uint8Array): Uint8Array {
  return nested(type, attribute(1, value))
}

/** Refused when it is there already. */
function alone({ type, flags, body }: NftMessage): NftMessage {
  return { type, flags: flags | netlinkFlags.exclusive, body }
}

function created(type: number, ...attributes: readonly Uint8Array[]): NftMessage {
  const { body, flags, ...rest } = plain(type, ...attributes)
  return { ...rest, flags: flags | netlinkFlags.create, body }
}

function plain(type: number, ...attributes: readonly Uint8Array[]): NftMessage {
  const header = Uint8Array.of(FAMILY_NETDEV, 0, 0, 0)
  return { type: SUBSYSTEM | type, flags: netlinkFlags.request, body: joined([header, ...attributes]) }
}
