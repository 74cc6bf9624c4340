import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import { callTo, type Faults, SDP, type TestAgent, TestNetwork } from './test-network.ts'
import type { LegEvent } from './user-agent.ts'

// Whatever the network does, every call comes to a definite end on both sides, once, and leaves nothing behind.

const LAST: ReadonlySet<LegEvent['type']> = new Set(['failed', 'cancelled', 'ended'])
const NETWORKS: readonly Faults[] = [
  { drop: 0.3, duplicate: 0.1, delayMinMs: 5, delayMaxMs: 60 },
  { drop: 0.05, duplicate: 0.4, delayMinMs: 1, delayMaxMs: 900 },
  { drop: 0.6, delayMinMs: 1, delayMaxMs: 30 },
  { drop: 0, duplicate: 1, delayMinMs: 1, delayMaxMs: 4_000 },
]
const END_AT_MS = 100_000

/** One party: does random things at random times, and remembers when it let go of its leg. */
class Party {
  readonly agent: TestAgent
  letGo = false
  eventsAtLetGo = 0
  readonly #network: TestNetwork
  readonly #unit: () => number

  constructor(network: TestNetwork, agent: TestAgent, seed: number) {
    const random = seededRandom(seed)
    this.#network = network
    this.#unit = () => randomUnit(random)
    this.agent = agent
    agent.react = (event, nowMs) => this.#react(event, nowMs)
  }

  hangUp(leg: string): void {
    if (this.letGo || this.agent.events.some((event) => LAST.has(event.type))) return
    this.release()
    this.agent.run(this.agent.ua.hangUp(leg, this.#network.nowMs))
  }

  release(): void {
    this.letGo = true
    this.eventsAtLetGo = this.agent.events.length
  }

  later(maxMs: number, run: (nowMs: number) => void): void {
    this.#network.at(this.#network.nowMs + Math.floor(this.#unit() * maxMs), () => run(this.#network.nowMs))
  }

  #react(event: LegEvent, nowMs: number): void {
    const { leg } = event
    const { ua } = this.agent
    if (event.type === 'incoming') this.#beCalled(leg, nowMs)
    if (event.type === 'answered' || event.type === 'confirmed') this.#talk(leg)
    if (event.type === 'offered') {
      const answer = this.#unit() < 0.8 ? { body: SDP } : { status: 488 }
      this.later(300, (atMs) => this.agent.run(ua.answerOffer(leg, answer, atMs)))
    }
  }

  #beCalled(leg: string, nowMs: number): void {
    const { ua } = this.agent
    if (this.#unit() < 0.7) this.agent.run(ua.ring(leg, 180, {}, nowMs))
    this.later(6_000, (atMs) => {
      if (this.letGo) return
      if (this.#unit() < 0.75) this.agent.run(ua.answer(leg, { body: SDP }, atMs))
      else {
        const outputs = ua.reject(leg, 486, {}, atMs)
        if (outputs.length > 0) this.release()
        this.agent.run(outputs)
      }
    })
    if (this.#unit() < 0.2) this.later(8_000, () => this.hangUp(leg))
  }

  #talk(leg: string): void {
    const { ua } = this.agent
    if (this.#unit() < 0.6) this.later(3_000, (atMs) => this.agent.run(ua.offer(leg, SDP, 'application/sdp', atMs)))
    if (this.#unit() < 0.6) this.later(3_000, (atMs) => this.agent.run(ua.info(leg, 'text/plain', SDP, atMs)))
    if (this.#unit() < 0.6) this.later(20_000, () => this.hangUp(leg))
  }
}

function runCall(seed: number, faults: Faults): void {
  const network = new TestNetwork(seed, faults)
  const ann = new Party(network, network.agent(1), seed + 1)
  const desk = new Party(network, network.agent(2), seed + 2)
  ann.agent.run(ann.agent.ua.invite('a', callTo(desk.agent), 0))
  if (seed % 4 === 0) ann.later(8_000, () => ann.hangUp('a'))
  // Who still talks by then hangs up; a caller that the desk never answered, too.
  network.at(END_AT_MS, () => ann.hangUp('a'))
  network.runUntil(END_AT_MS + 300_000)

  const what = `seed ${seed}, ${JSON.stringify(faults)}: caller "${ann.agent.story}", callee "${desk.agent.story}"`
  for (const party of [ann, desk]) {
    const { events } = party.agent
    const ends = events.filter((event) => LAST.has(event.type)).length
    if (events.length > 0 || party === ann) assert.equal(ends + (party.letGo ? 1 : 0), 1, what)
    if (party.letGo) assert.equal(events.length, party.eventsAtLetGo, `event after letting go, ${what}`)
    if (ends === 1) assert.ok(LAST.has(events.at(-1)?.type ?? 'info'), `event after the last one, ${what}`)
  }
  assert.ok(network.idle, `timers left, ${what}`)
}

for (const [index, faults] of NETWORKS.entries()) {
  test(`every call ends once on both sides: ${JSON.stringify(faults)}`, () => {
    for (let seed = 0; seed < 120; seed++) runCall(1_000 * index + seed, faults)
  })
}
