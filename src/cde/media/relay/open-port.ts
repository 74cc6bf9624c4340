import type { Address } from '../../../lib/address.ts'
import { relayLimits } from '../../../lib/limits.ts'
import type { Frame, FrameListener, PacketListener } from '../socket.ts'
import { AF_INET, readSockaddr, SOCKADDR_OCTETS } from './sockaddr.ts'

const SOCKADDR_WORDS = SOCKADDR_OCTETS / 4
const IPV4_WORDS = 2

/** An engine's one frame, which it fills for every datagram. */
export interface ReusedFrame extends Frame {
  start: number
  length: number
  from: Address
}

export const nowhere: Address = { host: '0.0.0.0', port: 0 }

/** What both engines know of a port: who listens, whom it last heard, and how much it may still take in this tick. */
export class OpenPort {
  readonly fd: number
  readonly local: Address
  readonly #onPacket: PacketListener
  readonly #onFrame: FrameListener | undefined
  readonly #source = new Int32Array(SOCKADDR_WORDS)
  #from = nowhere
  #tick = -1
  #taken = 0

  constructor(fd: number, local: Address, onPacket: PacketListener, onFrame: FrameListener | undefined) {
    this.fd = fd
    this.local = local
    this.#onPacket = onPacket
    this.#onFrame = onFrame
  }

  /** One call's flood must not delay the others: so many datagrams per port and millisecond, and no more. */
  mayTake(tick: number): boolean {
    if (tick !== this.#tick) {
      this.#tick = tick
      this.#taken = 0
    }
    return this.#taken++ < relayLimits.packetsPerPortAndTickMax
  }

  /** The address that the kernel wrote at `at`, a multiple of 4. A port mostly hears one source: it keeps one object for it. */
  sourceAt(octets: Uint8Array, words: Int32Array, at: number): Address {
    const first = at >> 2
    const count = octets[at] === AF_INET ? IPV4_WORDS : SOCKADDR_WORDS
    let isSame = true
    for (let i = 0; i < count; i++) isSame &&= words[first + i] === this.#source[i]
    if (isSame) return this.#from
    this.#source.set(words.subarray(first, first + SOCKADDR_WORDS))
    this.#from = readSockaddr(octets, at) ?? nowhere
    return this.#from
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
