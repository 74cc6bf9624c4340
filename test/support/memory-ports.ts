/** Media ports in memory, for tests and benchmarks that need the real media of calls but no sockets: what a whole network is to them. */
import type { Address } from '../../src/lib/address.ts'
import type { Frame, FrameListener, MediaEngine, PacketListener } from '../../src/cde/media/socket.ts'

interface OpenPort {
  readonly onPacket: PacketListener
  readonly onFrame: FrameListener | undefined
}

const BESIDE_OCTETS = 8

export class MemoryPorts implements MediaEngine {
  /** Every datagram that leaves. Its octets are valid during the call only. */
  onSent: (from: Address, to: Address, octets: Uint8Array) => void = () => {}
  readonly #ports = new Map<number, OpenPort>()
  /** Where a datagram lies while it is looked at, as in a ring of an engine. */
  readonly #memory = new Uint8Array(BESIDE_OCTETS + 1_500)

  get openPorts(): number {
    return this.#ports.size
  }

  open: MediaEngine['open'] = async (local, onPacket, onFrame) => {
    if (this.#ports.has(local.port)) throw new Error(`port ${local.port} is bound already`)
    this.#ports.set(local.port, { onPacket, onFrame })
    let isOpen = true
    const send = (octets: Uint8Array, to: Address): void => {
      if (isOpen) this.onSent(local, to, octets)
    }
    return {
      local,
      send,
      forward: ({ octets, start, length }, to) => send(octets.subarray(start, start + length), to),
      close: () => {
        if (isOpen) this.#ports.delete(local.port)
        isOpen = false
      },
    }
  }

  /** A datagram arrives. @returns false when the port is not open */
  arrive(port: number, datagram: Uint8Array, from: Address): boolean {
    const open = this.#ports.get(port)
    if (open === undefined) return false
    this.#memory.set(datagram, BESIDE_OCTETS)
    const frame: Frame = { octets: this.#memory, start: BESIDE_OCTETS, length: datagram.length, from }
    if (open.onFrame?.(frame) !== true) open.onPacket(datagram.slice(), from)
    return true
  }
}
