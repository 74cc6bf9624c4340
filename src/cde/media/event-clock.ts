/**
 * Telephone events from the clock of one side to that of the other (RFC 4733 2.1: a side's events count in the clock of its
 * audio). What an event means is not looked at here.
 */

/** One packet of events. */
export interface EventPacket {
  readonly ssrc: number
  readonly timestamp: number
  /** Blocks of four octets (RFC 4733 2.3). */
  readonly payload: Uint8Array
}

export interface EventClocks {
  readonly fromHz: number
  readonly toHz: number
  /** Of the timestamps of the stream that the event becomes part of: that of its audio. */
  readonly streamHz: number
}

/** The same packet for the other side. */
export interface ConvertedEvent {
  readonly timestamp: number
  readonly payload: Uint8Array
}

/** RFC 4733 2.5.1.3: the longest duration that a packet can say. What lasts longer goes on as a new segment, right behind. */
const SEGMENT_UNITS = 0xffff
const END_BIT = 0x80
/** A packet older than the event that runs is a late copy; older than this, the source has begun anew. */
const LATE_MS_MAX = 10_000

/**
 * Events of one stream. Each begins where the stream is when its first packet comes: the timestamps of the two sides have nothing
 * in common, and with events beside audio of another clock it is not certain what they count.
 * ```
 *   none ──packet──▶ running ──its E bit──▶ ended
 *                      ▲  └── next segment: 0xFFFF later ──┘ (running)
 *                      └── a later timestamp: the next event
 * ```
 */
export class EventClock {
  #ssrc: number | undefined
  /** Of the source: the event's first segment, and the one that runs. */
  #startedAt = 0
  #segmentAt = 0
  #isEnded = false
  /** Of our stream. */
  #ownStart = 0
  #ownSegment = 0
  /** Whether our segment was said to be full. */
  #isFull = false
  #ownEnd: number | undefined

  /**
   * @param streamTimestamp where our stream is now
   * @returns undefined for a late copy of an event before
   */
  convert(packet: EventPacket, clocks: EventClocks, streamTimestamp: number): ConvertedEvent | undefined {
    if (!this.#follow(packet, clocks.fromHz, streamTimestamp)) return undefined
    const payload = Uint8Array.from(packet.payload)
    const ratio = clocks.toHz / clocks.fromHz
    // Several events in one packet follow each other: too short for segments.
    for (let at = 0; at < payload.length; at += 4) writeUnits(payload, at, readUnits(payload, at) * ratio)
    if (payload.length === 4) this.#cut(payload, packet, ratio)
    const unitsPerUnit = clocks.streamHz / clocks.toHz
    const timestamp = (this.#ownStart + Math.round(this.#ownSegment * SEGMENT_UNITS * unitsPerUnit)) >>> 0
    this.#ownEnd = (timestamp + Math.round(totalUnits(payload) * unitsPerUnit)) >>> 0
    return { timestamp, payload }
  }

  /** Tells whose packet this is. @returns false for one that comes too late */
  #follow({ ssrc, timestamp, payload }: EventPacket, fromHz: number, streamTimestamp: number): boolean {
    const later = (timestamp - this.#segmentAt) | 0
    const isOfSource = ssrc === this.#ssrc
    if (isOfSource && later < 0 && later > (-LATE_MS_MAX * fromHz) / 1_000) return false
    if (isOfSource && later === SEGMENT_UNITS && !this.#isEnded) this.#segmentAt = timestamp
    else if (!isOfSource || later !== 0) this.#begin(ssrc, timestamp, streamTimestamp)
    if (((payload[1] ?? 0) & END_BIT) !== 0) this.#isEnded = true
    return true
  }

  #begin(ssrc: number, timestamp: number, streamTimestamp: number): void {
    this.#ssrc = ssrc
    this.#startedAt = timestamp
    this.#segmentAt = timestamp
    this.#isEnded = false
    this.#ownSegment = 0
    this.#isFull = false
    // While events are sent the audio may stand still; two events must not share a timestamp (2.5.1.2).
    const isBehind = this.#ownEnd !== undefined && ((this.#ownEnd - streamTimestamp) | 0) > 0
    this.#ownStart = isBehind ? (this.#ownEnd ?? 0) : streamTimestamp
  }

  /**
   * Writes the duration within the segment of ours that runs. When it is full, one packet says so, and the next one begins the next
   * segment (2.5.1.3); the event's last packets do not wait for that.
   */
  #cut(payload: Uint8Array, packet: EventPacket, ratio: number): void {
    const elapsed = ((this.#segmentAt - this.#startedAt) >>> 0) + readUnits(packet.payload, 0)
    const units = Math.round(elapsed * ratio)
    const segment = Math.max(0, Math.ceil(units / SEGMENT_UNITS) - 1)
    if (this.#isEnded) this.#ownSegment = Math.max(this.#ownSegment, segment)
    else if (segment > this.#ownSegment && this.#isFull) this.#ownSegment++
    this.#isFull = units - this.#ownSegment * SEGMENT_UNITS >= SEGMENT_UNITS
    writeUnits(payload, 0, units - this.#ownSegment * SEGMENT_UNITS)
  }
}

function readUnits(payload: Uint8Array, at: number): number {
  return ((payload[at + 2] ?? 0) << 8) | (payload[at + 3] ?? 0)
}

function writeUnits(payload: Uint8Array, at: number, units: number): void {
  const said = Math.max(0, Math.min(SEGMENT_UNITS, Math.round(units)))
  payload[at + 2] = said >> 8
  payload[at + 3] = said
}

function totalUnits(payload: Uint8Array): number {
  let units = 0
  for (let at = 0; at < payload.length; at += 4) units += readUnits(payload, at)
  return units
}
