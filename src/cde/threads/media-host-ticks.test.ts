/** A media thread's calls on ports in memory, under a virtual clock: who is woken when. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pcma, rtcpOf, Speaker } from '../../../test/support/media-call.ts'
import { MemoryPorts } from '../../../test/support/memory-ports.ts'
import { dtmfLimits } from '../../lib/limits.ts'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import { MediaPorts } from '../call/media-ports.ts'
import type { MediaOrder } from '../call/media-orders.ts'
import type { Side } from '../call/negotiation.ts'
import type { AudioFormat } from '../media/audio-session.ts'
import { PortPool } from '../media/ports.ts'
import { secretCopy } from './keys-on-the-way.ts'
import { MediaHost } from './media-host.ts'
import type { FromThread, KeysOnTheWay } from './messages.ts'

const SEED = 77
const noise: AudioFormat = { payloadType: 13, codec: 'CN', clockHz: 8_000 }
const CALL = 1

async function callOf(formats: Readonly<Record<Side, readonly AudioFormat[]>>) {
  let nowMs = 0
  const random = seededRandom(SEED)
  const network = new MemoryPorts()
  const ports = new MediaPorts('192.0.2.1', new PortPool(10_000, 10_031, random), network, () => nowMs)
  const told: FromThread[] = []
  const transferred: ArrayBuffer[] = []
  const options = { ports, replacement: 'flat', jitterMs: 40, random, nowMs: () => nowMs } as const
  const host = new MediaHost(options, (message, transfer = []) => {
    told.push(message)
    transferred.push(...transfer)
  })
  host.execute({ type: 'open', call: CALL })
  while (told.length === 0) await Promise.resolve()
  const [opened] = told
  assert.ok(opened?.type === 'opened')
  const speakers = {
    caller: new Speaker({ host: '198.51.100.1', port: 4_000 }, random),
    agent: new Speaker({ host: '203.0.113.1', port: 5_000 }, random),
  }
  const session = (side: Side) => {
    const { address } = speakers[side]
    return {
      remote: address,
      remoteRtcp: rtcpOf(address),
      formats: formats[side],
      direction: 'sendrecv',
      ptimeMs: 20,
    } as const
  }
  const terms = {
    sessions: { caller: session('caller'), agent: session('agent') },
    ownFormats: { caller: [], agent: [] },
    keys: { caller: undefined, agent: undefined },
  }
  host.execute({ type: 'use', call: CALL, terms })
  const heardAtMs: Record<Side, number[]> = { caller: [], agent: [] }
  network.onSent = (_from, { port }) => {
    if (port === 4_000) heardAtMs.caller.push(nowMs)
    if (port === 5_000) heardAtMs.agent.push(nowMs)
  }
  return {
    host,
    told,
    transferred,
    heardAtMs,
    order: (order: Exclude<MediaOrder, { type: 'use' }>) => host.execute({ type: 'order', call: CALL, order }),
    says(side: Side, payload = Uint8Array.from({ length: 160 }, () => 0x50 + 128 * randomUnit(random)), type?: number) {
      speakers[side].step()
      network.arrive(opened.addresses[side].port, speakers[side].packet(payload, type), speakers[side].address)
    },
    /** Every millisecond until then; `each` every 20 ms. */
    run(untilMs: number, each: () => void) {
      for (; nowMs < untilMs; nowMs++) {
        if (nowMs % 20 === 0) each()
        if ((host.nextWakeAtMs() ?? Number.POSITIVE_INFINITY) <= nowMs) host.wake(nowMs)
      }
    },
    skipTo(atMs: number) {
      nowMs = atMs
      host.wake(nowMs)
    },
  }
}

/** Between one packet and the next, from `fromMs` on. */
function gapsMs(atMs: readonly number[], fromMs: number): number[] {
  const counted = atMs.filter((at) => at >= fromMs)
  return counted.slice(1).map((at, i) => at - (counted[i] ?? 0))
}

test('a line that is drained after a capture is heard every 20 ms, as it was while it was masked', async () => {
  const call = await callOf({ caller: [pcma], agent: [pcma] })
  const both = (): void => {
    call.says('caller')
    call.says('agent')
  }
  call.run(1_000, both)
  call.order({ type: 'arm', maskPolicy: 'adaptive' })
  call.run(2_000, both)
  call.order({ type: 'release' })
  call.run(10_000, both)
  assert.ok(call.told.some((message) => message.type === 'event' && message.event.type === 'disarmed'))
  const gaps = gapsMs(call.heardAtMs.agent, 1_200)
  assert.ok(gaps.length > 300)
  assert.ok(Math.max(...gaps) <= 40, `seed ${SEED}: ${Math.max(...gaps)} ms without a packet`)
})

for (const side of ['caller', 'agent'] as const) {
  test(`a pause of the ${side} is filled with a frame every 20 ms, but for its first tenth of a second`, async () => {
    const other = side === 'caller' ? 'agent' : 'caller'
    const formats = { caller: [pcma], agent: [pcma], [side]: [pcma, noise] }
    const call = await callOf(formats)
    call.run(1_000, () => {
      call.says('caller')
      call.says('agent')
    })
    call.says(side, Uint8Array.of(60), noise.payloadType)
    call.run(3_000, () => call.says(other))
    const gaps = gapsMs(call.heardAtMs[other], 1_120)
    assert.ok(gaps.length > 80, `${gaps.length} packets`)
    assert.ok(Math.max(...gaps) <= 21, `seed ${SEED}: ${Math.max(...gaps)} ms without a packet`)
  })
}

test('after a stall of half a minute a filled pause is not said all at once', async () => {
  const call = await callOf({ caller: [pcma, noise], agent: [pcma] })
  call.run(1_000, () => {
    call.says('caller')
    call.says('agent')
  })
  call.says('caller', Uint8Array.of(60), noise.payloadType)
  call.run(1_200, () => call.says('agent'))
  const before = call.heardAtMs.agent.length
  call.skipTo(31_200)
  assert.ok(call.heardAtMs.agent.length - before <= dtmfLimits.catchUpTicksMax + 1)
})

test('secrets for a call that is gone are wiped', async () => {
  const call = await callOf({ caller: [pcma], agent: [pcma] })
  const secret = () => secretCopy(Uint8Array.of(1, 2, 3))
  const keys: KeysOnTheWay = {
    suite: 'AES_CM_128_HMAC_SHA1_80',
    ...{ ownNumber: 1, own: secret(), peerNumber: 1 },
    peer: [{ octets: secret(), mki: new Uint8Array(0), lifetimePackets: 1 }],
  }
  const sessions = {}
  const ownFormats = { caller: [], agent: [] }
  call.host.execute({ type: 'use', call: 9, terms: { sessions, ownFormats, keys: { caller: keys, agent: undefined } } })
  for (const octets of [keys.own, keys.peer[0]?.octets ?? assert.fail()]) assert.deepEqual([...octets], [0, 0, 0])
})

test('recent counters are those of live and of ended calls together, and never go down', async () => {
  const call = await callOf({ caller: [pcma], agent: [pcma] })
  const both = (): void => {
    call.says('caller')
    call.says('agent')
  }
  const passed: number[] = []
  for (let atMs = 500; atMs <= 6_000; atMs += 100) {
    call.run(atMs, both)
    passed.push(call.host.recentCounters()['passing_passed'] ?? 0)
  }
  call.order({ type: 'close' })
  const all = call.host.counters()['passing_passed'] ?? 0
  for (let atMs = 6_100; atMs <= 9_000; atMs += 100) {
    call.skipTo(atMs)
    passed.push(call.host.recentCounters()['passing_passed'] ?? 0)
  }
  assert.deepEqual(
    passed,
    passed.toSorted((a, b) => a - b),
  )
  assert.ok(all > 250)
  assert.equal(passed.at(-1), all)
})

test('a key leaves its thread in a buffer that is handed over, not copied', async () => {
  const call = await callOf({ caller: [pcma], agent: [pcma] })
  call.run(500, () => call.says('caller'))
  call.order({ type: 'arm', maskPolicy: 'burst' })
  call.run(1_000, () => call.says('caller'))
  call.host.execute({ type: 'key', call: CALL, key: secretCopy(Uint8Array.of(7)) })
  call.run(2_000, () => call.says('caller'))
  const keys = call.told.flatMap((message) => (message.type === 'key' ? [message.key] : []))
  assert.deepEqual(
    keys.map(([code]) => code),
    [7],
  )
  assert.deepEqual(
    keys.map(({ buffer }) => call.transferred.includes(buffer)),
    [true],
  )
})
