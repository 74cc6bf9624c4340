import type { Address } from '../../../lib/address.ts'
import { ipHost } from '../ip-host.ts'
import { type Frame, MediaOpenError, type MediaOpenReason } from '../socket.ts'
import { type Libc, mapMemory } from './libc.ts'
import { AF_INET, AF_INET6, readSockaddr, SOCKADDR_OCTETS, writeSockaddr } from './sockaddr.ts'

export interface BoundUdp {
  readonly fd: number
  readonly local: Address
}

// Linux, x64 and arm64 alike.
const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const IPPROTO_IP = 0
const IP_TOS = 1
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const IPV6_TCLASS = 67
/** RFC 4594 4.1: telephony is Expedited Forwarding, DSCP 46; the two bits below it are ECN's. */
const EXPEDITED_FORWARDING = 46 << 2
const openReasons: Readonly<Record<number, MediaOpenReason>> = { 98: 'address-in-use', 99: 'address-not-here' }

const scratch = mapMemory(4_096)
const words = new Int32Array(scratch.octets.buffer)
const ADDRESS_AT = 0
const NUMBER_AT = 64
const PACKET_AT = 1_024
const PACKET_ROOM = 2_048

/** Binds a port for this process alone. @throws MediaOpenError */
export function bindUdp(libc: Libc, local: Address): BoundUdp {
  const fd = openSocket(libc, local)
  if (typeof fd === 'string') throw new MediaOpenError(fd)
  words[NUMBER_AT / 4] = SOCKADDR_OCTETS
  const isNamed = libc.getsockname(fd, scratch.address + ADDRESS_AT, scratch.address + NUMBER_AT) === 0
  return { fd, local: (isNamed ? readSockaddr(scratch.octets, ADDRESS_AT) : undefined) ?? local }
}

/**
 * A second socket on the port of a bound one, connected to `peer`: the kernel gives it that peer's datagrams, and all others
 * still to the first. Two sockets share a port only while both allow it: only for the moment of binding. Datagrams that came
 * between binding and connecting may be of anybody and have to be read with their source.
 * @returns undefined where the system refuses
 */
export function connectUdp(libc: Libc, { fd: first, local }: BoundUdp, peer: Address): number | undefined {
  setOption(libc, first, SOL_SOCKET, SO_REUSEADDR, 1)
  const fd = openSocket(libc, local, true)
  setOption(libc, first, SOL_SOCKET, SO_REUSEADDR, 0)
  if (typeof fd === 'string') return undefined
  setOption(libc, fd, SOL_SOCKET, SO_REUSEADDR, 0)
  const length = writeSockaddr(scratch.octets, ADDRESS_AT, peer)
  if (length > 0 && libc.connect(fd, scratch.address + ADDRESS_AT, length) === 0) return fd
  libc.close(fd)
  return undefined
}

/** @returns the next datagram of a socket, valid until the next call; undefined when there is none */
export function readWaiting(libc: Libc, fd: number): Frame | undefined {
  const { address, octets } = scratch
  words[NUMBER_AT / 4] = SOCKADDR_OCTETS
  const length = libc.recvfrom(fd, address + PACKET_AT, PACKET_ROOM, 0, address + ADDRESS_AT, address + NUMBER_AT)
  const from = length < 0 ? undefined : readSockaddr(octets, ADDRESS_AT)
  return from && { octets, start: PACKET_AT, length, from }
}

function openSocket(libc: Libc, local: Address, isShared = false): number | MediaOpenReason {
  const length = writeSockaddr(scratch.octets, ADDRESS_AT, local)
  if (length === 0) return 'failed'
  const isIpv6 = ipHost(local.host)?.includes(':') === true
  const fd = libc.socket(isIpv6 ? AF_INET6 : AF_INET, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0)
  if (fd < 0) return 'failed'
  if (isIpv6) {
    setOption(libc, fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)
    setOption(libc, fd, IPPROTO_IPV6, IPV6_TCLASS, EXPEDITED_FORWARDING)
  } else setOption(libc, fd, IPPROTO_IP, IP_TOS, EXPEDITED_FORWARDING)
  if (isShared) setOption(libc, fd, SOL_SOCKET, SO_REUSEADDR, 1)
  if (libc.bind(fd, scratch.address + ADDRESS_AT, length) === 0) return fd
  const reason = openReasons[libc.errno()] ?? 'failed'
  libc.close(fd)
  return reason
}

/** A refused option costs quality or, for SO_REUSEADDR, the second socket; never the port. */
function setOption(libc: Libc, fd: number, level: number, option: number, value: number): void {
  words[NUMBER_AT / 4] = value
  libc.setsockopt(fd, level, option, scratch.address + NUMBER_AT, 4)
}
