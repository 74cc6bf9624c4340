/**
 * Forwarding inside an engine, as the kernel's own does it (`../kernel/flow.ts`): packets of a settled peer that are plain audio of
 * the agreed type and stream leave unchanged by the other leg's port, and nobody looks at them but for their header and their length. What is anything else is handed over as ever, and so is one packet in 128.
 */
import { type Address, sameAddress } from '../../../lib/address.ts'
import { dtmfLimits, mediaLimits } from '../../../lib/limits.ts'
import type { FlowForwarder, FlowPair } from '../flow-forwarder.ts'
import { type Flow, isSample } from '../kernel/flow.ts'
import type { Counted } from '../kernel/nft-messages.ts'
import { RTP_HEADER_OCTETS } from '../rtp.ts'
import { sequenceStep } from '../stream-continuity.ts'

const IP_AND_UDP_OCTETS = 28
const PLAIN_RTP = 0x80
const SSRC_AT = 8
const SSRC_OCTETS = 4
const OCTETS_MIN = RTP_HEADER_OCTETS + dtmfLimits.audioSamplesMin
const OCTETS_MAX = RTP_HEADER_OCTETS + dtmfLimits.audioSamplesMax

/** What an engine's port has to do with flows. */
export interface FlowPort<Port> {
  readonly local: Address
  /** Where it sends. */
  readonly to: Address
  /** Of what arrives at its connected socket, as soon as it has one: that hears its destination, and nobody else. */
  flow: EngineFlow<Port> | undefined
}

/** One direction of a call. */
export class EngineFlow<Port> {
  readonly out: Port & FlowPort<Port>
  readonly #payloadType: number
  readonly #ssrc: Uint8Array
  readonly #source: Address
  readonly #destination: Address
  /** Of the newest packet, as far as one is known. */
  #sequence: number | undefined
  packets = 0
  octets = 0

  constructor({ payloadType, ssrc, sequence, source, destination }: Flow, out: Port & FlowPort<Port>) {
    this.#payloadType = payloadType
    this.#ssrc = Uint8Array.of(ssrc >>> 24, ssrc >>> 16, ssrc >>> 8, ssrc)
    this.#sequence = sequence
    this.#source = source
    this.#destination = destination
    this.out = out
  }

  /** @returns whether it forwards this packet; then it is counted */
  takes(octets: Uint8Array, start: number, length: number): boolean {
    if (octets[start] !== PLAIN_RTP || ((octets[start + 1] ?? 0) & 0x7f) !== this.#payloadType) return false
    if (length < OCTETS_MIN || length > OCTETS_MAX || isSample(octets[start + 3] ?? 0)) return false
    // Who forges the address but sees no packet gets no word in (sip.md 6.1).
    for (let i = 0; i < SSRC_OCTETS; i++) if (octets[start + SSRC_AT + i] !== this.#ssrc[i]) return false
    const sequence = ((octets[start + 2] ?? 0) << 8) | (octets[start + 3] ?? 0)
    const step = sequenceStep(this.#sequence ?? sequence, sequence)
    if (Math.abs(step) > mediaLimits.sequenceJumpMax) return false
    this.#sequence = sequence
    this.packets++
    this.octets += length + IP_AND_UDP_OCTETS
    return true
  }

  /** Whether both ports still send where they did when it was set; asked when one of them sends elsewhere. */
  goesOnFrom(port: FlowPort<Port>): boolean {
    return sameAddress(port.to, this.#source) && sameAddress(this.out.to, this.#destination)
  }
}

export class EngineFlows<Port extends FlowPort<Port>> implements FlowForwarder {
  readonly #ports: () => Iterable<Port | undefined>
  readonly #flows = new Map<Flow, { readonly port: Port; readonly flow: EngineFlow<Port> }>()
  readonly isOpen = true

  /** @param ports the open ones of the engine */
  constructor(ports: () => Iterable<Port | undefined>) {
    this.#ports = ports
  }

  set(flows: FlowPair): 'done' | 'not-settled' {
    const made = flows.map((flow) => this.#make(flow)).filter((each) => each !== undefined)
    if (made.length < flows.length) return 'not-settled'
    for (const each of made) {
      this.#flows.set(each.of, each)
      each.port.flow = each.flow
    }
    return 'done'
  }

  remove(flows: FlowPair): 'done' {
    for (const each of flows) {
      const set = this.#flows.get(each)
      if (set !== undefined && set.port.flow === set.flow) set.port.flow = undefined
      this.#flows.delete(each)
    }
    return 'done'
  }

  counts(flows: FlowPair): readonly [Counted, Counted] | undefined {
    const [there, back] = flows.map((flow) => this.#flows.get(flow)?.flow)
    return there === undefined || back === undefined ? undefined : [counted(there), counted(back)]
  }

  /** A port sends elsewhere or is closed: what it has to do with ends, and its packets are handed over again. */
  moved(port: Port): void {
    for (const each of this.#flows.values()) {
      if (each.port !== port && each.flow.out !== port) continue
      if (each.port.flow === each.flow) each.port.flow = undefined
    }
  }

  close(): void {
    for (const { port } of this.#flows.values()) port.flow = undefined
    this.#flows.clear()
  }

  #make(of: Flow) {
    const port = this.#portAt(of.arrivesAt)
    const out = this.#portAt(of.leavesFrom)
    if (port === undefined || out === undefined) return undefined
    const flow = new EngineFlow<Port>(of, out)
    return flow.goesOnFrom(port) ? { of, port, flow } : undefined
  }

  #portAt(local: Address): Port | undefined {
    for (const port of this.#ports()) if (port !== undefined && sameAddress(port.local, local)) return port
    return undefined
  }
}

function counted({ packets, octets }: Counted): Counted {
  return { packets, octets }
}
