/** One condition under one policy: keyed into an armed call, and every judge on what the agent hears. */
import { findKeys } from '../../../src/cde/dtmf/recording.ts'
import { writeRtp } from '../../../src/cde/media/rtp.ts'
import { type RandomBytes, randomUnit } from '../../../src/lib/random.ts'
import { mostLikelyKey } from '../../../src/sim/known-plaintext.ts'
import { eventPackets, type ToneSpan } from '../../../src/sim/tones.ts'
import type { MaskPolicy } from '../../../src/wall/settings.ts'
import { armedCall, EVENT_TYPE, type Heard, impair, packetize, type TimedPacket } from '../../support/dtmf-call.ts'
import { type Condition, keyedSound } from './conditions.ts'

const KEYS_PER_CALL = 16
const NOT_NEGOTIATED_TYPE = 97
const REDUNDANT_TYPE = 100
const SYMBOLS = '0123456789*#ABCD'

export interface Decoder {
  readonly name: string
  hear(samples: Int16Array): Promise<{ readonly digits: string }>
}

export interface TrialResult {
  tried: number
  /** Keys of which at least one sample was not replaced. */
  uncovered: number
  /** Keys read, by judge. */
  readonly recovered: Record<string, number>
  /** Right guesses of the judge that is told where each key was, chance included. */
  guessed: number
  captured: number
  exactCalls: number
  calls: number
  foreignPackets: number
}

/** @returns undefined where the condition cannot be made here */
export async function tryCondition(
  condition: Condition,
  maskPolicy: MaskPolicy,
  calls: number,
  speech: Int16Array,
  random: RandomBytes,
  decoders: readonly Decoder[],
): Promise<TrialResult | undefined> {
  const result: TrialResult = {
    tried: 0,
    uncovered: 0,
    recovered: { reporter: 0, 'least-squares': 0, ...Object.fromEntries(decoders.map(({ name }) => [name, 0])) },
    guessed: 0,
    captured: 0,
    exactCalls: 0,
    calls,
    foreignPackets: 0,
  }
  const excerpts: Int16Array[] = []
  const truth: number[] = []
  for (let call = 0; call < calls; call++) {
    const keys = Array.from({ length: KEYS_PER_CALL }, () => Math.floor(randomUnit(random) * 16))
    const sound = keyedSound(condition, keys, speech, random)
    if (sound === undefined) return undefined
    const masked: ToneSpan[] = []
    const packets = packetsOf(condition, keys, sound, random)
    const heard = armedCall(packets, {
      maskPolicy,
      fieldOpenMs: { from: 0, to: sound.samples.length / 8 },
      packetMs: condition.packetMs ?? 20,
      onMasked: (from, to) => masked.push({ from, to }),
    })
    judgeCall(condition, keys, sound.spans, heard, masked, result)
    for (const { from, to } of sound.spans) {
      // With silence around, so that one excerpt does not run into the next.
      const excerpt = new Int16Array(to - from + 2_000)
      excerpt.set(heard.samples.subarray(heard.offset + from - 400, heard.offset + to + 800), 400)
      excerpts.push(excerpt)
    }
    truth.push(...keys)
  }
  const leg = joined(excerpts)
  for (const decoder of decoders) {
    result.recovered[decoder.name] = inOrder(truth, keysOf((await decoder.hear(leg)).digits))
  }
  return result
}

function packetsOf(
  condition: Condition,
  keys: readonly number[],
  sound: { samples: Int16Array; spans: readonly ToneSpan[] },
  random: RandomBytes,
): TimedPacket[] {
  const { events, packetMs = 20, network } = condition
  const audible = events === 'instead' ? new Int16Array(sound.samples.length) : sound.samples
  const audio = packetize(audible, { packetMs, timestamp: 0, sequence: 0 })
  const all = events === undefined ? audio : [...audio, ...eventsOf(events, keys, sound.spans)]
  const inTime = all.sort((a, b) => a.atMs - b.atMs)
  const sent = condition.streamFault?.(inTime, sound.spans, random) ?? inTime
  return network === undefined ? sent : impair(sent, network, random)
}

function eventsOf(kind: NonNullable<Condition['events']>, keys: readonly number[], spans: readonly ToneSpan[]) {
  const types = {
    beside: EVENT_TYPE,
    instead: EVENT_TYPE,
    'not-negotiated': NOT_NEGOTIATED_TYPE,
    redundant: REDUNDANT_TYPE,
  }
  return spans.flatMap(({ from, to }, index) =>
    eventPackets(keys[index] ?? 0, {
      payloadType: types[kind],
      ssrc: 1,
      sequence: 20_000 + index * 100,
      timestamp: from,
      durationUnits: to - from,
    }).map(({ atUnits, packet }) => ({
      atMs: (from + atUnits) / 8 + 20,
      packet: kind === 'redundant' ? redundant(packet, from) : packet,
    })),
  )
}

/** RFC 2198: an event packet's block in front of an empty primary one. */
function redundant(packet: Uint8Array, timestamp: number): Uint8Array {
  const event = packet.subarray(12)
  const header = [0x80 | EVENT_TYPE, 0, event.length >> 8, event.length & 0xff, EVENT_TYPE]
  const fields = { payloadType: REDUNDANT_TYPE, marker: false, sequence: 40_000, timestamp, ssrc: 1 }
  return writeRtp(fields, Uint8Array.from([...header, ...event, ...event]))
}

function judgeCall(
  { tones, events }: Condition,
  keys: readonly number[],
  spans: readonly ToneSpan[],
  heard: Heard,
  masked: readonly ToneSpan[],
  result: TrialResult,
): void {
  const read = findKeys(heard.samples, 8_000)
  for (const [index, { from, to }] of spans.entries()) {
    const start = heard.offset + from
    const end = heard.offset + to
    const isCovered = events === 'instead' || coveredSamples(masked, start, end) === end - start
    const isGuessed = mostLikelyKey(heard.samples.subarray(start, end), tones.frequencyError ?? 0) === keys[index]
    const isRead = read.some(
      ({ key, startMs, endMs }) => key === keys[index] && startMs * 8 < end + 400 && endMs * 8 > start - 400,
    )
    result.tried++
    if (!isCovered) result.uncovered++
    if (isGuessed) result.guessed++
    if (isGuessed && !isCovered) add(result, 'least-squares')
    if (isRead) add(result, 'reporter')
  }
  const captured = inOrder(keys, heard.keys)
  result.captured += captured
  if (captured === keys.length && heard.keys.length === keys.length) result.exactCalls++
  for (const { packet } of heard.packets)
    if (packet.length !== 172 || (packet[1] ?? 0) % 128 !== 8) result.foreignPackets++
}

function add(result: TrialResult, judge: string): void {
  result.recovered[judge] = (result.recovered[judge] ?? 0) + 1
}

function coveredSamples(masked: readonly ToneSpan[], from: number, to: number): number {
  return masked.reduce((sum, span) => sum + Math.max(0, Math.min(to, span.to) - Math.max(from, span.from)), 0)
}

function joined(pieces: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(pieces.reduce((sum, { length }) => sum + length, 0))
  pieces.reduce((at, piece) => {
    whole.set(piece, at)
    return at + piece.length
  }, 0)
  return whole
}

function keysOf(digits: string): number[] {
  return [...digits].map((symbol) => SYMBOLS.indexOf(symbol.toUpperCase()))
}

/** The longest common subsequence: how many of `wanted` may have been read, whatever was read besides. */
export function inOrder(wanted: readonly number[], read: readonly number[]): number {
  let before = new Uint32Array(read.length + 1)
  for (const key of wanted) {
    const row = new Uint32Array(read.length + 1)
    for (const [i, other] of read.entries()) {
      row[i + 1] = key === other ? (before[i] ?? 0) + 1 : Math.max(before[i + 1] ?? 0, row[i] ?? 0)
    }
    before = row
  }
  return before.at(-1) ?? 0
}
