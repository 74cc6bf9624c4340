/**
 * A whole call's media between two hosts, with the kernel forwarding what is not armed: network namespaces, real packets, a
 * virtual clock. What the agent hears is decoded as a phone would.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { missingNamespaces, testNetwork, type TestHost } from '../../../test/support/network-namespaces.ts'
import { plainTerms } from '../../../test/support/media-terms.ts'
import type { CallQualityReport } from '../../wall/call-quality.ts'
import { seededRandom } from '../../lib/random.ts'
import { CallerDirection } from '../dtmf/caller-direction.ts'
import type { AudioFormat, AudioSession } from '../media/audio-session.ts'
import { encodeG711 } from '../media/g711.ts'
import { type Heard, openForwarder, Peer } from '../media/kernel/kernel.test-kit.ts'
import { PortPool } from '../media/ports.ts'
import { EpollEngine } from '../media/relay/engine-epoll.ts'
import { readPlainRtp, rtpNumbers, writeRtp } from '../media/rtp.ts'
import { type CallMedia, openCallMedia } from './call-media.ts'
import type { MediaEvent } from './media-orders.ts'
import { MediaPorts } from './media-ports.ts'

const skip = missingNamespaces()
const pcma: AudioFormat = { payloadType: 8, codec: 'PCMA', clockHz: 8_000 }
const events: AudioFormat = { payloadType: 101, codec: 'telephone-event', clockHz: 8_000 }
const TICK_MS = 20
const FRAME_SAMPLES = 160

/** A speaker's packets: quiet noise, and the tones of keys where `keys` says so. */
class Speaker {
  readonly #ssrc: number
  #sequence = 65_400
  #samples = 0

  constructor(ssrc: number) {
    this.#ssrc = ssrc
  }

  next(tone?: readonly [number, number]): Uint8Array {
    const from = this.#samples
    this.#samples += FRAME_SAMPLES
    const samples = Int16Array.from({ length: FRAME_SAMPLES }, (_, index) => {
      const phase = (2 * Math.PI * (from + index)) / 8_000
      const hum = 300 * Math.sin(phase * 200 + this.#ssrc)
      return tone === undefined ? hum : 6_000 * (Math.sin(phase * tone[0]) + Math.sin(phase * tone[1]))
    })
    const fields = {
      payloadType: 8,
      marker: false,
      sequence: this.#sequence & 0xffff,
      timestamp: from,
      ssrc: this.#ssrc,
    }
    this.#sequence++
    return writeRtp(fields, encodeG711('PCMA', samples))
  }

  /** A telephone event: the key 1, at the stream's next number. */
  event(): Uint8Array {
    const fields = {
      payloadType: 101,
      marker: true,
      sequence: this.#sequence & 0xffff,
      timestamp: this.#samples,
      ssrc: this.#ssrc,
    }
    this.#sequence++
    return writeRtp(fields, Uint8Array.of(1, 10, 0, FRAME_SAMPLES))
  }

  /** Time in which no packet is sent, or all are lost on their way. */
  miss(packets: number): void {
    this.#sequence += packets
    this.#samples += packets * FRAME_SAMPLES
  }
}

/** The keys 1, 5 and 9. */
const tones = [
  [697, 1_209],
  [770, 1_336],
  [852, 1_477],
] as const

class Setting implements AsyncDisposable {
  readonly told: string[] = []
  readonly keys: number[] = []
  /** As told last. */
  quality: CallQualityReport | undefined
  /** What the agent has received, in order. */
  readonly atAgent: Heard[] = []
  readonly atCaller: Heard[] = []
  callerVoice = new Speaker(0x1111_1111)
  readonly agentVoice = new Speaker(0x2222_2222)
  readonly #network = testNetwork(3)
  readonly #us = this.#host(1)
  readonly #caller = new Peer(this.#host(0), 4_000)
  readonly #agent = new Peer(this.#host(2), 4_002)
  readonly #engine = this.#us.inside(() => new EpollEngine())
  readonly #forwarder = openForwarder(this.#us)
  #media: CallMedia | undefined
  #nowMs = 1_000

  static async start(): Promise<Setting> {
    const setting = new Setting()
    await setting.#open()
    return setting
  }

  get media(): CallMedia {
    assert(this.#media !== undefined)
    return this.#media
  }

  arm(): void {
    this.media.arm(this.#nowMs, 'adaptive')
  }

  use(): void {
    this.media.use(plainTerms({ caller: session(this.#caller), agent: session(this.#agent) }), this.#nowMs)
  }

  /** All packets to the agent go by way of another host, or straight again. */
  route(change: 'add' | 'del'): void {
    this.#us.run('ip', 'route', change, `${this.#agent.address.host}/32`, 'via', this.#caller.address.host)
  }

  counter(name: string): number {
    return this.media.counters()[name] ?? 0
  }

  /** 20 ms: both speak, the packets cross, and everybody hears. @param said by the caller, in place of noise */
  tick(said?: readonly [number, number] | Uint8Array | 'nothing'): void {
    this.#nowMs += TICK_MS
    const packet = said instanceof Uint8Array || said === 'nothing' ? said : this.callerVoice.next(said)
    if (packet !== 'nothing') this.#caller.socket.send(packet, this.media.addresses.caller)
    this.#agent.socket.send(this.agentVoice.next(), this.media.addresses.agent)
    this.#engine.poll(this.#nowMs)
    this.media.wake(this.#nowMs)
    this.#engine.poll(this.#nowMs + 1)
    this.atAgent.push(...this.#agent.take())
    this.atCaller.push(...this.#caller.take())
  }

  ticks(count: number): void {
    for (let tick = 0; tick < count; tick++) this.tick()
  }

  /** Three keys, 80 ms each. */
  keyIn(): void {
    for (const tone of tones) {
      for (let tick = 0; tick < 4; tick++) this.tick(tone)
      this.ticks(4)
    }
  }

  /** Until the call's packets cross in the kernel. */
  enterKernel(): void {
    for (let tick = 0; tick < 100 && this.counter('kernel_calls') === 0; tick++) this.tick()
    assert.equal(this.counter('kernel_calls'), 1)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.media.close(this.#nowMs)
    this.#forwarder.close()
    for (const part of [this.#caller, this.#agent, this.#engine]) part.close()
    this.#network[Symbol.dispose]()
  }

  #host(index: number): TestHost {
    const host = this.#network.hosts[index]
    assert(host !== undefined)
    return host
  }

  async #open(): Promise<void> {
    const nowMs = (): number => this.#nowMs
    const engine = {
      open: async (...port: Parameters<EpollEngine['open']>) => this.#us.inside(() => this.#engine.open(...port)),
    }
    const ports = new MediaPorts(this.#us.address, new PortPool(10_000, 10_003, seededRandom(5)), engine, nowMs)
    const listener = {
      onKey: (key: number) => void this.keys.push(key),
      onEvent: (event: MediaEvent) => {
        if (event.type === 'armed' || event.type === 'secured') this.told.push(event.type)
        if (event.type === 'quality') this.quality = event.quality
      },
    }
    const options = { ports, replacement: 'flat', jitterMs: 40, random: seededRandom(9), nowMs } as const
    const media = await openCallMedia({ ...options, kernel: this.#forwarder }, listener)
    assert(media !== 'no-ports')
    this.#media = media
    this.use()
  }
}

function session({ address }: Peer): AudioSession {
  const remoteRtcp = { ...address, port: address.port + 1 }
  return { remote: address, remoteRtcp, formats: [pcma, events], direction: 'sendrecv', ptimeMs: 20 }
}

/** The keys that a phone hears in these packets. */
function keysIn(heard: readonly Heard[]): number[] {
  const keys: number[] = []
  const ear = new CallerDirection({
    replacement: 'silence',
    jitterMs: 40,
    random: seededRandom(1),
    onKey: (key) => void keys.push(key),
    onUncertain: () => {},
    onMaskFailed: () => assert.fail('the ear failed'),
  })
  ear.setFormats([pcma], [pcma], 0)
  ear.arm(0, 'adaptive')
  heard.forEach(({ packet }, index) => {
    ear.receive(packet, index * TICK_MS)
    ear.tick(index * TICK_MS)
  })
  ear.tick((heard.length + 30) * TICK_MS)
  return keys
}

function numbersOf({ packet }: Heard): { ssrc: number; sequence: number; timestamp: number } {
  const { ssrc, sequence, timestamp } = (() => {
    const rtp = rtpNumbers()
    assert(readPlainRtp(packet, 0, packet.length, rtp))
    return rtp
  })()
  return { ssrc, sequence, timestamp }
}

/** One stream: each number follows the one before. */
function assertContinuous(heard: readonly Heard[], ssrc: number): void {
  const numbers = heard.map(numbersOf)
  for (const [index, next] of numbers.entries()) {
    const before = numbers[index - 1]
    if (before === undefined) continue
    assert.equal(next.ssrc, ssrc)
    assert.equal((next.sequence - before.sequence) & 0xffff, 1, `packet ${index}`)
    assert.equal((next.timestamp - before.timestamp) >>> 0, FRAME_SAMPLES, `packet ${index}`)
  }
}

test('not armed: nearly all packets cross in the kernel, and keys are heard, as on any line', { skip }, async () => {
  await using setting = await Setting.start()
  setting.enterKernel()
  const before = setting.counter('passing_passed')
  setting.ticks(300)
  setting.keyIn()
  setting.use()
  assert.equal(setting.counter('kernel_packets') > 600, true)
  assert.equal(setting.counter('passing_passed') - before < 10, true)
  assert.deepEqual(keysIn(setting.atAgent.slice(-40)), [1, 5, 9])
  assertContinuous(setting.atAgent, 0x1111_1111)
  assertContinuous(setting.atCaller, 0x2222_2222)
})

test('armed while the kernel forwards: the agent hears no key, we hear each, and both streams go on without a seam', {
  skip,
}, async () => {
  await using setting = await Setting.start()
  setting.enterKernel()
  setting.ticks(100)
  const before = setting.atAgent.length
  setting.arm()
  assert.deepEqual(setting.told, ['armed'])
  setting.keyIn()
  setting.ticks(50)
  assert.deepEqual(setting.told, ['armed', 'secured'])
  assert.deepEqual(setting.keys, [1, 5, 9])
  assert.deepEqual(keysIn(setting.atAgent.slice(before)), [])
  assertContinuous(setting.atAgent, 0x1111_1111)
  assertContinuous(setting.atCaller, 0x2222_2222)
  assert.equal(setting.counter('kernel_calls'), 0)
  setting.ticks(100)
  assert.equal(setting.counter('kernel_calls'), 0)
})

test('packets are lost while the kernel forwards: what we send when armed is never behind them', { skip }, async () => {
  await using setting = await Setting.start()
  setting.enterKernel()
  setting.callerVoice.miss(40)
  setting.ticks(20)
  const last = setting.atAgent.at(-1) ?? assert.fail('nothing heard')
  setting.arm()
  setting.ticks(20)
  const ahead = setting.atAgent.slice(-15).map((heard) => numbersOf(heard).sequence - numbersOf(last).sequence)
  assert.deepEqual(
    ahead,
    Array.from({ length: 15 }, (_, index) => index + 6),
  )
})

test('a caller who is silent when armed: nothing is said to be secured, and our packets are beyond all that was sent', {
  skip,
}, async () => {
  await using setting = await Setting.start()
  setting.enterKernel()
  setting.ticks(30)
  const last = numbersOf(setting.atAgent.at(-1) ?? assert.fail('nothing heard'))
  const before = setting.atAgent.length
  setting.arm()
  for (let tick = 0; tick < 50; tick++) setting.tick('nothing')
  assert.deepEqual(setting.told, ['armed'])
  const own = setting.atAgent.slice(before)
  // Those of the first 200 ms are held back.
  assert.equal(own.length, 41)
  const first = numbersOf(own[0] ?? assert.fail('nothing sent'))
  assert.equal(first.sequence > last.sequence && first.sequence < last.sequence + 200, true)
  assertContinuous(own, 0x1111_1111)
  setting.tick()
  assert.deepEqual(setting.told, ['armed', 'secured'])
})

test('an event while the kernel forwards crosses in user space, under the number it has', { skip }, async () => {
  await using setting = await Setting.start()
  setting.enterKernel()
  setting.ticks(10)
  setting.tick(setting.callerVoice.event())
  setting.ticks(10)
  assert.equal(setting.counter('kernel_calls'), 1)
  const types = setting.atAgent.slice(-11).map(({ packet }) => (packet[1] ?? 0) & 0x7f)
  assert.deepEqual(types, [101, ...Array<number>(10).fill(8)])
  const sequences = setting.atAgent.slice(-12).map((heard) => numbersOf(heard).sequence)
  assert.deepEqual(
    sequences,
    Array.from({ length: 12 }, (_, index) => (sequences[0] ?? 0) + index),
  )
})

test('new terms take the call out, and it goes in again, without a seam', { skip }, async () => {
  await using setting = await Setting.start()
  setting.enterKernel()
  setting.use()
  assert.equal(setting.counter('kernel_calls'), 0)
  setting.enterKernel()
  assertContinuous(setting.atAgent, 0x1111_1111)
  assertContinuous(setting.atCaller, 0x2222_2222)
  assert.equal(setting.counter('kernel_entered'), 2)
})

test('the caller begins a new stream: it comes to user space at once, is heard under the old numbers, and the call stays there', {
  skip,
}, async () => {
  await using setting = await Setting.start()
  setting.enterKernel()
  setting.ticks(20)
  const last = numbersOf(setting.atAgent.at(-1) ?? assert.fail('nothing heard'))
  const before = setting.atAgent.length
  setting.callerVoice = new Speaker(0x3333_3333)
  setting.ticks(150)
  assert.equal(setting.counter('kernel_calls'), 0)
  const heard = setting.atAgent.slice(before)
  assert.equal(heard.length > 140, true)
  assertContinuous(heard, 0x1111_1111)
  assert.equal(numbersOf(heard[0] ?? assert.fail('nothing heard')).sequence > last.sequence, true)
  assertContinuous(setting.atCaller, 0x2222_2222)
  setting.arm()
  assert.deepEqual(setting.told, ['armed', 'secured'])
})

test('what crossed in the kernel counts: packets and losses of both legs are what they were', { skip }, async () => {
  await using setting = await Setting.start()
  setting.enterKernel()
  setting.ticks(200)
  setting.callerVoice.miss(7)
  setting.ticks(100)
  setting.use()
  setting.ticks(10)
  setting.media.close(0)
  const { caller, agent } = setting.quality ?? assert.fail('nothing told')
  const heard = { atAgent: setting.atAgent.length, atCaller: setting.atCaller.length }
  assert.deepEqual([caller.packets, caller.lost, caller.sentPackets], [heard.atAgent, 7, heard.atCaller])
  assert.deepEqual([agent.packets, agent.lost, agent.sentPackets], [heard.atCaller, 0, heard.atAgent])
})

test('the way to a peer changes: the call comes out of the kernel, and goes in again by the new way', {
  skip,
}, async () => {
  await using setting = await Setting.start()
  setting.enterKernel()
  setting.route('add')
  setting.ticks(249)
  assert.equal(setting.counter('kernel_left'), 0)
  setting.ticks(2)
  assert.equal(setting.counter('kernel_left'), 1)
  setting.route('del')
  setting.enterKernel()
  const before = setting.atAgent.length
  setting.ticks(50)
  assert.equal(setting.atAgent.length - before, 50)
})
