/** Media threads on real sockets of loopback, with each engine that is to be had here. */
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../../test/support/eventually.ts'
import { freePorts } from '../../../test/support/free-ports.ts'
import type { Address } from '../../lib/address.ts'
import { threadLimits } from '../../lib/limits.ts'
import { systemRandom } from '../../lib/random.ts'
import { eventPayload } from '../../sim/tones.ts'
import type { MediaEvent } from '../call/media-orders.ts'
import type { NegotiatedMedia } from '../call/negotiated-media.ts'
import type { AudioFormat } from '../media/audio-session.ts'
import type { EngineChoice } from '../media/engines.ts'
import { parseRtp, writeRtp } from '../media/rtp.ts'
import { MediaThreads } from './media-threads.ts'

const host = '127.0.0.1'
const clear = { policy: 'off', keysAllowed: false } as const
const pcma: AudioFormat = { payloadType: 8, codec: 'PCMA', clockHz: 8_000 }
const events: AudioFormat = { payloadType: 101, codec: 'telephone-event', clockHz: 8_000 }
const silence = new Uint8Array(160).fill(0xd5)

interface Told {
  readonly keys: number[]
  readonly events: MediaEvent['type'][]
}

/** A telephone: its packets, and what it hears. */
class Phone {
  readonly #socket: Socket
  readonly heard: Buffer[] = []
  #sequence = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (packet) => this.heard.push(packet))
  }

  static async open(t: TestContext): Promise<Phone> {
    const socket = createSocket('udp4')
    socket.bind(0, host)
    await once(socket, 'listening')
    t.after(() => socket.close())
    return new Phone(socket)
  }

  get address(): Address {
    return { host, port: this.#socket.address().port }
  }

  says(payload: Uint8Array, to: Address, payloadType = pcma.payloadType, timestamp = this.#sequence * 160): void {
    const fields = { payloadType, marker: false, sequence: this.#sequence++, timestamp, ssrc: 9 }
    this.#socket.send(writeRtp(fields, payload), to.port, to.host)
  }

  /** Silence, a packet every 20 ms. */
  talksOn(t: TestContext, to: Address): void {
    const timer = setInterval(() => this.says(silence, to), 20)
    t.after(() => clearInterval(timer))
  }

  /** One press of a key as RFC 4733 has it. */
  presses(key: number, to: Address): void {
    const timestamp = this.#sequence * 160
    for (const [isEnd, units] of [
      [false, 160],
      [false, 320],
      [true, 480],
      [true, 480],
      [true, 480],
    ] as const) {
      this.says(eventPayload(key, isEnd, 10, units), to, events.payloadType, timestamp)
    }
  }
}

interface Setting {
  readonly engine: EngineChoice
  readonly threads?: number
  readonly nowMs?: () => number
  readonly onLost?: () => void
}

async function start(t: TestContext, { engine, threads = 1, nowMs, onLost }: Setting): Promise<MediaThreads> {
  const portMin = await freePorts(16)
  const media = new MediaThreads({
    settings: { engine, host, portMin, portMax: portMin + 15, jitterMs: 40, replacement: 'flat' },
    threads,
    codecs: ['PCMA', 'telephone-event'],
    nowMs: nowMs ?? (() => performance.now()),
    random: systemRandom,
    onLost: onLost ?? (() => assert.fail('a thread was lost')),
  })
  t.after(() => media.stop())
  const started = await media.start()
  if (engine !== 'auto') assert.equal(started, engine)
  return media
}

async function call(t: TestContext, media: MediaThreads) {
  const told: Told = { keys: [], events: [] }
  const listener = {
    onKey: (key: number) => void told.keys.push(key),
    onEvent: ({ type }: MediaEvent) => void told.events.push(type),
  }
  const opened = await media.open(listener, { caller: clear, agent: clear })
  assert.ok(typeof opened !== 'string', String(opened))
  const [caller, agent] = [await Phone.open(t), await Phone.open(t)]
  const session = ({ address }: Phone) => ({
    remote: address,
    remoteRtcp: { ...address, port: address.port + 1 },
    formats: [pcma, events],
    direction: 'sendrecv' as const,
    ptimeMs: 20,
  })
  opened.use({ caller: session(caller), agent: session(agent) })
  return { opened, caller, agent, told }
}

const typesOf = (packets: readonly Buffer[]): number[] =>
  packets.map((packet) => {
    const rtp = parseRtp(packet)
    return typeof rtp === 'string' ? -1 : rtp.payloadType
  })

for (const engine of ['uring', 'epoll', 'dgram'] as const) {
  test(`${engine}: speech crosses both ways, a key is told once and never crosses, in a thread of its own`, async (t) => {
    let media: MediaThreads
    try {
      media = await start(t, { engine })
    } catch {
      return t.skip(`${engine} is not to be had here`)
    }
    const { opened, caller, agent, told } = await call(t, media)
    const { addresses } = opened
    caller.talksOn(t, addresses.caller)
    agent.talksOn(t, addresses.agent)
    await eventually('speech both ways', 5_000, async () => {
      return caller.heard.length > 0 && agent.heard.length > 0 ? true : undefined
    })
    opened.send({ type: 'arm', maskPolicy: 'burst' })
    await eventually('armed', 5_000, async () => told.events.includes('armed') || undefined)
    caller.presses(7, addresses.caller)
    await eventually('the key', 5_000, async () => told.keys.length > 0 || undefined)
    opened.sendKey(3)
    await eventually('the key of an INFO', 5_000, async () => told.keys.length > 1 || undefined)
    assert.deepEqual(told.keys, [7, 3])
    await eventually('masked sound', 5_000, async () => agent.heard.length > 30 || undefined)
    assert.ok(!typesOf(agent.heard).includes(events.payloadType), 'an event crossed')
    opened.close()
    await eventually('a last report', 5_000, async () => told.events.includes('quality') || undefined)
  })
}

test('calls are spread over the threads; one that is full leaves its calls to another; all ports are given back', async (t) => {
  const media = await start(t, { engine: 'auto', threads: 2 })
  const open: NegotiatedMedia[] = []
  for (;;) {
    const opened = await media.open({ onKey: () => {}, onEvent: () => {} }, { caller: clear, agent: clear })
    if (opened === 'no-ports') break
    assert.ok(typeof opened !== 'string')
    open.push(opened)
  }
  const ports = open.flatMap(({ addresses: { caller, agent } }) => [caller.port, agent.port])
  assert.equal(new Set(ports).size, ports.length)
  // Another program may have taken a pair meanwhile, which costs at most one call in each thread.
  assert.ok(open.length >= 2, `${open.length} calls on eight pairs`)
  const middle = (Math.min(...ports) + Math.max(...ports)) / 2
  const [first, second] = open.map(({ addresses }) => addresses.caller.port > middle)
  assert.notEqual(first, second)
  for (const one of open) one.close()
  await media.stop()
  for (const port of ports) {
    const socket = createSocket('udp4').bind(port, host)
    await once(socket, 'listening')
    socket.close()
  }
})

test('a thread that meets a fault is told as lost, once, and what was thrown is told to nobody', async (t) => {
  let lost = 0
  const media = await start(t, { engine: 'auto', onLost: () => lost++ })
  const { opened } = await call(t, media)
  // No message of ours: whatever makes a thread fall, it is in this way that it falls.
  opened.send({ type: 'propose', side: 'caller', session: 0 as never })
  await eventually('the loss', 10_000, async () => (lost > 0 ? true : undefined))
  assert.equal(lost, 1)
})

test('a thread that is silent for too long is lost', async (t) => {
  let lost = 0
  let skipMs = 0
  const nowMs = (): number => performance.now() + skipMs
  const media = await start(t, { engine: 'auto', nowMs, onLost: () => lost++ })
  media.counters()
  assert.equal(lost, 0)
  skipMs = threadLimits.silenceMs + 1_000
  media.counters()
  assert.equal(lost, 0, 'the whole process may have been stopped: its reports are not read yet')
  media.counters()
  assert.equal(lost, 1)
})
