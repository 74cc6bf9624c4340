import { type Address, sameAddress } from '../../lib/address.ts'
import { type RandomBytes, randomUnit, seededRandom } from '../../lib/random.ts'
import { type LegEvent, type OutgoingCall, type Output, UserAgent } from './user-agent.ts'

/** For the tests of this folder: UserAgents that talk in memory, in virtual time, over a network that may misbehave. */

export interface Faults {
  /** Probabilities per datagram, 0–1. */
  readonly drop?: number
  readonly duplicate?: number
  /** Each datagram travels this long, drawn evenly: a wide range reorders. */
  readonly delayMinMs?: number
  readonly delayMaxMs?: number
}

interface Flight {
  readonly atMs: number
  readonly from: Address
  readonly to: Address
  readonly datagram: Uint8Array
}

export class TestAgent {
  readonly ua: UserAgent
  readonly address: Address
  readonly events: LegEvent[] = []
  /** What this agent does about an event. */
  react: (event: LegEvent, nowMs: number) => void = () => {}
  readonly #network: TestNetwork

  constructor(network: TestNetwork, address: Address, random: RandomBytes, allowSource?: (from: Address) => boolean) {
    this.#network = network
    this.address = address
    this.ua = new UserAgent({ local: address, userAgent: 'test', random, ...(allowSource && { allowSource }) })
  }

  /** Carries out outputs. */
  run(outputs: readonly Output[]): void {
    for (const output of outputs) {
      if (output.type === 'send') this.#network.send(this.address, output.to, output.datagram)
      else {
        this.events.push(output.event)
        this.react(output.event, this.#network.nowMs)
      }
    }
  }

  /** Event types in order, with status where there is one. */
  get story(): string {
    return this.events.map((event) => ('status' in event ? `${event.type}-${event.status}` : event.type)).join(' ')
  }

  /** The leg of the first event of this type. */
  legOf(type: LegEvent['type']): string {
    return this.events.find((event) => event.type === type)?.leg ?? `no ${type}`
  }
}

export class TestNetwork {
  nowMs = 0
  faults: Faults
  /** Return false to lose this datagram. */
  filter: (text: string, from: Address, to: Address) => boolean = () => true
  /** Every datagram that was sent, as text, dropped ones too. */
  readonly sent: string[] = []
  readonly #random: RandomBytes
  readonly #agents: TestAgent[] = []
  readonly #orders: { atMs: number; run: () => void }[] = []
  #flights: Flight[] = []

  constructor(seed: number, faults: Faults = {}) {
    this.#random = seededRandom(seed)
    this.faults = faults
  }

  agent(lastOctet: number, allowSource?: (from: Address) => boolean): TestAgent {
    const random = seededRandom(Math.floor(randomUnit(this.#random) * 2 ** 32))
    const agent = new TestAgent(this, { host: `192.0.2.${lastOctet}`, port: 5060 }, random, allowSource)
    this.#agents.push(agent)
    return agent
  }

  /** Runs something at a virtual time. */
  at(atMs: number, run: () => void): void {
    this.#orders.push({ atMs, run })
  }

  send(from: Address, to: Address, datagram: Uint8Array): void {
    const text = Buffer.from(datagram).toString('latin1')
    this.sent.push(text)
    if (!this.filter(text, from, to)) return
    const { drop = 0, duplicate = 0, delayMinMs = 1, delayMaxMs = 1 } = this.faults
    if (randomUnit(this.#random) < drop) return
    const copies = randomUnit(this.#random) < duplicate ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const delayMs = delayMinMs + Math.floor(randomUnit(this.#random) * (delayMaxMs - delayMinMs + 1))
      this.#flights.push({ atMs: this.nowMs + delayMs, from, to, datagram: Uint8Array.from(datagram) })
    }
  }

  /** Moves virtual time on, through everything that happens on the way. */
  runUntil(untilMs: number): void {
    for (;;) {
      const atMs = this.#nextAtMs()
      if (atMs === undefined || atMs > untilMs) break
      this.nowMs = Math.max(this.nowMs, atMs)
      this.#step()
    }
    this.nowMs = untilMs
  }

  /** True when every transaction, dialog and leg has come to its end, and no timer is left. */
  get idle(): boolean {
    return this.#agents.every(({ ua }) => {
      const { legs, dialogs, transactions } = ua.held()
      return legs + dialogs + transactions === 0 && ua.nextWakeAtMs() === undefined
    })
  }

  #nextAtMs(): number | undefined {
    const times = [
      ...this.#flights.map((flight) => flight.atMs),
      ...this.#orders.map((order) => order.atMs),
      ...this.#agents.map((agent) => agent.ua.nextWakeAtMs() ?? Number.POSITIVE_INFINITY),
    ]
    const first = Math.min(...times)
    return Number.isFinite(first) ? first : undefined
  }

  #step(): void {
    for (const order of this.#orders.filter((candidate) => candidate.atMs <= this.nowMs)) {
      this.#orders.splice(this.#orders.indexOf(order), 1)
      order.run()
    }
    const arrived = this.#flights.filter((flight) => flight.atMs <= this.nowMs)
    this.#flights = this.#flights.filter((flight) => flight.atMs > this.nowMs)
    for (const { to, from, datagram } of arrived) {
      const agent = this.#agents.find((candidate) => sameAddress(candidate.address, to))
      agent?.run(agent.ua.receive(datagram, from, this.nowMs))
    }
    for (const agent of this.#agents) agent.run(agent.ua.wake(this.nowMs))
  }
}

export const SDP = Buffer.from('v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n')

/** A call to an agent. */
export function callTo(agent: TestAgent, more: Partial<OutgoingCall> = {}): OutgoingCall {
  return {
    target: `sip:desk@${agent.address.host}`,
    destination: agent.address,
    from: '"Ann" <sip:ann@192.0.2.1>',
    to: `<sip:desk@${agent.address.host}>`,
    headers: [],
    body: SDP,
    maxForwards: 70,
    ...more,
  }
}

/** A caller and the desk it calls. */
export interface Pair {
  network: TestNetwork
  ann: TestAgent
  desk: TestAgent
}

export function pair(): Pair {
  const network = new TestNetwork(1)
  return { network, ann: network.agent(1), desk: network.agent(2) }
}

/** The desk rings at once and answers 100 ms later. */
export function answering({ network, desk }: Pair): void {
  desk.react = (event, nowMs) => {
    if (event.type !== 'incoming') return
    desk.run(desk.ua.ring(event.leg, 180, {}, nowMs))
    network.at(nowMs + 100, () => desk.run(desk.ua.answer(event.leg, { body: SDP }, network.nowMs)))
  }
}

export function established(): Pair {
  const both = pair()
  answering(both)
  both.ann.run(both.ann.ua.invite('a', callTo(both.desk), 0))
  both.network.runUntil(1_000)
  return both
}

/** How many datagrams began like this. */
export const count = (network: TestNetwork, start: string): number =>
  network.sent.filter((text) => text.startsWith(start)).length
