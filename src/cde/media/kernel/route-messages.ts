/** What is asked of the kernel's routing (rtnetlink(7)): whose device an address is, and which way a packet goes. */
import { attribute, type Attributes, joined, netlinkFlags, netlinkMessage, readAttributes } from './netlink.ts'
import type { Route } from './flow.ts'

const types = { newLink: 16, getLink: 18, newAddress: 20, getAddress: 22, newRoute: 24, getRoute: 26 }
const AF_INET = 2
const UNICAST = 1
const LOOPBACK_FLAG = 0x8

export interface Device {
  readonly name: string
  readonly isLoopback: boolean
}

export function getAddresses(sequence: number): Uint8Array {
  const flags = netlinkFlags.request | netlinkFlags.dump
  return netlinkMessage(types.getAddress, flags, sequence, Uint8Array.of(AF_INET, 0, 0, 0, 0, 0, 0, 0))
}

/** @returns the index of the device, when the message says that this IPv4 address is its own */
export function deviceWith(host: string, type: number, body: Uint8Array): number | undefined {
  const HEADER_OCTETS = 8
  const IFA_LOCAL = 2
  if (type !== types.newAddress || body.length < HEADER_OCTETS) return undefined
  const own = attributesAfter(body, HEADER_OCTETS)?.get(IFA_LOCAL)?.[0]
  return own?.join('.') === host ? uint32Own(body, 4) : undefined
}

export function getDevice(sequence: number, index: number): Uint8Array {
  const body = new Uint8Array(16)
  new DataView(body.buffer).setInt32(4, index, true)
  return netlinkMessage(types.getLink, netlinkFlags.request, sequence, body)
}

export function deviceIn(type: number, body: Uint8Array): Device | undefined {
  const HEADER_OCTETS = 16
  const IFLA_IFNAME = 3
  if (type !== types.newLink || body.length < HEADER_OCTETS) return undefined
  const name = attributesAfter(body, HEADER_OCTETS)?.get(IFLA_IFNAME)?.[0]
  if (name === undefined) return undefined
  const isLoopback = (uint32Own(body, 8) & LOOPBACK_FLAG) !== 0
  return { name: new TextDecoder().decode(name).replace(/\0.*$/s, ''), isLoopback }
}

/** The way to `destination` for packets of ours from `source`; IPv4 both. */
export function getRoute(sequence: number, source: string, destination: string): Uint8Array {
  const RTA_DST = 1
  const RTA_SRC = 2
  const header = Uint8Array.of(AF_INET, 32, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  const addresses = [attribute(RTA_DST, ipv4(destination)), attribute(RTA_SRC, ipv4(source))]
  return netlinkMessage(types.getRoute, netlinkFlags.request, sequence, joined([header, ...addresses]))
}

/** @returns undefined for any other message, and for a destination that is our own, a broadcast, or behind an IPv6 gateway */
export function routeIn(destination: string, type: number, body: Uint8Array): Route | undefined {
  const HEADER_OCTETS = 12
  const TYPE_AT = 7
  const RTA_OIF = 4
  const RTA_GATEWAY = 5
  const RTA_VIA = 18
  if (type !== types.newRoute || body.length < HEADER_OCTETS || body[TYPE_AT] !== UNICAST) return undefined
  const attributes = attributesAfter(body, HEADER_OCTETS)
  const device = attributes?.get(RTA_OIF)?.[0]
  const gateway = attributes?.get(RTA_GATEWAY)?.[0]
  if (device?.length !== 4 || attributes?.has(RTA_VIA) === true) return undefined
  return { deviceIndex: uint32Own(device, 0), neighbour: gateway?.join('.') ?? destination }
}

function attributesAfter(body: Uint8Array, headerOctets: number): Attributes | undefined {
  const attributes = readAttributes(body.subarray(headerOctets))
  return typeof attributes === 'string' ? undefined : attributes
}

/** 32 bits in the kernel's own order. */
function uint32Own(octets: Uint8Array, at: number): number {
  return new DataView(octets.buffer, octets.byteOffset).getUint32(at, true)
}

function ipv4(host: string): Uint8Array {
  return Uint8Array.from(host.split('.'), Number)
}
