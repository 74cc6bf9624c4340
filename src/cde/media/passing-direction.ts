import type { RandomBytes } from '../../lib/random.ts'
import { mediaLimits } from '../../lib/limits.ts'
import { type AudioFormat, isSpeech, type SpeechFormat } from './audio-formats.ts'
import { silentPayload } from './codecs/coders.ts'
import { ComfortFill } from './comfort-fill.ts'
import { EventClock } from './event-clock.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import { parseRtp, type RtpFields, type RtpNumbers, type RtpPacket } from './rtp.ts'
import { sequenceStep } from './stream-continuity.ts'
import { Transcoders } from './transcoder.ts'

type Counter =
  | 'passed'
  | 'not_rtp'
  | 'unknown_type'
  | 'no_format'
  | 'suspect_payload'
  | 'not_decodable'
  | 'late_event'
  | 'restarts'

interface Front {
  readonly ssrc: number
  /** Of the source's clock. */
  readonly perMs: number
  sequence: number
  timestamp: number
  atMs: number
}

const BACKWARDS_MS_MAX = 1_000
// RFC 4733 2.5.1.2: an event's packets keep its first timestamp for up to 0xFFFF units; then the clock catches up at once.
const EVENT_UNITS_MAX = 0xffff
const FORWARDS_MS_MAX = 2_000
const CLOCK_PER_MS = 8
const FRAME_MS = 20

/**
 * Agent → caller, which is never masked: each packet goes on at once, as a packet of our own stream (MED-01, MED-02).
 * Loss and order of the source stay visible in our sequence numbers, so that the receiver can conceal and reorder; SSRC
 * changes, restarts and jumps of the source do not: our stream continues through them.
 */
export class PassingDirection {
  readonly #out: OutgoingStream
  readonly #counts: Record<Counter, number> = {
    passed: 0,
    not_rtp: 0,
    unknown_type: 0,
    no_format: 0,
    suspect_payload: 0,
    not_decodable: 0,
    late_event: 0,
    restarts: 0,
  }
  #incoming = new Map<number, AudioFormat>()
  #outgoing: readonly AudioFormat[] = []
  /** By incoming payload type: the outgoing one when the payload crosses as it is, else −1. */
  readonly #untouched = new Int16Array(128).fill(-1)
  /** By incoming payload type: units of its timestamps in a millisecond. */
  readonly #perMs = new Uint8Array(128).fill(CLOCK_PER_MS)
  readonly #transcoders = new Transcoders()
  readonly #events = new EventClock()
  readonly #fill = new ComfortFill()
  #front: Front | undefined

  constructor(options: { random: RandomBytes }) {
    this.#out = new OutgoingStream(options.random)
  }

  /**
   * After each offer/answer.
   * @param agentFormats what the agent's side may send; where two say different things about a number, the first counts
   * @param callerFormats what the caller's side takes, its preferred one first
   */
  setFormats(agentFormats: readonly AudioFormat[], callerFormats: readonly AudioFormat[]): void {
    this.#incoming = new Map(agentFormats.toReversed().map((format) => [format.payloadType, format]))
    this.#outgoing = callerFormats
    this.#untouched.fill(-1)
    for (const { payloadType, codec, clockHz } of this.#incoming.values()) {
      this.#perMs[payloadType] = clockHz / 1_000
      if (codec === 'telephone-event') continue
      const same = callerFormats.find((format) => format.codec === codec && format.clockHz === clockHz)
      this.#untouched[payloadType] = same?.payloadType ?? -1
    }
  }

  /**
   * The common packet, audio of the stream that runs, in a codec that both sides have: re-written where it lies.
   * @returns false, with nothing changed, when `receive` has to look at it
   */
  passInPlace(octets: Uint8Array, start: number, rtp: RtpNumbers, nowMs: number): boolean {
    const front = this.#front
    const payloadType = this.#untouched[rtp.payloadType] ?? -1
    if (front === undefined || payloadType < 0 || rtp.payloadOctets === 0 || rtp.payloadOctets === 4) return false
    if (this.#fill.isOn(nowMs)) return false
    const sequence = sequenceStep(front.sequence, rtp.sequence)
    if (sequence < 0 || !isPlausible(front, rtp, sequence, nowMs, this.#perMs[rtp.payloadType] ?? CLOCK_PER_MS))
      return false
    const timestampSamples = (rtp.timestamp - front.timestamp) | 0
    front.sequence = rtp.sequence
    front.timestamp = rtp.timestamp
    front.atMs = nowMs
    this.#counts.passed++
    this.#out.placedInPlace(octets, start, payloadType, sequence, timestampSamples, rtp)
    return true
  }

  /** @returns the packet for the caller, undefined when this one does not cross (counted) */
  receive(packet: Uint8Array, nowMs: number): Uint8Array | undefined {
    const rtp = parseRtp(packet)
    if (typeof rtp === 'string') return this.#drop('not_rtp')
    const format = this.#incoming.get(rtp.payloadType)
    if (format === undefined) return this.#drop('unknown_type')
    const carried =
      format.codec === 'telephone-event' ? this.#event(rtp, format, nowMs) : this.#audio(rtp, format, nowMs)
    if (typeof carried === 'string') return this.#drop(carried)
    if (carried.aside !== undefined) return this.#emitAside(rtp, carried, carried.aside)
    return this.#emit(rtp, format.clockHz, carried, nowMs)
  }

  /** When a packet is due although none came in; undefined before the first one. */
  nextWakeAtMs(): number | undefined {
    const front = this.#front
    if (front === undefined) return undefined
    return this.isFilling ? front.atMs + FRAME_MS : front.atMs + mediaLimits.keepAliveMs
  }

  /** Whether a pause is being filled, with a frame every 20 ms. */
  get isFilling(): boolean {
    return this.#front !== undefined && this.#fill.isOn(this.#front.atMs + FRAME_MS)
  }

  /**
   * MED-17, RFC 6263 4.7: a source may be silent for long without hold; one frame of silence now and then keeps the way
   * through the caller's NAT open. The pauses of a sender of comfort noise are filled where the caller does not know it.
   * @returns that frame when it is due
   */
  wake(nowMs: number): Uint8Array | undefined {
    const front = this.#front
    const target = this.#outgoing.find(isSpeech)
    const dueMs = this.nextWakeAtMs()
    if (front === undefined || dueMs === undefined || nowMs < dueMs) return undefined
    const isFilled = this.#fill.isOn(dueMs)
    const elapsedMs = nowMs - front.atMs
    // The source's next packet is placed by what it would be without this frame.
    const timestamp = (front.timestamp + Math.round(elapsedMs * front.perMs)) >>> 0
    this.#front = { ...front, timestamp, atMs: nowMs }
    if (target === undefined) return undefined
    const step = { sequence: 1, timestampSamples: Math.round((elapsedMs * target.clockHz) / 1_000) }
    const payload = isFilled ? this.#fill.frame(target.codec) : silentPayload(target.codec)
    return this.#out.placed(target.payloadType, payload, step, !isFilled)
  }

  /** Gives back what the coders hold. */
  close(): void {
    this.#transcoders.close()
    this.#fill.close()
  }

  counters(): Readonly<Record<string, number>> {
    return Object.fromEntries(Object.entries(this.#counts).map(([name, count]) => [`passing_${name}`, count]))
  }

  #audio(rtp: RtpPacket, format: AudioFormat, nowMs: number): Carried | Counter {
    // MED-18: four octets on an audio type are a mislabelled event; empty payloads say nothing.
    const { codec, clockHz } = format
    if (rtp.payload.length === 0 || (rtp.payload.length === 4 && codec !== 'CN')) return 'suspect_payload'
    const same = this.#outgoing.find((target) => target.codec === codec && target.clockHz === clockHz)
    const target = this.#outgoing.find(isSpeech)
    if (same === undefined && !isSpeech(format)) return this.#comfortNoise(rtp, format, target, nowMs)
    this.#fill.stop()
    if (same !== undefined) return { format: same, payload: rtp.payload }
    if (target === undefined || !isSpeech(format)) return 'no_format'
    const payload = this.#transcoders.transcode(rtp.payload, format.codec, target.codec)
    return payload === undefined ? 'not_decodable' : { format: target, payload }
  }

  /** RFC 3389: how to fill a pause, for a caller who does not know it. Nothing of the payload crosses but its level. */
  #comfortNoise(
    { payload }: RtpPacket,
    { clockHz }: AudioFormat,
    target: SpeechFormat | undefined,
    nowMs: number,
  ): Carried | Counter {
    const isInTime = this.#front === undefined || this.#front.perMs * 1_000 === clockHz
    if (target === undefined || !isInTime) return 'no_format'
    this.#fill.start(payload, nowMs)
    return { format: target, payload: this.#fill.frame(target.codec) }
  }

  #event(rtp: RtpPacket, format: AudioFormat, nowMs: number): Carried | Counter {
    // RFC 4733 2.3: one or more blocks of four octets.
    if (rtp.payload.length === 0 || rtp.payload.length % 4 !== 0) return 'suspect_payload'
    const streamHz = this.#outgoing.find(isSpeech)?.clockHz
    const events = this.#outgoing.filter(({ codec }) => codec === 'telephone-event')
    const target = events.find(({ clockHz }) => clockHz === streamHz) ?? events[0]
    if (target === undefined || streamHz === undefined) return 'no_format'
    const isOneClock = format.clockHz === target.clockHz && target.clockHz === streamHz
    const front = this.#front
    if (isOneClock && (front === undefined || front.perMs * 1_000 === streamHz))
      return { format: target, payload: rtp.payload }
    const silentMs = front === undefined ? 0 : nowMs - front.atMs
    const streamTimestamp = (this.#out.timestamp + Math.round((silentMs * streamHz) / 1_000)) >>> 0
    const clocks = { fromHz: format.clockHz, toHz: target.clockHz, streamHz }
    const event = this.#events.convert(rtp, clocks, streamTimestamp)
    return event === undefined ? 'late_event' : { format: target, payload: event.payload, aside: event.timestamp }
  }

  /** An event whose timestamp is not the audio's: it takes its place in the order of packets only. */
  #emitAside(rtp: RtpPacket, { format, payload }: Carried, timestamp: number): Uint8Array {
    const front = this.#front
    const step = front?.ssrc === rtp.ssrc ? sequenceStep(front.sequence, rtp.sequence) : 1
    const sequence = Math.abs(step) <= mediaLimits.sequenceJumpMax ? step : 1
    if (front?.ssrc === rtp.ssrc && step >= 0) front.sequence = rtp.sequence
    this.#counts.passed++
    return this.#out.aside(format.payloadType, payload, sequence, timestamp, rtp.marker)
  }

  #emit(rtp: RtpPacket, clockHz: number, carried: Carried, nowMs: number): Uint8Array {
    const perMs = clockHz / 1_000
    const step = this.#stepOf(rtp, perMs, nowMs)
    if (step.sequence >= 0) {
      this.#front = { ssrc: rtp.ssrc, sequence: rtp.sequence, timestamp: rtp.timestamp, perMs, atMs: nowMs }
    }
    this.#counts.passed++
    const timestampSamples = Math.round((step.timestampSamples * carried.format.clockHz) / clockHz)
    const outStep = { sequence: step.sequence, timestampSamples }
    return this.#out.placed(carried.format.payloadType, carried.payload, outStep, rtp.marker || step.restart)
  }

  /** Where the packet stands in our stream, counted from the newest one sent, in the source's clock. */
  #stepOf(
    rtp: RtpPacket,
    perMs: number,
    nowMs: number,
  ): { sequence: number; timestampSamples: number; restart: boolean } {
    const front = this.#front
    if (front === undefined) return { sequence: 1, timestampSamples: 0, restart: true }
    const sequence = sequenceStep(front.sequence, rtp.sequence)
    if (isPlausible(front, rtp, sequence, nowMs, perMs)) {
      return { sequence, timestampSamples: (rtp.timestamp - front.timestamp) | 0, restart: false }
    }
    this.#counts.restarts++
    return { sequence: 1, timestampSamples: elapsedSamples(front, nowMs, perMs), restart: true }
  }

  #drop(reason: Counter): undefined {
    this.#counts[reason]++
    return undefined
  }
}

function elapsedSamples(front: Front, nowMs: number, perMs: number): number {
  return Math.max(0, Math.round((nowMs - front.atMs) * perMs))
}

/** Whether a packet can be part of the stream that runs. @param sequence how far it is ahead */
function isPlausible(front: Front, rtp: RtpFields, sequence: number, nowMs: number, perMs: number): boolean {
  const timestampSamples = (rtp.timestamp - front.timestamp) | 0
  return (
    rtp.ssrc === front.ssrc &&
    perMs === front.perMs &&
    Math.abs(sequence) <= mediaLimits.sequenceJumpMax &&
    timestampSamples >= -BACKWARDS_MS_MAX * perMs &&
    timestampSamples <= elapsedSamples(front, nowMs, perMs) + EVENT_UNITS_MAX + FORWARDS_MS_MAX * perMs
  )
}

interface Carried {
  readonly format: AudioFormat
  readonly payload: Uint8Array
  /** For what does not follow the source's timestamps: its own on our stream. */
  readonly aside?: number
}
