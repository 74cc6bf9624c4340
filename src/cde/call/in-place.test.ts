/**
 * A packet that crosses where it lies must be the packet that crosses as a copy (MED-01 to MED-05): the same call is run twice on
 * the same packets, once on an engine that hands over frames and once on one that hands over packets. All that is sent, to
 * whom, all counters and all figures of quality must be equal.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address } from '../../lib/address.ts'
import { type RandomBytes, randomUnit, seededRandom } from '../../lib/random.ts'
import type { AudioFormat, AudioSession, Direction } from '../media/audio-session.ts'
import { PortPool } from '../media/ports.ts'
import { writeRtp } from '../media/rtp.ts'
import type { FrameListener, MediaEngine, PacketListener } from '../media/socket.ts'
import { plainTerms } from '../../../test/support/media-terms.ts'
import { openCallMedia } from './call-media.ts'
import type { MediaEvent } from './media-orders.ts'
import { MediaPorts } from './media-ports.ts'

const host = '192.0.2.1'
const pcma: AudioFormat = { payloadType: 8, codec: 'PCMA', clockHz: 8_000 }
const pcmu: AudioFormat = { payloadType: 0, codec: 'PCMU', clockHz: 8_000 }
const event: AudioFormat = { payloadType: 101, codec: 'telephone-event', clockHz: 8_000 }
const remotes = { caller: { host: '198.51.100.1', port: 4_000 }, agent: { host: '203.0.113.1', port: 5_000 } } as const
const stray = { host: '198.51.100.9', port: 4_000 }

interface Sent {
  readonly fromPort: number
  readonly to: string
  readonly octets: number[]
}

/** Ports in memory. Each datagram lies amid other octets, which must stay as they are. */
class MemoryEngine implements MediaEngine {
  readonly sent: Sent[] = []
  forwarded = 0
  readonly #inPlace: boolean
  readonly #ports = new Map<number, { onPacket: PacketListener; onFrame: FrameListener | undefined }>()

  constructor(inPlace: boolean) {
    this.#inPlace = inPlace
  }

  open: MediaEngine['open'] = async (local, onPacket, onFrame) => {
    this.#ports.set(local.port, { onPacket, onFrame })
    const send = (octets: Uint8Array, to: Address): void => {
      this.sent.push({ fromPort: local.port, to: `${to.host}:${to.port}`, octets: [...octets] })
    }
    return {
      local,
      send,
      forward: ({ octets, start, length }, to) => {
        this.forwarded++
        send(octets.subarray(start, start + length), to)
      },
      close: () => {},
    }
  }

  arrive(port: number, packet: Uint8Array, from: Address): void {
    const listeners = this.#ports.get(port) ?? assert.fail(`port ${port} is not open`)
    const octets = new Uint8Array(packet.length + 20).fill(0xee)
    octets.set(packet, 10)
    const frame = { octets, start: 10, length: packet.length, from: { ...from } }
    const isTaken = this.#inPlace && listeners.onFrame?.(frame) === true
    assert.ok(
      [...octets.subarray(0, 10), ...octets.subarray(-10)].every((octet) => octet === 0xee),
      'wrote beside it',
    )
    if (!isTaken) listeners.onPacket(packet.slice(), { ...from })
  }
}

async function newCall(inPlace: boolean) {
  let nowMs = 1_000
  const engine = new MemoryEngine(inPlace)
  const random = seededRandom(77)
  const ports = new MediaPorts(host, new PortPool(10_000, 10_003, seededRandom(5)), engine, () => nowMs)
  const told: unknown[] = []
  const listener = {
    onKey: (key: number) => void told.push(key),
    onEvent: (event: MediaEvent) => void told.push(event),
  }
  const media = await openCallMedia({ ports, replacement: 'flat', jitterMs: 40, random, nowMs: () => nowMs }, listener)
  assert.ok(media !== 'no-ports')
  const setNow = (toMs: number): void => {
    nowMs = toMs
  }
  return { engine, media, told, setNow }
}

type Run = Awaited<ReturnType<typeof newCall>>

/** A sender that mostly behaves. */
class Sender {
  readonly #random: RandomBytes
  #ssrc = 5
  #sequence = 65_500
  #timestamp = 0xffff_f000

  constructor(random: RandomBytes) {
    this.#random = random
  }

  #oneIn(count: number): boolean {
    return Math.floor(randomUnit(this.#random) * count) === 0
  }

  #below(count: number): number {
    return Math.floor(randomUnit(this.#random) * count)
  }

  next(): Uint8Array {
    this.#sequence = (this.#sequence + (this.#oneIn(20) ? this.#below(5) : 1)) & 0xffff
    this.#timestamp = (this.#timestamp + 160) >>> 0
    if (this.#oneIn(60)) this.#ssrc = this.#below(3)
    if (this.#oneIn(60)) this.#timestamp = (this.#timestamp + this.#below(200_000) - 50_000) >>> 0
    if (this.#oneIn(60)) this.#sequence = this.#below(65_536)
    const late = this.#oneIn(25) ? 1 + this.#below(3) : 0
    const isEvent = this.#oneIn(12)
    const payloadType = isEvent ? 101 : ((this.#oneIn(8) ? [0, 96, 13, 127, 72][this.#below(5)] : 8) ?? 8)
    const length = isEvent ? 4 : this.#oneIn(15) ? this.#below(400) : 160
    const payload = Uint8Array.from({ length }, () => this.#below(256))
    if (isEvent) payload[0] = this.#below(16)
    const fields = {
      payloadType,
      marker: this.#oneIn(20),
      sequence: (this.#sequence - late) & 0xffff,
      timestamp: (this.#timestamp - late * 160) >>> 0,
      ssrc: this.#ssrc,
    }
    const packet = writeRtp(fields, payload)
    // CSRC lists, extensions, padding, other versions, cut packets.
    if (this.#oneIn(30)) packet[0] = this.#below(256)
    return this.#oneIn(40) ? packet.subarray(0, this.#below(packet.length)) : packet
  }
}

/** One step of the story, as data, so that both runs live through the same. */
type Step =
  | { do: 'packet'; side: 'caller' | 'agent'; packet: Uint8Array; from: Address }
  | { do: 'arm' | 'disarm' | 'wake' | 'agree' | 'propose' | 'withdraw' }
  | { do: 'hold'; direction: Direction }

function story(seed: number, steps: number): { step: Step; nowMs: number }[] {
  const random = seededRandom(seed)
  const below = (count: number): number => Math.floor(randomUnit(random) * count)
  const senders = { caller: new Sender(random), agent: new Sender(random) }
  const told: { step: Step; nowMs: number }[] = []
  let nowMs = 1_000
  for (let i = 0; i < steps; i++) {
    nowMs += below(200) === 0 ? below(30_000) : below(20)
    const side = below(2) === 0 ? 'caller' : 'agent'
    const from = below(30) === 0 ? stray : remotes[side]
    told.push({ step: { do: 'packet', side, packet: senders[side].next(), from }, nowMs })
    if (below(15) === 0) told.push({ step: { do: 'wake' }, nowMs })
    const rare = (['arm', 'disarm', 'disarm', 'agree', 'propose', 'withdraw', 'hold'] as const)[below(1_000)]
    if (rare === 'hold') {
      const direction = (['sendonly', 'inactive', 'sendrecv', 'sendrecv'] as const)[below(4)] ?? 'sendrecv'
      told.push({ step: { do: 'hold', direction }, nowMs })
    } else if (rare !== undefined) told.push({ step: { do: rare }, nowMs })
  }
  return told
}

function session(side: 'caller' | 'agent', formats: readonly AudioFormat[], direction: Direction): AudioSession {
  const remote = remotes[side]
  return { remote, remoteRtcp: { ...remote, port: remote.port + 1 }, formats, direction, ptimeMs: 20 }
}

function live({ engine, media, setNow }: Run, { step, nowMs }: { step: Step; nowMs: number }, ports: number[]): void {
  setNow(nowMs)
  const [callerPort = 0, agentPort = 0] = ports
  switch (step.do) {
    case 'packet':
      return engine.arrive(step.side === 'caller' ? callerPort : agentPort, step.packet, step.from)
    case 'arm':
      return media.arm(nowMs)
    case 'disarm':
      return media.release(nowMs)
    case 'wake':
      return media.wake(nowMs)
    case 'agree':
      return media.use(plainTerms({ agent: session('agent', [pcma, pcmu, event], 'sendrecv') }), nowMs)
    case 'propose':
      return media.propose('caller', { ...session('caller', [pcma], 'sendrecv'), remote: stray })
    case 'withdraw':
      return media.withdraw('caller')
    case 'hold':
      return media.use(plainTerms({ caller: session('caller', [pcma, event], step.direction) }), nowMs)
  }
}

test('what crosses in place is what crosses as a copy', async () => {
  let inPlace = 0
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const agentFormats = seed % 3 === 0 ? [pcmu, event] : [{ ...pcma, payloadType: 118 }, pcmu, event]
    const runs = [await newCall(true), await newCall(false)] as const
    for (const { media } of runs) {
      media.use(
        plainTerms({
          caller: session('caller', [pcma, pcmu, event], 'sendrecv'),
          agent: session('agent', agentFormats, 'sendrecv'),
        }),
        1_000,
      )
    }
    // Both pools hand out the same two pairs in the same order: the caller's is the first.
    const pool = new PortPool(10_000, 10_003, seededRandom(5))
    const ports = [pool.take() ?? 0, pool.take() ?? 0]
    for (const [index, told] of story(seed, 4_000).entries()) {
      for (const run of runs) live(run, told, ports)
      const [frames, packets] = runs.map(({ engine }) => engine.sent.splice(0))
      assert.deepEqual(frames, packets, `seed ${seed}, step ${index}: ${told.step.do}`)
    }
    const [a, b] = runs
    assert.deepEqual(a.media.counters(), b.media.counters(), `seed ${seed}`)
    for (const { media } of runs) media.close(1e9)
    assert.deepEqual(a.told, b.told, `seed ${seed}`)
    const last = a.told.at(-1) as MediaEvent
    assert.ok(last.type === 'quality' && last.quality.caller.packets > 500 && last.quality.agent.packets > 500)
    inPlace += a.engine.forwarded
  }
  assert.ok(inPlace > 5_000, `only ${inPlace} crossed in place`)
})
