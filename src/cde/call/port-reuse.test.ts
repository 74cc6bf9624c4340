/**
 * MED-11: phones that go on sending after their call is over are heard by no later call. All callers here come from one address,
 * as behind one border gateway, so that nothing but the rest of a freed port keeps them apart.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MediaCall } from '../../../test/support/media-call.ts'
import { MemoryPorts } from '../../../test/support/memory-ports.ts'
import { mediaLimits } from '../../lib/limits.ts'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import { PortPool } from '../media/ports.ts'
import { MediaPorts } from './media-ports.ts'

const gateway = { host: '198.51.100.1', port: 30_000 }
const desk = { host: '203.0.113.1', port: 40_000 }
const PAIRS = 12
const CALLS = 200

interface Sender {
  readonly port: number
  readonly call: MediaCall
  readonly voice: Uint8Array
  readonly untilMs: number
  endsAtMs: number
  hasEnded: boolean
}

async function churn(seed: number) {
  let nowMs = 0
  const random = seededRandom(seed)
  const below = (count: number): number => Math.floor(randomUnit(random) * count)
  const network = new MemoryPorts()
  const ports = new MediaPorts('192.0.2.1', new PortPool(10_000, 10_000 + 2 * PAIRS - 1, random), network, () => nowMs)
  /** Whose voice left by the port of which call. */
  const voicesByPort = new Map<number, number>()
  const counts = { passed: 0, foreign: 0, late: 0, reused: 0, refused: 0 }
  network.onSent = (from, _to, octets) => {
    const expected = voicesByPort.get(from.port)
    const voice = octets[20]
    if (octets.length < 172 || expected === undefined) return
    counts.passed++
    if (voice !== expected) counts.foreign++
  }
  const used = new Set<number>()
  let senders: Sender[] = []
  for (let started = 0; started < CALLS || senders.some(({ hasEnded }) => !hasEnded); nowMs += 1_000) {
    if (started < CALLS && below(8) === 0) {
      // Each call's voice is an octet of its own; a new one comes round after 200.
      const voice = 1 + (started % 200)
      started++
      const call = await MediaCall.open({ network, ports, random, nowMs: () => nowMs }).catch(() => undefined)
      if (call === undefined) counts.refused++
      else {
        const { port } = call.media.addresses.caller
        const agentPort = call.media.addresses.agent.port
        if (used.has(port)) counts.reused++
        used.add(port).add(agentPort)
        call.speakers.caller.address = gateway
        call.speakers.agent.address = desk
        call.agree(nowMs)
        voicesByPort.set(agentPort, voice)
        const endsAtMs = nowMs + 5_000 + below(60_000)
        // Some stop at once, some go on for minutes, less than the longest rest.
        const untilMs = endsAtMs + (below(2) === 0 ? below(5_000) : below(mediaLimits.portDrainMs))
        senders.push({ port, call, voice: new Uint8Array(160).fill(voice), untilMs, endsAtMs, hasEnded: false })
      }
    }
    for (const sender of senders) {
      const { call, port, voice } = sender
      if (!sender.hasEnded && nowMs >= sender.endsAtMs) {
        sender.hasEnded = true
        voicesByPort.delete(call.media.addresses.agent.port)
        call.media.close(nowMs)
      }
      const speaker = call.speakers.caller
      for (let packet = 0; packet < 3; packet++) {
        speaker.step()
        if (sender.hasEnded && network.arrive(port, speaker.packet(voice), gateway)) counts.late++
        else if (!sender.hasEnded) call.says('caller', voice)
      }
    }
    senders = senders.filter(({ untilMs }) => nowMs < untilMs)
    ports.wake(nowMs)
  }
  nowMs += mediaLimits.portDrainMs
  ports.wake(nowMs)
  return { counts, openPorts: network.openPorts, ports: ports.counters() }
}

test('no packet of a call that is over is ever heard in a later one, however long its sender goes on', async () => {
  for (const seed of [1, 2, 3]) {
    const { counts, openPorts, ports } = await churn(seed)
    const facts = `seed ${seed}: ${JSON.stringify(counts)}`
    assert.equal(counts.foreign, 0, facts)
    assert.ok(counts.passed > 5_000 && counts.late > 5_000 && counts.reused > 20, facts)
    // And in the end every port is closed, and free again.
    assert.equal(openPorts, 0, facts)
    assert.deepEqual(ports, { ports_free: PAIRS, ports_taken: 0, ports_draining: 0 }, facts)
  }
})
