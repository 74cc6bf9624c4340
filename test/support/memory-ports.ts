/** Media ports in memory, for tests and benchmarks that need the real media of calls but no sockets: what a whole network is to them. */
import { type Address, sameAddress } from '../../src/lib/address.ts'
import { type EngineFlow, EngineFlows, type FlowPort } from '../../src/cde/media/relay/engine-flows.ts'
import type { Frame, FrameListener, MediaEngine, PacketListener } from '../../src/cde/media/socket.ts'

class OpenPort implements FlowPort<OpenPort> {
  readonly local: Address
  readonly onPacket: PacketListener
  readonly onFrame: FrameListener | undefined
  to: Address = { host: '0.0.0.0', port: 0 }
  connected: true | undefined
  flow: EngineFlow<OpenPort> | undefined

  constructor(local: Address, onPacket: PacketListener, onFrame: FrameListener | undefined) {
    this.local = local
    this.onPacket = onPacket
    this.onFrame = onFrame
  }
}

const BESIDE_OCTETS = 8

export class MemoryPorts implements MediaEngine {
  /** Every datagram that leaves. Its octets are valid during the call only. */
  onSent: (from: Address, to: Address, octets: Uint8Array) => void = () => {}
  /** Forwards by itself what nobody has to look at, as the polled engines do; for calls that are given it. */
  readonly flows = new EngineFlows<OpenPort>(() => this.#ports.values())
  readonly #ports = new Map<number, OpenPort>()
  /** Where a datagram lies while it is looked at, as in a ring of an engine. */
  readonly #memory = new Uint8Array(BESIDE_OCTETS + 1_500)

  get openPorts(): number {
    return this.#ports.size
  }

  open: MediaEngine['open'] = async (local, onPacket, onFrame) => {
    if (this.#ports.has(local.port)) throw new Error(`port ${local.port} is bound already`)
    const port = new OpenPort(local, onPacket, onFrame)
    this.#ports.set(local.port, port)
    let isOpen = true
    const send = (octets: Uint8Array, to: Address): void => {
      if (!isOpen) return
      if (!sameAddress(port.to, to)) this.#settle(port, to)
      this.onSent(local, to, octets)
    }
    return {
      local,
      send,
      forward: ({ octets, start, length }, to) => send(octets.subarray(start, start + length), to),
      close: () => {
        if (isOpen) this.#ports.delete(local.port)
        isOpen = false
        this.flows.moved(port)
      },
    }
  }

  /** A datagram arrives. @returns false when the port is not open */
  arrive(port: number, datagram: Uint8Array, from: Address): boolean {
    const open = this.#ports.get(port)
    if (open === undefined) return false
    this.#memory.set(datagram, BESIDE_OCTETS)
    const { flow, to } = open
    if (flow !== undefined && sameAddress(from, to) && flow.takes(this.#memory, BESIDE_OCTETS, datagram.length)) {
      this.onSent(flow.out.local, flow.out.to, datagram)
      return true
    }
    const frame: Frame = { octets: this.#memory, start: BESIDE_OCTETS, length: datagram.length, from }
    if (open.onFrame?.(frame) !== true) open.onPacket(datagram.slice(), from)
    return true
  }

  #settle(port: OpenPort, to: Address): void {
    port.to = to
    port.connected = true
    this.flows.moved(port)
  }
}
