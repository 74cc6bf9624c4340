/** Why a packet has no place on the timeline. */
export type Misplaced = 'late' | 'early' | 'probation'

/** What the clock needs to know about a packet of audio. */
export interface ClockedPacket {
  readonly ssrc: number
  readonly sequence: number
  readonly timestamp: number
  /** Of its timestamp: 1 at 8 kHz, 6 for Opus (RFC 7587 4.1). */
  readonly unitsPerSample: number
}

/** The part of the timeline where a packet that arrives now may land. */
export interface LandingZone {
  /** Everything below is decided. */
  readonly earliest: number
  /** The end of what was written so far: a new anchor never goes back over it. */
  readonly writtenTo: number
  /** Where a packet of this length lands when it is neither early nor late. */
  readonly due: number
}

/** A packet further ahead than this is early: the sender's clock is faster than ours, or jumped. */
const EARLY_SAMPLES = 800
/** Beyond this no network explains it: the sender's timestamp jumped. */
const JUMP_SAMPLES = 8_000
const LATE_MS = 200

/**
 * Turns the caller's RTP timestamps into positions on our timeline (MED-04).
 *
 * A source is anchored where its first packet is due. A new SSRC and a jumped timestamp become the new source with the
 * second packet in a row (RFC 3550 A.1 is as careful), and so does another clock; steady lateness re-anchors after 200 ms; a fast clock loses one
 * packet at a time. So the delay stays constant but for these steps.
 */
export class SourceClock {
  #ssrc: number | undefined
  #timestamp = 0
  #unitsPerSample = 1
  #position = 0
  #nextSequence = 0
  #lateSinceMs: number | undefined
  #spliced = false
  #probationSsrc = 0
  #probationSequence = -1

  /** @param durationSamples of the packet. @param eventCame whether event packets arrived since the last audio packet */
  place(
    packet: ClockedPacket,
    durationSamples: number,
    zone: LandingZone,
    eventCame: boolean,
    nowMs: number,
  ): number | Misplaced {
    if (this.#ssrc === undefined) return this.#anchor(packet, zone)
    if (packet.ssrc !== this.#ssrc || packet.unitsPerSample !== this.#unitsPerSample) {
      return this.#onProbation(packet) ? this.#anchor(packet, zone) : 'probation'
    }
    const position = this.#positionAt(packet.timestamp)
    const isNext = packet.sequence === this.#nextSequence
    if (this.#isAfter(packet.sequence)) this.#nextSequence = (packet.sequence + 1) & 0xffff
    if (position + durationSamples <= zone.earliest)
      return this.#late(packet, position, zone, isNext && eventCame, nowMs)
    if (position > zone.due + EARLY_SAMPLES) return this.#early(packet, position, durationSamples, zone)
    // Partly late is late as well: a delay that is too short for the sender's packets must not stay so.
    if (position >= zone.earliest) this.#lateSinceMs = undefined
    else if (this.#isLateForLong(nowMs)) return this.#anchor(packet, zone)
    this.#probationSequence = -1
    this.#position = position
    this.#timestamp = packet.timestamp
    return position
  }

  /** Where a timestamp of this source lies, or undefined for another source or clock, or before the first packet. */
  positionOf(ssrc: number, timestamp: number, unitsPerSample: number): number | undefined {
    const isOfSource = ssrc === this.#ssrc && unitsPerSample === this.#unitsPerSample
    return isOfSource ? this.#positionAt(timestamp) : undefined
  }

  /** Counted from the packet placed last, so that neither the wrap of the timestamp nor rounding adds up. */
  #positionAt(timestamp: number): number {
    return this.#position + Math.round(((timestamp - this.#timestamp) | 0) / this.#unitsPerSample)
  }

  /** True once after packets on either side of the next placed one's start stopped being neighbours in the sender's time. */
  takeSplice(): boolean {
    const spliced = this.#spliced
    this.#spliced = false
    return spliced
  }

  #late(
    packet: ClockedPacket,
    position: number,
    zone: LandingZone,
    clockStood: boolean,
    nowMs: number,
  ): number | Misplaced {
    // Some senders stop their audio clock while an event lasts: in order, but behind.
    if (clockStood) return this.#anchor(packet, zone)
    if (zone.earliest - position > JUMP_SAMPLES) return this.#onProbation(packet) ? this.#anchor(packet, zone) : 'late'
    return this.#isLateForLong(nowMs) ? this.#anchor(packet, zone) : 'late'
  }

  #early(packet: ClockedPacket, position: number, durationSamples: number, zone: LandingZone): number | Misplaced {
    if (position - zone.due > JUMP_SAMPLES) return this.#onProbation(packet) ? this.#anchor(packet, zone) : 'early'
    this.#position -= durationSamples
    this.#spliced = true
    return 'early'
  }

  #isLateForLong(nowMs: number): boolean {
    this.#lateSinceMs ??= nowMs
    return nowMs - this.#lateSinceMs >= LATE_MS
  }

  /** True for the second packet in a row that asks for the same change. */
  #onProbation(packet: ClockedPacket): boolean {
    const passed = this.#probationSsrc === packet.ssrc && this.#probationSequence === packet.sequence
    this.#probationSsrc = packet.ssrc
    this.#probationSequence = (packet.sequence + 1) & 0xffff
    return passed
  }

  #anchor(packet: ClockedPacket, zone: LandingZone): number {
    this.#ssrc = packet.ssrc
    this.#timestamp = packet.timestamp
    this.#unitsPerSample = packet.unitsPerSample
    this.#position = Math.max(zone.due, zone.writtenTo)
    this.#spliced = true
    this.#nextSequence = (packet.sequence + 1) & 0xffff
    this.#lateSinceMs = undefined
    this.#probationSequence = -1
    return this.#position
  }

  #isAfter(sequence: number): boolean {
    return ((sequence - this.#nextSequence) & 0xffff) < 0x8000
  }
}
