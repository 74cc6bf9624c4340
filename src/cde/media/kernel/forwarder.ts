/**
 * Flows of calls in the kernel: one nf_tables table, made at the start, that belongs to our socket. When the process ends,
 * however it ends, the kernel removes the table and with it every flow. One forwarder per thread that runs calls.
 */
import { kernelLimits } from '../../../lib/limits.ts'
import type { FlowForwarder, FlowPair } from '../flow-forwarder.ts'
import type { Libc } from '../relay/libc.ts'
import { DATA_OCTETS, type Flow, flowEntry, flowKey, forwardingRule, KEY_OCTETS, type Route } from './flow.ts'
import { netlinkMessage, netlinkTypes } from './netlink.ts'
import { type NetlinkRefusal, NetlinkSocket, verdictOf } from './netlink-socket.ts'
import {
  batch,
  type Counted,
  countedIn,
  deleteElements,
  getElements,
  newCountingMap,
  newElements,
  newIngressChain,
  newOwnedTable,
  newRule,
  type NftMessage,
} from './nft-messages.ts'
import { deviceIn, deviceWith, getAddresses, getDevice, getRoute, routeIn } from './route-messages.ts'

/** Why there is no forwarding in the kernel here; no reason to stop. */
export interface KernelUnavailable {
  readonly problem: 'kernel-forwarding-unavailable'
  readonly why: NetlinkRefusal | 'no-device' | 'loopback'
}

const MAP = 'flows'
const CHAIN = 'arriving'
const SHAPE = { keyOctets: KEY_OCTETS, dataOctets: DATA_OCTETS, elementsMax: kernelLimits.flowsMax }

export class KernelForwarder implements FlowForwarder {
  readonly #table: string
  readonly #nft: NetlinkSocket
  readonly #route: NetlinkSocket
  /** The way that each flow was given. */
  readonly #ways = new Map<Flow, Route>()
  #sequence = 1
  #isOpen = true

  private constructor(table: string, nft: NetlinkSocket, route: NetlinkSocket) {
    this.#table = table
    this.#nft = nft
    this.#route = route
  }

  /**
   * Makes the table, which is the check whether this is possible here.
   * @param host our media address, IPv4: what arrives on its device is looked at
   * @param table a name that no other table in this network namespace has
   * @param calls others than libc's, to try what happens when they fail
   */
  static open(host: string, table: string, calls?: Libc): KernelForwarder | KernelUnavailable {
    const route = NetlinkSocket.open('route', calls)
    if (typeof route === 'string') return unavailable(route)
    const nft = NetlinkSocket.open('netfilter', calls)
    if (typeof nft === 'string') {
      route.close()
      return unavailable(nft)
    }
    const forwarder = new KernelForwarder(table, nft, route)
    const made = forwarder.#make(host)
    if (made === 'done') return forwarder
    forwarder.close()
    return unavailable(made)
  }

  /** False after `close`, and after a removal that the kernel did not confirm: then all flows are out. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Both or none. From here on their audio may not be seen in user space any more. */
  set(flows: FlowPair): 'done' | 'no-route' | NetlinkRefusal {
    if (!this.#isOpen) return 'failed'
    const routes = flows.map((flow) => this.#routeOf(flow))
    const entries = flows.flatMap((flow, index) => {
      const route = routes[index]
      return route === undefined ? [] : [flowEntry(flow, route)]
    })
    if (entries.length < flows.length) return 'no-route'
    const verdict = this.#act([newElements(this.#table, MAP, entries)])
    // It is not known whether they are set: then no flow may be.
    if (verdict === 'failed') this.close()
    if (verdict === 'done') for (const [index, flow] of flows.entries()) this.#remember(flow, routes[index])
    return verdict
  }

  /**
   * When this returns, no packet that arrives from now on is forwarded.
   * @returns `all-removed` when the kernel did not confirm it: then the whole table was given up, for good
   */
  remove(flows: FlowPair): 'done' | 'all-removed' {
    if (!this.#isOpen) return 'all-removed'
    for (const flow of flows) this.#ways.delete(flow)
    if (this.#act([deleteElements(this.#table, MAP, flows.map(flowKey))]) === 'done') return 'done'
    this.close()
    return 'all-removed'
  }

  isStillRouted(flows: FlowPair): boolean {
    return flows.every((flow) => {
      const way = this.#ways.get(flow)
      const now = this.#routeOf(flow)
      return way !== undefined && way.deviceIndex === now?.deviceIndex && way.neighbour === now.neighbour
    })
  }

  /** What each flow has forwarded since it was set; undefined when the kernel does not know it. */
  counts(flows: FlowPair): readonly [Counted, Counted] | undefined {
    const { type, flags, body } = getElements(this.#table, MAP, flows.map(flowKey))
    const answer = this.#nft.exchange(netlinkMessage(type, flags, this.#next(), body))
    if (typeof answer === 'string') return undefined
    const found = answer.map((message) => countedIn(message.type, message.body)).filter((each) => each !== undefined)
    const [first, second] = flows.map((flow) => {
      const key = flowKey(flow)
      return found.find((each) => key.every((octet, index) => octet === each.key[index]))?.counted
    })
    return first === undefined || second === undefined ? undefined : [first, second]
  }

  /** The kernel removes the table with its owner's socket. */
  close(): void {
    this.#isOpen = false
    this.#ways.clear()
    this.#nft.close()
    this.#route.close()
  }

  #make(host: string): 'done' | KernelUnavailable['why'] {
    const index = this.#ask(getAddresses(this.#next()), (type, body) => deviceWith(host, type, body))
    if (index === undefined) return 'no-device'
    const device = this.#ask(getDevice(this.#next(), index), deviceIn)
    if (device === undefined) return 'no-device'
    if (device.isLoopback) return 'loopback'
    const table = this.#table
    return this.#act([
      newOwnedTable(table),
      newCountingMap(table, MAP, SHAPE),
      newIngressChain(table, CHAIN, device.name),
      newRule(table, CHAIN, forwardingRule(MAP)),
    ])
  }

  #remember(flow: Flow, way: Route | undefined): void {
    if (way !== undefined) this.#ways.set(flow, way)
  }

  #routeOf({ leavesFrom, destination }: Flow): Route | undefined {
    const request = getRoute(this.#next(), leavesFrom.host, destination.host)
    return this.#ask(request, (type, body) => routeIn(destination.host, type, body))
  }

  /** The first message of the answer in which `read` finds something. */
  #ask<T>(request: Uint8Array, read: (type: number, body: Uint8Array) => T | undefined): T | undefined {
    const answer = this.#route.exchange(request)
    if (typeof answer === 'string') return undefined
    for (const { type, body } of answer) {
      const found = type === netlinkTypes.done ? undefined : read(type, body)
      if (found !== undefined) return found
    }
    return undefined
  }

  #act(messages: readonly NftMessage[]): 'done' | NetlinkRefusal {
    const { octets, last } = batch(messages, this.#next())
    this.#sequence = last + 2
    const answer = this.#nft.exchange(octets)
    return typeof answer === 'string' ? answer : verdictOf(answer, last)
  }

  #next(): number {
    this.#sequence = (this.#sequence + 1) >>> 0
    return this.#sequence
  }
}

function unavailable(why: KernelUnavailable['why']): KernelUnavailable {
  return { problem: 'kernel-forwarding-unavailable', why }
}
