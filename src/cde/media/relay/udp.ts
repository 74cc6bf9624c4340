import type { Address } from '../../../lib/address.ts'
import { ipHost } from '../ip-host.ts'
import { MediaOpenError, type MediaOpenReason } from '../socket.ts'
import { errnoOf, libc, mapMemory } from './libc.ts'
import { AF_INET, AF_INET6, readSockaddr, SOCKADDR_OCTETS, writeSockaddr } from './sockaddr.ts'

export interface BoundUdp {
  readonly fd: number
  readonly local: Address
}

// Linux, x64 and arm64 alike.
const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const openReasons: Readonly<Record<number, MediaOpenReason>> = { 98: 'address-in-use', 99: 'address-not-here' }

const scratch = mapMemory(4_096)
const words = new Int32Array(scratch.octets.buffer)
const LENGTH_AT = 64

/** Binds a port for this process alone. @throws MediaOpenError */
export function bindUdp(local: Address): BoundUdp {
  const length = writeSockaddr(scratch.octets, 0, local)
  if (length === 0) throw new MediaOpenError('failed')
  const isIpv6 = ipHost(local.host)?.includes(':') === true
  const fd = libc.socket(isIpv6 ? AF_INET6 : AF_INET, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0)
  if (fd < 0) throw new MediaOpenError('failed')
  words[LENGTH_AT / 4] = 1
  if (isIpv6) libc.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, scratch.address + LENGTH_AT, 4)
  if (libc.bind(fd, scratch.address, length) !== 0) {
    const reason = openReasons[errnoOf()] ?? 'failed'
    libc.close(fd)
    throw new MediaOpenError(reason)
  }
  words[LENGTH_AT / 4] = SOCKADDR_OCTETS
  const isNamed = libc.getsockname(fd, scratch.address, scratch.address + LENGTH_AT) === 0
  return { fd, local: (isNamed ? readSockaddr(scratch.octets, 0) : undefined) ?? local }
}
