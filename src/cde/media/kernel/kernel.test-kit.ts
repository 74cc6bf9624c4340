/** A caller, us and an agent on hosts of their own, with real sockets; for the tests of what the kernel forwards. */
import assert from 'node:assert/strict'
import { type TestHost, testNetwork } from '../../../../test/support/network-namespaces.ts'
import type { Address } from '../../../lib/address.ts'
import { EpollEngine } from '../relay/engine-epoll.ts'
import { writeRtp } from '../rtp.ts'
import type { MediaSocket } from '../socket.ts'
import type { Flow } from './flow.ts'
import type { FlowPair } from '../flow-forwarder.ts'
import { KernelForwarder } from './forwarder.ts'

export const PCMA = 8
const SSRC = 0x0102_0304
const POLLS_MAX = 200_000
const MARKERS_MAX = 20

export interface Heard {
  readonly packet: Uint8Array
  readonly from: Address
}

/** One UDP port on a host. */
export class Peer {
  readonly socket: MediaSocket
  readonly #engine: EpollEngine
  readonly #heard: Heard[] = []
  #turn = 0

  constructor(host: TestHost, port: number) {
    this.#engine = host.inside(() => new EpollEngine())
    const take = (packet: Uint8Array, from: Address) => void this.#heard.push({ packet, from })
    this.socket = host.inside(() => this.#engine.open({ host: host.address, port }, take))
  }

  get address(): Address {
    return this.socket.local
  }

  /** What has come since it was last asked, once there is as much as told; it is bounded, and says so by what it lacks. */
  take(atLeast = 0): Heard[] {
    for (let polls = 0; polls < POLLS_MAX; polls++) {
      const datagrams = this.#engine.poll(this.#turn++)
      if (datagrams === 0 && this.#heard.length >= atLeast) break
    }
    return this.#heard.splice(0)
  }

  close(): void {
    this.#engine.close()
  }
}

/** Our two legs are two ports on one host; `flows` joins them. */
export class Setting implements Disposable {
  readonly #network = testNetwork(3)
  readonly us = this.#host(1)
  readonly callerHost = this.#host(0)
  readonly caller = new Peer(this.callerHost, 4_000)
  readonly agent = new Peer(this.#host(2), 4_002)
  readonly callerLeg = new Peer(this.us, 5_000)
  readonly agentLeg = new Peer(this.us, 5_002)
  readonly flows: FlowPair = [
    flow(this.caller, this.callerLeg, this.agentLeg, this.agent),
    flow(this.agent, this.agentLeg, this.callerLeg, this.caller),
  ]
  readonly forwarder = openForwarder(this.us)

  /** After this, all that was sent before has arrived, and neighbours are known: one packet each way that no flow takes. */
  settle(): { readonly caller: Heard[]; readonly agent: Heard[] } {
    return {
      caller: untilMarker(this.caller, () => this.callerLeg.socket.send(marker, this.caller.address)),
      agent: untilMarker(this.agent, () => this.agentLeg.socket.send(marker, this.agent.address)),
    }
  }

  #host(index: number): TestHost {
    const host = this.#network.hosts[index]
    assert(host !== undefined)
    return host
  }

  [Symbol.dispose](): void {
    this.forwarder.close()
    for (const peer of [this.caller, this.agent, this.callerLeg, this.agentLeg]) peer.close()
    this.#network[Symbol.dispose]()
  }
}

export function openForwarder(host: TestHost, table = 'tonewall-test'): KernelForwarder {
  const opened = host.inside(() => KernelForwarder.open(host.address, table))
  assert(opened instanceof KernelForwarder, JSON.stringify(opened))
  return opened
}

/** @param sequence with zero as its last seven bits it goes to user space. @param first the octet of version, padding, extension, CSRC */
export function rtp(
  sequence: number,
  { payloadType = PCMA, octets = 160, isMarked = false, first = 0x80, ssrc = SSRC } = {},
): Uint8Array {
  const fields = { payloadType, marker: isMarked, sequence, timestamp: sequence * 160, ssrc }
  const packet = writeRtp(fields, new Uint8Array(octets).fill(0xd5))
  packet[0] = first
  return packet
}

const marker = Uint8Array.of(0)

/** A marker may be lost in a flood: then there is another. */
function untilMarker(peer: Peer, sendMarker: () => void): Heard[] {
  const heard: Heard[] = []
  for (let tries = 0; tries < MARKERS_MAX; tries++) {
    sendMarker()
    heard.push(...peer.take(1))
    if (heard.some(isMarker)) return heard.filter((each) => !isMarker(each))
  }
  return assert.fail('the marker did not arrive')
}

function isMarker({ packet }: Heard): boolean {
  return packet.length === marker.length
}

function flow(source: Peer, arrivesAt: Peer, leavesFrom: Peer, destination: Peer): Flow {
  return {
    source: source.address,
    arrivesAt: arrivesAt.address,
    payloadType: PCMA,
    ssrc: SSRC,
    leavesFrom: leavesFrom.address,
    destination: destination.address,
  }
}
