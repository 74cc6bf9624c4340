/** A caller direction under a virtual clock: packets in, the agent's packets out. For the tests of masking. */
import { CallerDirection, type CallerDirectionOptions } from '../../src/cde/dtmf/caller-direction.ts'
import { parseInfoBody } from '../../src/cde/dtmf/info-body.ts'
import type { Carriage, Doubt } from '../../src/cde/dtmf/key-codes.ts'
import type { AudioFormat } from '../../src/cde/media/audio-session.ts'
import { decodeG711, encodeG711, type G711Codec } from '../../src/cde/media/g711.ts'
import { parseRtp, writeRtp } from '../../src/cde/media/rtp.ts'
import { packetizeOpus } from './opus-phone.ts'
import { type RandomBytes, randomUnit, seededRandom } from '../../src/lib/random.ts'
import type { MaskPolicy } from '../../src/wall/settings.ts'

export interface TimedPacket {
  readonly atMs: number
  readonly packet: Uint8Array
}

export interface TimedInfo {
  readonly atMs: number
  readonly contentType: string
  readonly body: Uint8Array
}

export interface StreamSettings {
  readonly codec?: G711Codec
  readonly packetMs?: number
  readonly ssrc?: number
  readonly sequence?: number
  readonly timestamp?: number
  readonly startMs?: number
}

export const PAYLOAD_TYPES = { PCMU: 0, PCMA: 8 } as const
export const EVENT_TYPE = 101

export function formats(codec: G711Codec = 'PCMA', eventType: number | 'none' = EVENT_TYPE): AudioFormat[] {
  const audio: AudioFormat = { payloadType: PAYLOAD_TYPES[codec], codec, clockHz: 8_000 }
  if (eventType === 'none') return [audio]
  return [audio, { payloadType: eventType, codec: 'telephone-event', clockHz: 8_000 }]
}

/** The samples as RTP packets, each leaving when its first sample is due. */
export function packetize(samples: Int16Array, settings: StreamSettings = {}): TimedPacket[] {
  const { codec = 'PCMA', packetMs = 20, ssrc = 1, sequence = 65_500, timestamp = 0xffff_f000, startMs = 0 } = settings
  const packetSamples = packetMs * 8
  const packets: TimedPacket[] = []
  for (let from = 0, index = 0; from + packetSamples <= samples.length; from += packetSamples, index++) {
    const fields = {
      payloadType: PAYLOAD_TYPES[codec],
      marker: index === 0,
      sequence: (sequence + index) & 0xffff,
      timestamp: (timestamp + from) >>> 0,
      ssrc,
    }
    const payload = encodeG711(codec, samples.subarray(from, from + packetSamples))
    packets.push({ atMs: startMs + from / 8, packet: writeRtp(fields, payload) })
  }
  return packets
}

export interface Impairment {
  readonly lossShare?: number
  /** How many packets in a row a loss takes. */
  readonly burst?: number
  readonly duplicateShare?: number
  /** Share of packets that are overtaken by the next one. */
  readonly swapShare?: number
  readonly jitterMs?: number
}

/** What a network does to packets; the first ones pass, so that the stream is anchored where the test expects it. */
export function impair(packets: readonly TimedPacket[], by: Impairment, random: RandomBytes): TimedPacket[] {
  const result: TimedPacket[] = []
  let losing = 0
  for (const [index, { atMs, packet }] of packets.entries()) {
    if (index < 3) {
      result.push({ atMs, packet })
      continue
    }
    if (losing === 0 && randomUnit(random) < (by.lossShare ?? 0)) losing = by.burst ?? 1
    if (losing > 0) {
      losing--
      continue
    }
    const swapMs = randomUnit(random) < (by.swapShare ?? 0) ? 21 : 0
    const arrivalMs = atMs + swapMs + randomUnit(random) * (by.jitterMs ?? 0)
    result.push({ atMs: arrivalMs, packet })
    if (randomUnit(random) < (by.duplicateShare ?? 0)) result.push({ atMs: arrivalMs + 1, packet })
  }
  return result.sort((a, b) => a.atMs - b.atMs)
}

export interface Heard {
  /** Everything the agent got, in order. */
  readonly packets: readonly TimedPacket[]
  /** Its audio as one piece from the moment of arming. */
  readonly samples: Int16Array
  /** Where the caller's first sample lies in `samples`. */
  readonly offset: number
  readonly keys: readonly number[]
  readonly carriages: readonly Carriage[]
  /** When each key was told. */
  readonly keyAtMs: readonly number[]
  /** Presses whose key was not certain, in order. */
  readonly doubts: readonly Doubt[]
  readonly maskFailures: number
  readonly counters: Readonly<Record<string, number>>
}

export interface CallSettings extends Partial<Omit<CallerDirectionOptions, 'onKey' | 'onUncertain' | 'onMaskFailed'>> {
  readonly caller?: readonly AudioFormat[]
  readonly agent?: readonly AudioFormat[]
  readonly packetMs?: number
  readonly maskPolicy?: MaskPolicy
  /** When the caller is asked for keys, and when not any more. */
  readonly fieldOpenMs?: { readonly from: number; readonly to: number }
  /** SIP INFO of the caller. */
  readonly infos?: readonly TimedInfo[]
}

const JITTER_MS = 40

/** Arms at 0 and plays all packets; ends a second after the last one. */
export function armedCall(packets: readonly TimedPacket[], settings: CallSettings = {}): Heard {
  const { caller = formats(), agent = formats(), packetMs = 20, infos = [], jitterMs = JITTER_MS } = settings
  let nowMs = 0
  const keys: number[] = []
  const carriages: Carriage[] = []
  const keyAtMs: number[] = []
  const doubts: Doubt[] = []
  let maskFailures = 0
  const direction = new CallerDirection({
    replacement: 'silence',
    random: seededRandom(99),
    ...settings,
    jitterMs,
    onKey: (key, carriage) => {
      keys.push(key)
      carriages.push(carriage)
      keyAtMs.push(nowMs)
    },
    onUncertain: (doubt) => doubts.push(doubt),
    onMaskFailed: () => maskFailures++,
  })
  direction.setFormats(caller, agent, 0)
  if (packetMs !== 20) relaySome(direction, packetMs, caller)
  const out: TimedPacket[] = []
  const hear = (sent: readonly Uint8Array[]): void => {
    for (const packet of sent) out.push({ atMs: nowMs, packet })
  }
  hear(direction.arm(0, settings.maskPolicy))
  const inputs = [
    ...packets.map(({ atMs, packet }) => ({ atMs, give: () => hear(direction.receive(packet, atMs)) })),
    ...fieldOrders(settings).map(({ atMs, isOpen }) => ({ atMs, give: () => direction.setFieldOpen(isOpen, atMs) })),
    ...infos.map((info) => ({ atMs: info.atMs, give: () => giveInfo(direction, info) })),
  ].sort((a, b) => a.atMs - b.atMs)
  const endMs = (inputs.at(-1)?.atMs ?? 0) + 1_000
  const tickUntil = (untilMs: number): void => {
    for (
      let tickMs = direction.nextTickAtMs();
      tickMs !== undefined && tickMs < untilMs;
      tickMs = direction.nextTickAtMs()
    ) {
      nowMs = tickMs
      hear(direction.tick(tickMs))
    }
  }
  for (const { atMs, give } of inputs) {
    tickUntil(atMs)
    nowMs = atMs
    give()
  }
  tickUntil(endMs)
  return {
    packets: out,
    samples: audioOf(out),
    offset: (60 + Math.max(10, jitterMs) + Math.max(0, packetMs - 20)) * 8 + 160 - packetMs * 8,
    keys,
    carriages,
    keyAtMs,
    doubts,
    maskFailures,
    counters: direction.counters(),
  }
}

function fieldOrders({ fieldOpenMs }: CallSettings): { atMs: number; isOpen: boolean }[] {
  if (fieldOpenMs === undefined) return []
  return [
    { atMs: fieldOpenMs.from, isOpen: true },
    { atMs: fieldOpenMs.to, isOpen: false },
  ]
}

/** A long packet before arming tells the direction how long packets are on this call. */
function relaySome(direction: CallerDirection, packetMs: number, caller: readonly AudioFormat[]): void {
  const silence = new Int16Array(packetMs * 8)
  const isOpus = caller.some(({ codec }) => codec === 'opus')
  const [packet] = isOpus
    ? packetizeOpus(silence, { frameMs: packetMs, ssrc: 77 })
    : packetize(silence, { packetMs, ssrc: 77 })
  if (packet !== undefined) direction.receive(packet.packet, -packetMs)
}

/** The audio of packets of payload type 0 and 8, one after another. */
export function audioOf(packets: readonly TimedPacket[]): Int16Array {
  const pieces: number[] = []
  for (const { packet } of packets) {
    const rtp = parseRtp(packet)
    if (typeof rtp === 'string') continue
    if (rtp.payloadType !== 0 && rtp.payloadType !== 8) continue
    pieces.push(...decodeG711(rtp.payloadType === 0 ? 'PCMU' : 'PCMA', rtp.payload))
  }
  return Int16Array.from(pieces)
}

/** Samples that are more than the smallest step of the codec away from silence. */
export function soundingSamples(samples: Int16Array): number {
  let count = 0
  for (const sample of samples) if (Math.abs(sample) > 8) count++
  return count
}

function giveInfo(direction: CallerDirection, { atMs, contentType, body }: TimedInfo): void {
  const key = parseInfoBody(contentType, body)
  if (key !== 'not-digit') direction.infoKey(key, atMs)
}
