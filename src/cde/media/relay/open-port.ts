import { type Address, sameAddress } from '../../../lib/address.ts'
import { mediaLimits, relayLimits } from '../../../lib/limits.ts'
import { isUnspecified } from '../ip-host.ts'
import type { Frame, FrameListener, PacketListener } from '../socket.ts'
import type { Libc } from './libc.ts'
import { AF_INET, readSockaddr, SOCKADDR_OCTETS } from './sockaddr.ts'
import { type BoundUdp, readWaiting } from './udp.ts'

const SOCKADDR_WORDS = SOCKADDR_OCTETS / 4
const IPV4_WORDS = 2

/** An engine's one frame, which it fills for every datagram. */
export interface ReusedFrame extends Frame {
  start: number
  length: number
  from: Address
}

export const nowhere: Address = { host: '0.0.0.0', port: 0 }

/** One call's flood must not delay the others: so many datagrams per socket and millisecond, and no more. */
export class Allowance {
  #tick = -1
  #taken = 0

  mayTake(tick: number): boolean {
    if (tick !== this.#tick) {
      this.#tick = tick
      this.#taken = 0
    }
    return this.#taken++ < relayLimits.packetsPerPortAndTickMax
  }
}

export function isSendable({ host, port }: Address): boolean {
  return !isUnspecified(host) && port >= 1 && port <= 65_535
}

/**
 * Hands over what a socket of a port has heard and nobody read, such as between being bound and being connected.
 * @param isOpen whether the port still is; its listener may close it
 * @returns false when it is closed, or when it is too much: then the socket may still hold datagrams of anybody
 */
export function deliverWaiting(libc: Libc, fd: number, port: OpenPort, isOpen: () => boolean): boolean {
  for (let count = 0; isOpen() && count < relayLimits.packetsPerPortAndTickMax; count++) {
    const waiting = readWaiting(libc, fd)
    if (waiting === undefined) return true
    if (waiting.length <= mediaLimits.packetOctetsMax) port.deliver(waiting)
  }
  return false
}

/** What both engines know of a port: who listens, whom it last heard, and how often in a row. */
export class OpenPort implements BoundUdp {
  readonly fd: number
  readonly local: Address
  readonly #onPacket: PacketListener
  readonly #onFrame: FrameListener | undefined
  readonly #source = new Int32Array(SOCKADDR_WORDS)
  #from = nowhere
  #inRow = 0

  constructor({ fd, local }: BoundUdp, onPacket: PacketListener, onFrame: FrameListener | undefined) {
    this.fd = fd
    this.local = local
    this.#onPacket = onPacket
    this.#onFrame = onFrame
  }

  /** The address that the kernel wrote at `at`, a multiple of 4. A port mostly hears one source: it keeps one object for it. */
  sourceAt(octets: Uint8Array, words: Int32Array, at: number): Address {
    const first = at >> 2
    const count = octets[at] === AF_INET ? IPV4_WORDS : SOCKADDR_WORDS
    let isSame = true
    for (let i = 0; i < count; i++) isSame &&= words[first + i] === this.#source[i]
    if (isSame) {
      this.#inRow++
      return this.#from
    }
    this.#source.set(words.subarray(first, first + SOCKADDR_WORDS))
    this.#from = readSockaddr(octets, at) ?? nowhere
    this.#inRow = 1
    return this.#from
  }

  /** True when nobody but `peer` has been heard for a while: a socket connected to it will pay. */
  hearsOnly(peer: Address): boolean {
    return this.#inRow >= relayLimits.packetsUntilConnected && sameAddress(peer, this.#from)
  }

  startOver(): void {
    this.#inRow = 0
  }

  /** Hands a datagram over. Whoever wants to keep it gets a copy; in the engine's memory nothing unusual stays behind. */
  deliver(frame: Frame): void {
    if (this.#onFrame?.(frame) === true) return
    const { octets, start, length, from } = frame
    const copy = octets.slice(start, start + length)
    octets.fill(0, start, start + length)
    this.#onPacket(copy, from)
  }
}
