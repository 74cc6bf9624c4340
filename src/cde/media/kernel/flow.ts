/** One direction of a call as the kernel forwards it: the rule that all flows share, and the element of each. */
import type { Address } from '../../../lib/address.ts'
import { dtmfLimits } from '../../../lib/limits.ts'
import { joined, uint32 } from './netlink.ts'
import { compare, forward, loadMeta, loadPayload, lookUp, mask, type Place, storePayload } from './nft-expressions.ts'
import type { MapEntry } from './nft-messages.ts'

/** IPv4 throughout. */
export interface Flow {
  /** Whose packets count. */
  readonly source: Address
  /** Our port at which they arrive. */
  readonly arrivesAt: Address
  readonly payloadType: number
  /** Of the stream that runs: who forges the address but sees no packet gets no word in (sip.md 6.1). */
  readonly ssrc: number
  /** Its newest number, for forwarders that can tell whether a packet goes on from there; the kernel cannot. */
  readonly sequence?: number
  /** Our port from which they leave. */
  readonly leavesFrom: Address
  readonly destination: Address
}

/** The way to a destination: the device, and whom to hand the packet there. */
export interface Route {
  readonly deviceIndex: number
  readonly neighbour: string
}

export const KEY_OCTETS = 20
export const DATA_OCTETS = 20

/** RFC 3550 5.1: version 2, no padding, no extension, no CSRC. */
const PLAIN_RTP = 0x80
const UDP_HEADER_OCTETS = 8
const RTP_HEADER_OCTETS = 12
/** Of a sequence number; packets in which these bits are zero are not forwarded. */
const SAMPLE_MASK = 0x7f
const addresses: Place = { base: 'network', offset: 12, octets: 8 }
const IPV4_CHECKSUM_AT = 10
const fragment: Place = { base: 'network', offset: 6, octets: 2 }
const ports: Place = { base: 'transport', offset: 0, octets: 4 }
const udpLength: Place = { base: 'transport', offset: 4, octets: 2 }
const rtpTypes: Place = { base: 'transport', offset: UDP_HEADER_OCTETS, octets: 2 }
const rtpSsrc: Place = { base: 'transport', offset: UDP_HEADER_OCTETS + 8, octets: 4 }
const rtpSequenceLow: Place = { base: 'transport', offset: UDP_HEADER_OCTETS + 3, octets: 1 }

// The registers of the lookup: the key in the first five, what it maps to in the next five.
const KEY = { addresses: 0, ports: 2, rtp: 3, ssrc: 4 }
const DATA = { addresses: 5, ports: 7, device: 8, neighbour: 9 }
const SCRATCH = KEY.rtp

/**
 * The one rule. What does not match goes on to user space, on the same ports: other sources and streams, RTCP, other payload types
 * (events among them), extensions, fragments, what is too short or too long to be audio (MED-18), and one packet in 128, by
 * which user space keeps itself informed of the stream's numbers.
 */
export function forwardingRule(map: string): Uint8Array[] {
  const audioOctets = (samples: number): Uint8Array => uint16(UDP_HEADER_OCTETS + RTP_HEADER_OCTETS + samples)
  return [
    loadMeta('protocol', SCRATCH),
    compare(SCRATCH, 'equal', Uint8Array.of(8, 0)),
    loadMeta('l4Protocol', SCRATCH),
    compare(SCRATCH, 'equal', Uint8Array.of(17)),
    loadMeta('packetType', SCRATCH),
    compare(SCRATCH, 'equal', Uint8Array.of(0)),
    loadPayload(fragment, SCRATCH),
    mask(SCRATCH, Uint8Array.of(0x3f, 0xff)),
    compare(SCRATCH, 'equal', Uint8Array.of(0, 0)),
    loadPayload(udpLength, SCRATCH),
    compare(SCRATCH, 'atLeast', audioOctets(dtmfLimits.audioSamplesMin)),
    compare(SCRATCH, 'atMost', audioOctets(dtmfLimits.audioSamplesMax)),
    loadPayload(rtpSequenceLow, SCRATCH),
    mask(SCRATCH, Uint8Array.of(SAMPLE_MASK)),
    compare(SCRATCH, 'unequal', Uint8Array.of(0)),
    loadPayload(addresses, KEY.addresses),
    loadPayload(ports, KEY.ports),
    loadPayload(rtpTypes, KEY.rtp),
    // The marker may be set or not.
    mask(KEY.rtp, Uint8Array.of(0xff, 0x7f)),
    loadPayload(rtpSsrc, KEY.ssrc),
    lookUp(map, KEY.addresses, DATA.addresses),
    storePayload(addresses, DATA.addresses, IPV4_CHECKSUM_AT),
    storePayload(ports, DATA.ports),
    forward(DATA.device, DATA.neighbour),
  ]
}

/** True for a packet that the rule leaves to user space although its flow has an entry. */
export function isSample(sequence: number): boolean {
  return (sequence & SAMPLE_MASK) === 0
}

export function flowKey({ source, arrivesAt, payloadType, ssrc }: Flow): Uint8Array {
  const rtp = Uint8Array.of(PLAIN_RTP, payloadType & 0x7f, 0, 0)
  return joined([ipv4(source), ipv4(arrivesAt), uint16(source.port), uint16(arrivesAt.port), rtp, uint32(ssrc)])
}

export function flowEntry(flow: Flow, { deviceIndex, neighbour }: Route): MapEntry {
  const { leavesFrom, destination } = flow
  // Numbers that the kernel makes use of itself are in its own order.
  const device = uint32(deviceIndex).reverse()
  const addressing = [ipv4(leavesFrom), ipv4(destination), uint16(leavesFrom.port), uint16(destination.port)]
  return { key: flowKey(flow), data: joined([...addressing, device, ipv4({ host: neighbour })]) }
}

function ipv4({ host }: { readonly host: string }): Uint8Array {
  return Uint8Array.from(host.split('.'), Number)
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value)
}
