/** What a call's media tell of each leg: quality, a caller who falls silent while armed, and a leg behind NAT. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MediaCall, sides } from '../../../test/support/media-call.ts'
import { MemoryPorts } from '../../../test/support/memory-ports.ts'
import { mediaLimits } from '../../lib/limits.ts'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import { PortPool } from '../media/ports.ts'
import type { MediaEvent } from './media-orders.ts'
import { MediaPorts } from './media-ports.ts'

const silence = new Uint8Array(160).fill(0xd5)

/** @param flows the engine forwards by itself what it may */
async function newCall(seed: number, flows = false) {
  let nowMs = 0
  const random = seededRandom(seed)
  const network = new MemoryPorts()
  const ports = new MediaPorts('192.0.2.1', new PortPool(10_000, 10_003, random), network, () => nowMs)
  const told: MediaEvent[] = []
  const onEvent = (event: MediaEvent): void => void told.push(event)
  const call = await MediaCall.open({
    network,
    ports,
    random,
    nowMs: () => nowMs,
    onEvent,
    ...(flows && { kernel: network.flows }),
  })
  const sounds = (): string[] => told.flatMap((event) => (event.type === 'caller-sound' ? [event.state] : []))
  const qualities = () => told.filter((event) => event.type === 'quality')
  /** 20 ms of the call. @param speaks which sides' packets arrive */
  const step = (...speaks: readonly ('caller' | 'agent')[]): void => {
    nowMs += 20
    for (const side of sides) {
      call.speakers[side].step()
      if (speaks.includes(side)) call.says(side, silence)
    }
    call.media.wake(nowMs)
  }
  return { call, network, random, step, sounds, qualities, now: () => nowMs }
}

test('loss of each leg is its own, is told every 30 s and once more at the end, armed or not', async () => {
  const { call, random, step, qualities, now } = await newCall(41)
  call.agree(0)
  const lost = { caller: 0, agent: 0 }
  const loss = { caller: 0.03, agent: 0.1 }
  for (let n = 0; n < 5_000; n++) {
    if (n === 2_000) call.media.arm(now(), 'burst')
    if (n === 3_000) call.media.release(now())
    const isEnd = n === 0 || n === 4_999
    const speaks = sides.filter((side) => isEnd || randomUnit(random) >= loss[side])
    for (const side of sides) if (!speaks.includes(side)) lost[side]++
    step(...speaks)
  }
  assert.equal(qualities().length, 3)
  assert.ok(qualities().every(({ isFinal }) => !isFinal))
  call.media.close(now())
  const last = qualities().at(-1) ?? assert.fail()
  assert.ok(last.isFinal)
  for (const side of sides) {
    const { packets, lost: told, jitterMicroseconds } = last.quality[side]
    assert.deepEqual([packets, told, jitterMicroseconds], [5_000 - lost[side], lost[side], 0], `seed 41, ${side}`)
  }
  // What we sent to the agent while armed are packets of our own, one every 20 ms, whatever was lost before us.
  assert.ok(last.quality.agent.sentPackets > 5_000 - lost.caller)
})

test('loss is as true where the engine forwards by itself and shows one packet in 128', async () => {
  const { call, random, step, qualities, now } = await newCall(45, true)
  call.agree(0)
  const lost = { caller: 0, agent: 0 }
  const loss = { caller: 0.03, agent: 0.1 }
  for (let n = 0; n < 5_000; n++) {
    const speaks = sides.filter((side) => randomUnit(random) >= loss[side])
    for (const side of sides) if (!speaks.includes(side)) lost[side]++
    step(...speaks)
  }
  assert.ok((call.media.counters()['kernel_packets'] ?? 0) > 5_000)
  call.media.close(now())
  const last = qualities().at(-1) ?? assert.fail()
  for (const side of sides) {
    const { packets, lost: told } = last.quality[side]
    assert.equal(packets, 5_000 - lost[side], `seed 45, ${side}`)
    // What was lost behind the last packet that was seen is not known.
    const unknown = 128 * loss[side] * 2
    assert.ok(told <= lost[side] && told >= lost[side] - unknown, `seed 45, ${side}: ${told} of ${lost[side]}`)
  }
})

test('a caller who is not heard for 2 s while armed is told once, and that he is back; on hold, or not armed, nothing is told', async () => {
  const { call, step, sounds, now } = await newCall(42)
  const steps = (count: number, ...speaks: readonly ('caller' | 'agent')[]): void => {
    for (let n = 0; n < count; n++) step(...speaks)
  }
  call.agree(0)
  steps(200, 'caller', 'agent')
  steps(200, 'agent')
  assert.deepEqual(sounds(), [])
  call.media.arm(now(), 'burst')
  steps(99, 'agent')
  assert.deepEqual(sounds(), [])
  steps(200, 'agent')
  assert.deepEqual(sounds(), ['silent'])
  steps(100, 'caller', 'agent')
  assert.deepEqual(sounds(), ['silent', 'heard'])
  // The agent put the caller on hold: he need not send.
  call.agree(now(), { sessions: { caller: call.session('caller', 'recvonly') } })
  steps(300, 'agent')
  assert.deepEqual(sounds(), ['silent', 'heard'])
})

test('a leg behind NAT is heard from where its first packet came, and served there; without the setting it is not', async () => {
  for (const learnFrom of [undefined, { caller: '198.51.100.77' }]) {
    const { call, network, step, now } = await newCall(43)
    call.agree(0, { ...(learnFrom && { learnFrom }) })
    const toCaller = new Set<string>()
    let toAgent = 0
    network.onSent = (_from, to) => {
      if (to.port === call.speakers.agent.address.port && to.host === call.speakers.agent.address.host) toAgent++
      else toCaller.add(`${to.host}:${to.port}`)
    }
    const { port } = call.media.addresses.caller
    for (let n = 0; n < 50; n++) {
      step('agent')
      network.arrive(port, call.speakers.caller.packet(silence), { host: '198.51.100.77', port: 50_123 })
    }
    assert.equal(toAgent, learnFrom === undefined ? 0 : 50)
    assert.equal(toCaller.has('198.51.100.77:50123'), learnFrom !== undefined)
    call.media.close(now())
  }
})

test('the quality of a call nobody spoke in is nothing, and bounded figures stay in their bounds', async () => {
  const { call, step, qualities, now } = await newCall(44)
  call.agree(0)
  for (let n = 0; n < mediaLimits.qualityEveryMs / 20 + 1; n++) step()
  call.media.close(now())
  assert.equal(qualities().length, 2)
  const { caller } = qualities()[0]?.quality ?? assert.fail()
  assert.deepEqual(caller, { packets: 0, lost: 0, jitterMicroseconds: 0, jitterMaxMicroseconds: 0, sentPackets: 0 })
})
