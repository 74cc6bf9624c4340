/** A netlink socket on libc. The kernel answers before `sendto` returns, so nothing here waits. Every pointer is in this file. */
import { type Libc, libc, mapMemory } from '../relay/libc.ts'
import { errnoIn, type NetlinkMessage, netlinkTypes, readMessages } from './netlink.ts'

const netlinkProtocols = { route: 0, netfilter: 12 } as const

/** Why the kernel did not do what it was asked. */
export type NetlinkRefusal = 'no-permission' | 'not-there' | 'already-there' | 'full' | 'not-supported' | 'failed'

const AF_NETLINK = 16
const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0o4000 | 0o2000000
const MSG_DONTWAIT = 0x40
const EAGAIN = 11
const REQUEST_OCTETS_MAX = 32_768
const ANSWER_OCTETS_MAX = 65_536
/** Datagrams of one answer: far more than the addresses of any host need. */
const DATAGRAMS_MAX = 256
const refusals: Readonly<Record<number, NetlinkRefusal>> = {
  1: 'no-permission',
  2: 'not-there',
  17: 'already-there',
  23: 'full',
  93: 'not-supported',
  95: 'not-supported',
  97: 'not-supported',
}

export class NetlinkSocket {
  readonly #fd: number
  readonly #libc: Libc
  readonly #memory = mapMemory(REQUEST_OCTETS_MAX + ANSWER_OCTETS_MAX)
  #isOpen = true

  private constructor(fd: number, calls: Libc) {
    this.#fd = fd
    this.#libc = calls
  }

  /** @param calls others than libc's, to try what happens when they fail */
  static open(protocol: keyof typeof netlinkProtocols, calls: Libc = libc): NetlinkSocket | NetlinkRefusal {
    const fd = calls.socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, netlinkProtocols[protocol])
    return fd < 0 ? refusalOf(calls.errno()) : new NetlinkSocket(fd, calls)
  }

  /**
   * @returns all messages of the answer, in order; a word when there is none. `failed`: it is not known whether the kernel has done
   * what it was asked
   */
  exchange(request: Uint8Array): NetlinkMessage[] | NetlinkRefusal {
    if (!this.#isOpen || request.length > REQUEST_OCTETS_MAX) return 'failed'
    // What is left of an answer that could not be read is no answer to this.
    if (typeof this.#read() === 'string') return 'failed'
    const { address, octets } = this.#memory
    octets.set(request)
    const sent = this.#libc.sendto(this.#fd, address, request.length, 0, 0, 0)
    if (sent < 0) return refusalOf(this.#libc.errno())
    return sent === request.length ? this.#read() : 'failed'
  }

  close(): void {
    if (this.#isOpen) this.#libc.close(this.#fd)
    this.#isOpen = false
  }

  #read(): NetlinkMessage[] | 'failed' {
    const messages: NetlinkMessage[] = []
    const { address, octets } = this.#memory
    for (let datagrams = 0; datagrams < DATAGRAMS_MAX; datagrams++) {
      const at = address + REQUEST_OCTETS_MAX
      const length = this.#libc.recvfrom(this.#fd, at, ANSWER_OCTETS_MAX, MSG_DONTWAIT, 0, 0)
      if (length < 0) return this.#libc.errno() === EAGAIN ? messages : 'failed'
      const read = readMessages(octets.slice(REQUEST_OCTETS_MAX, REQUEST_OCTETS_MAX + length))
      if (typeof read === 'string') return 'failed'
      messages.push(...read)
    }
    return 'failed'
  }
}

/** What the messages say of a request: the first error among them, `done` with the acknowledgement of number `last`. */
export function verdictOf(messages: readonly NetlinkMessage[], last: number): 'done' | NetlinkRefusal {
  const errors = messages.map((message) => errnoIn(message)).filter((errno) => errno !== undefined && errno !== 0)
  const [errno] = errors
  if (errno !== undefined) return refusalOf(errno)
  const isDone = messages.some(({ type, sequence }) => type === netlinkTypes.error && sequence === last)
  return isDone ? 'done' : 'failed'
}

function refusalOf(errno: number): NetlinkRefusal {
  return refusals[errno] ?? 'failed'
}
