/**
 * The card zone's calls without a socket, a thread or a clock: the real user agent, the real calls and the real media host, on
 * datagrams in memory and a time that its owner moves. A carrier and a PBX, user agents of the same kind, stand on either side.
 */
import { Calls } from '../../src/cde/call/calls.ts'
import { MediaPorts } from '../../src/cde/call/media-ports.ts'
import type { MediaLink, MediaListener } from '../../src/cde/call/media-orders.ts'
import { type LegWish, NegotiatedMedia } from '../../src/cde/call/negotiated-media.ts'
import type { Side } from '../../src/cde/call/negotiation.ts'
import type { Doubt } from '../../src/cde/dtmf/key-codes.ts'
import { PortPool } from '../../src/cde/media/ports.ts'
import { type LegEvent, type Output, UserAgent } from '../../src/cde/sip/user-agent.ts'
import { KeyNumbers, secretCopy } from '../../src/cde/threads/keys-on-the-way.ts'
import { MediaHost } from '../../src/cde/threads/media-host.ts'
import type { FromThread } from '../../src/cde/threads/messages.ts'
import { type Address, sameAddress } from '../../src/lib/address.ts'
import { type RandomBytes, seededRandom } from '../../src/lib/random.ts'
import type { Report } from '../../src/wall/messages.ts'
import { type CdeSettings, cdeSettings, type NumberSettings } from '../../src/wall/settings.ts'
import { MemoryPorts } from './memory-ports.ts'

export const CALLED = '+442079460000'
export const ZONE: Address = { host: '192.0.2.1', port: 5_060 }
export const CARRIER: Address = { host: '198.51.100.1', port: 5_060 }
export const PBX: Address = { host: '203.0.113.1', port: 5_060 }

const PORT_MIN = 10_000
const JITTER_MS = 40

export interface MemoryZoneOptions {
  readonly seed: number
  /** Calls at one time; each needs two pairs of ports, and as many that rest. */
  readonly pairs: number
  /** Sides that the number's settings put behind NAT; none when missing. */
  readonly nat?: NumberSettings['nat']
  onReport(report: Report): void
  onCarrier(event: LegEvent): void
  onPbx(event: LegEvent): void
  onKey?(callId: string): void
  onUncertain?(callId: string, doubt: Doubt): void
  onDoubled?(callId: string, places: readonly number[]): void
}

export class MemoryZone {
  nowMs = 0
  readonly network = new MemoryPorts()
  readonly carrier: UserAgent
  readonly pbx: UserAgent
  readonly calls: Calls
  readonly #options: MemoryZoneOptions
  readonly #userAgent: UserAgent
  readonly #ports: MediaPorts
  readonly #host: MediaHost
  readonly #listeners = new Map<number, MediaListener>()
  readonly #opening = new Map<number, (message: FromThread) => void>()
  readonly #keyNumbers = new KeyNumbers()
  readonly #settings: CdeSettings
  readonly #random: RandomBytes
  #lastCall = 0
  #flights: { from: Address; to: Address; datagram: Uint8Array }[] = []

  constructor(options: MemoryZoneOptions) {
    this.#options = options
    this.#random = seededRandom(options.seed)
    const random = this.#random
    const nowMs = (): number => this.nowMs
    const agent = (local: Address): UserAgent => new UserAgent({ local, userAgent: 'memory', random })
    this.#userAgent = agent(ZONE)
    this.carrier = agent(CARRIER)
    this.pbx = agent(PBX)
    const portMax = PORT_MIN + 2 * options.pairs - 1
    this.#settings = settingsWith(portMax, options.nat ?? 'none')
    this.#ports = new MediaPorts(ZONE.host, new PortPool(PORT_MIN, portMax, random), this.network, nowMs)
    const media = { ports: this.#ports, replacement: 'flat', jitterMs: JITTER_MS, random, nowMs } as const
    this.#host = new MediaHost(media, (message) => this.#heard(message))
    this.calls = new Calls({
      settings: this.#settings,
      userAgent: this.#userAgent,
      clock: { monotonicMs: nowMs, wallMs: nowMs },
      random,
      resolved: new Map(),
      openMedia: (listener, wishes) => this.#open(listener, wishes),
      report: (report) => options.onReport(report),
      onKey: (callId) => options.onKey?.(callId),
      onUncertain: (callId, doubt) => options.onUncertain?.(callId, doubt),
      onDoubled: (callId, places) => options.onDoubled?.(callId, places),
      onMaskFailed: () => {},
      onArmed: () => {},
    })
    this.calls.useTransport({
      local: ZONE,
      run: (outputs) => this.#run(this.#userAgent, outputs),
      close: async () => {},
    })
  }

  /** Carries out what an order to the carrier's or the PBX's user agent returned. */
  run(agent: UserAgent, outputs: readonly Output[]): void {
    this.#run(agent, outputs)
  }

  /** Time goes on; datagrams of SIP take one step. */
  async step(ms: number): Promise<void> {
    this.nowMs += ms
    const agents = [this.#userAgent, this.carrier, this.pbx]
    for (const { from, to, datagram } of this.#flights.splice(0)) {
      const agent = agents.find(({ local }) => sameAddress(local, to))
      if (agent !== undefined) this.#run(agent, agent.receive(datagram, from, this.nowMs))
    }
    for (const agent of agents) {
      if ((agent.nextWakeAtMs() ?? Number.POSITIVE_INFINITY) <= this.nowMs) this.#run(agent, agent.wake(this.nowMs))
    }
    if ((this.calls.nextWakeAtMs() ?? Number.POSITIVE_INFINITY) <= this.nowMs) this.calls.wake(this.nowMs)
    if ((this.#host.nextWakeAtMs() ?? Number.POSITIVE_INFINITY) <= this.nowMs) this.#host.wake(this.nowMs)
    // Ports are bound in promises.
    await Promise.resolve()
  }

  /** Everything that is held for some call, by name: all zero when there is none. */
  held(): Readonly<Record<string, number>> {
    const { legs, dialogs, transactions } = this.#userAgent.held()
    const { ports_taken: taken = 0, ports_draining: draining = 0 } = this.#ports.counters()
    return {
      calls: this.calls.counters()['calls_live'] ?? 0,
      media: this.#host.size,
      listeners: this.#listeners.size + this.#opening.size,
      ...{ legs, dialogs, transactions },
      portsTaken: taken,
      portsDraining: draining,
      portsOpen: this.network.openPorts,
    }
  }

  #run(agent: UserAgent, outputs: readonly Output[]): void {
    for (const output of outputs) {
      if (output.type === 'send') this.#flights.push({ from: agent.local, to: output.to, datagram: output.datagram })
      else if (agent === this.carrier) this.#options.onCarrier(output.event)
      else if (agent === this.pbx) this.#options.onPbx(output.event)
      else this.calls.legEvent(output.event)
    }
  }

  async #open(
    listener: MediaListener,
    wishes: Readonly<Record<Side, LegWish>>,
  ): Promise<NegotiatedMedia | 'no-ports' | 'failed'> {
    const call = ++this.#lastCall
    this.#listeners.set(call, listener)
    const { promise, resolve } = Promise.withResolvers<FromThread>()
    this.#opening.set(call, resolve)
    this.#host.execute({ type: 'open', call })
    const message = await promise
    this.#opening.delete(call)
    if (message.type !== 'opened') {
      this.#listeners.delete(call)
      return 'no-ports'
    }
    const random = this.#random
    return new NegotiatedMedia(this.#link(call), { addresses: message.addresses, wishes, random })
  }

  /** As `MediaThreads` does it, without the thread. */
  #link(call: number): MediaLink {
    return {
      send: (order) => {
        if (order.type !== 'use') return this.#host.execute({ type: 'order', call, order })
        const { terms } = order
        const keys = {
          caller: this.#keyNumbers.send(terms.keys.caller, []),
          agent: this.#keyNumbers.send(terms.keys.agent, []),
        }
        return this.#host.execute({ type: 'use', call, terms: { ...terms, keys } })
      },
      sendKey: (key) => this.#host.execute({ type: 'key', call, key: secretCopy(Uint8Array.of(key)) }),
    }
  }

  #heard(message: FromThread): void {
    if (!('call' in message)) return
    const listener = this.#listeners.get(message.call)
    if (message.type === 'event') listener?.onEvent(message.event)
    else if (message.type === 'key') listener?.onKey(message.key[0] ?? 0)
    else if (message.type === 'closed') this.#listeners.delete(message.call)
    else this.#opening.get(message.call)?.(message)
  }
}

function settingsWith(portMax: number, nat: NumberSettings['nat']): CdeSettings {
  return cdeSettings.parse({
    sip: ZONE,
    media: { host: ZONE.host, portMin: PORT_MIN, portMax },
    allowClearKeys: [CARRIER.host, PBX.host],
    numbers: [{ id: 'sales', called: CALLED, destination: `sip:agent@${PBX.host}:${PBX.port}`, nat }],
    capture: { fields: [{ name: 'cardNumber', kind: 'cardNumber' }] },
    gateways: [],
  })
}
