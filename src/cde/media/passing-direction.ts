import type { RandomBytes } from '../../lib/random.ts'
import { mediaLimits } from '../../lib/limits.ts'
import type { AudioFormat } from './audio-session.ts'
import { type G711Codec, silenceOctet, transcodeG711 } from './g711.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import { parseRtp, type RtpFields, type RtpNumbers, type RtpPacket } from './rtp.ts'
import { sequenceStep } from './stream-continuity.ts'

type Counter = 'passed' | 'not_rtp' | 'unknown_type' | 'no_format' | 'suspect_payload' | 'restarts'

interface Front {
  readonly ssrc: number
  sequence: number
  timestamp: number
  atMs: number
}

const CLOCK_PER_MS = 8
const KEEP_ALIVE_SAMPLES = 160
const BACKWARDS_SAMPLES_MAX = 8_000
// RFC 4733 2.5.1.2: an event's packets keep its first timestamp for up to 0xFFFF units; then the clock catches up at once.
const FORWARDS_SAMPLES_MAX = 0xffff + 16_000

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
    restarts: 0,
  }
  #incoming = new Map<number, AudioFormat>()
  #outgoing: readonly AudioFormat[] = []
  /** By incoming payload type: the outgoing one when the payload crosses as it is, else −1. */
  readonly #untouched = new Int16Array(128).fill(-1)
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
    for (const { payloadType, codec } of this.#incoming.values()) {
      if (codec === 'telephone-event') continue
      this.#untouched[payloadType] = callerFormats.find((format) => format.codec === codec)?.payloadType ?? -1
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
    const sequence = sequenceStep(front.sequence, rtp.sequence)
    if (sequence < 0 || !isPlausible(front, rtp, sequence, nowMs)) return false
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
    const carried = format.codec === 'telephone-event' ? this.#event(rtp, format) : this.#audio(rtp, format.codec)
    if (typeof carried === 'string') return this.#drop(carried)
    return this.#emit(rtp, carried.payloadType, carried.payload, nowMs)
  }

  /** When a packet is due although none came in; undefined before the first one. */
  nextWakeAtMs(): number | undefined {
    return this.#front === undefined ? undefined : this.#front.atMs + mediaLimits.keepAliveMs
  }

  /**
   * MED-17, RFC 6263 4.7: a source may be silent for long without hold; one frame of silence now and then keeps the way
   * through the caller's NAT open.
   * @returns that frame when it is due
   */
  wake(nowMs: number): Uint8Array | undefined {
    const front = this.#front
    const target = this.#outgoing.find(isG711)
    if (front === undefined || nowMs < front.atMs + mediaLimits.keepAliveMs) return undefined
    const timestampSamples = Math.round((nowMs - front.atMs) * CLOCK_PER_MS)
    // The source's next packet is placed by what it would be without this frame.
    this.#front = { ...front, timestamp: (front.timestamp + timestampSamples) >>> 0, atMs: nowMs }
    if (target === undefined || target.codec === 'telephone-event') return undefined
    const silence = new Uint8Array(KEEP_ALIVE_SAMPLES).fill(silenceOctet(target.codec))
    return this.#out.placed(target.payloadType, silence, { sequence: 1, timestampSamples }, true)
  }

  counters(): Readonly<Record<string, number>> {
    return Object.fromEntries(Object.entries(this.#counts).map(([name, count]) => [`passing_${name}`, count]))
  }

  #audio(rtp: RtpPacket, codec: G711Codec): Carried | Counter {
    // MED-18: four octets on an audio type are a mislabelled event; empty payloads say nothing.
    if (rtp.payload.length === 0 || rtp.payload.length === 4) return 'suspect_payload'
    const target = this.#outgoing.find((format) => format.codec === codec) ?? this.#outgoing.find(isG711)
    if (target === undefined || target.codec === 'telephone-event') return 'no_format'
    return { payloadType: target.payloadType, payload: transcodeG711(rtp.payload, codec, target.codec) }
  }

  #event(rtp: RtpPacket, format: AudioFormat): Carried | Counter {
    // RFC 4733 2.3: one or more blocks of four octets. The stream's clock is G.711's, so only events on it can be placed.
    if (rtp.payload.length === 0 || rtp.payload.length % 4 !== 0) return 'suspect_payload'
    const target = this.#outgoing.find(
      ({ codec, clockHz }) =>
        codec === 'telephone-event' && clockHz === format.clockHz && clockHz === CLOCK_PER_MS * 1_000,
    )
    return target === undefined ? 'no_format' : { payloadType: target.payloadType, payload: rtp.payload }
  }

  #emit(rtp: RtpPacket, payloadType: number, payload: Uint8Array, nowMs: number): Uint8Array {
    const step = this.#stepOf(rtp, nowMs)
    if (step.sequence >= 0) {
      this.#front = { ssrc: rtp.ssrc, sequence: rtp.sequence, timestamp: rtp.timestamp, atMs: nowMs }
    }
    this.#counts.passed++
    return this.#out.placed(payloadType, payload, step, rtp.marker || step.restart)
  }

  /** Where the packet stands in our stream, counted from the newest one sent. */
  #stepOf(rtp: RtpPacket, nowMs: number): { sequence: number; timestampSamples: number; restart: boolean } {
    const front = this.#front
    if (front === undefined) return { sequence: 1, timestampSamples: 0, restart: true }
    const sequence = sequenceStep(front.sequence, rtp.sequence)
    if (isPlausible(front, rtp, sequence, nowMs)) {
      return { sequence, timestampSamples: (rtp.timestamp - front.timestamp) | 0, restart: false }
    }
    this.#counts.restarts++
    return { sequence: 1, timestampSamples: elapsedSamples(front, nowMs), restart: true }
  }

  #drop(reason: Counter): undefined {
    this.#counts[reason]++
    return undefined
  }
}

function elapsedSamples(front: Front, nowMs: number): number {
  return Math.max(0, Math.round((nowMs - front.atMs) * CLOCK_PER_MS))
}

/** Whether a packet can be part of the stream that runs. @param sequence how far it is ahead */
function isPlausible(front: Front, rtp: RtpFields, sequence: number, nowMs: number): boolean {
  const timestampSamples = (rtp.timestamp - front.timestamp) | 0
  return (
    rtp.ssrc === front.ssrc &&
    Math.abs(sequence) <= mediaLimits.sequenceJumpMax &&
    timestampSamples >= -BACKWARDS_SAMPLES_MAX &&
    timestampSamples <= elapsedSamples(front, nowMs) + FORWARDS_SAMPLES_MAX
  )
}

interface Carried {
  readonly payloadType: number
  readonly payload: Uint8Array
}

function isG711({ codec }: AudioFormat): boolean {
  return codec !== 'telephone-event'
}
