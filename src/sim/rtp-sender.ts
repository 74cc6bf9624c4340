/**
 * A phone's outgoing RTP: one G.711 packet of 20 ms after another on an absolute schedule, with key presses in the audio,
 * as RFC 4733 packets between the audio, or handed out for SIP INFO. Sans-I/O: call `wake` when `nextWakeAtMs` has come.
 *
 *   idle ──press taken──▶ down ──hold over──▶ pause ──60 ms──▶ idle
 */
import type { Carriage, KeyCode } from '../cde/dtmf/key-codes.ts'
import { encodeG711, decodeG711, type G711Codec } from '../cde/media/g711.ts'
import { writeRtp } from '../cde/media/rtp.ts'
import { simLimits } from '../lib/limits.ts'
import type { RandomBytes } from '../lib/random.ts'
import { type AudioSource, addTo, FRAME_MS, FRAME_SAMPLES } from './audio-source.ts'
import { PressQueue } from './press-queue.ts'
import { Press } from './press.ts'

export interface RtpSenderOptions {
  readonly codec: G711Codec
  readonly payloadType: number
  /** Undefined when telephone-event was not negotiated: keys asked for as events then go in-band. */
  readonly eventPayloadType: number | undefined
  readonly source: AudioSource
  readonly random: RandomBytes
  /** When the first packet is due. */
  readonly startMs: number
  /** True mixes voice and in-band tones; false mutes the microphone while a key is down, as telephones do. */
  readonly talkOver: boolean
  /**
   * Every 20 ms of what was sent.
   * @param sent the audio as it is in the packets
   * @param monitor the same; during keys sent as RFC 4733 or INFO the key's tone is mixed in, so that a listener knows of it
   */
  onFrame(position: number, sent: Int16Array, monitor: Int16Array): void
  /** A key goes down. @param atMs when its sound begins */
  onPress(carriage: Carriage, atMs: number): void
  /** The oldest press is over, its pause included; called once per accepted `press`. */
  onPressOver(): void
  /** Send this key by SIP INFO now. */
  onInfo(key: KeyCode, holdMs: number): void
}

export class RtpSender {
  readonly #options: RtpSenderOptions
  readonly #queue = new PressQueue()
  readonly #ssrc: number
  #sequence: number
  #timestamp: number
  #nextAtMs: number
  #position = 0
  #press: Press | undefined
  #pressTimestamp = 0
  #marker = true
  #skippedPackets = 0

  constructor(options: RtpSenderOptions) {
    this.#options = options
    const start = new DataView(Uint8Array.from(options.random(10)).buffer)
    this.#ssrc = start.getUint32(0)
    this.#sequence = start.getUint16(4)
    this.#timestamp = start.getUint32(6)
    this.#nextAtMs = options.startMs
  }

  nextWakeAtMs(): number {
    return this.#nextAtMs
  }

  /** Packets that were never sent because the process was held up for longer than the catch-up allows. */
  get skippedPackets(): number {
    return this.#skippedPackets
  }

  /** Queues a key press. @returns false when too many wait already */
  press(key: KeyCode, carriage: Carriage, holdMs: number): boolean {
    const sendable = carriage === 'event' && this.#options.eventPayloadType === undefined ? 'in-band' : carriage
    return this.#queue.add(key, sendable, holdMs)
  }

  /** Forgets the presses that wait. */
  dropPresses(): void {
    this.#queue.clear()
    this.#press = undefined
  }

  /** The packets that are due, oldest first. */
  wake(nowMs: number): Uint8Array[] {
    let due = Math.floor((nowMs - this.#nextAtMs) / FRAME_MS) + 1
    if (due > simLimits.catchUpPackets) {
      this.#skip(due - simLimits.catchUpPackets)
      due = simLimits.catchUpPackets
    }
    const packets: Uint8Array[] = []
    for (let i = 0; i < due; i++) packets.push(...this.#frame())
    return packets
  }

  /** Media time passes unsent; the next packet opens a new talk spurt (RFC 3551 4.1). */
  #skip(frames: number): void {
    this.#timestamp = (this.#timestamp + frames * FRAME_SAMPLES) >>> 0
    this.#position += frames * FRAME_SAMPLES
    this.#nextAtMs += frames * FRAME_MS
    this.#skippedPackets += frames
    this.#marker = true
  }

  #frame(): Uint8Array[] {
    const { codec, payloadType, eventPayloadType, source, talkOver } = this.#options
    if (this.#press === undefined) this.#takePress()
    const step = this.#press?.step()
    const inBand = this.#press?.carriage === 'in-band'
    const audio = inBand && step?.tone !== undefined ? source.nextWithTone(step.tone, talkOver) : source.next()
    const payload = encodeG711(codec, audio)
    const packets = [this.#packet(payloadType, this.#marker, this.#timestamp, payload)]
    this.#marker = false
    // RFC 4733 2.5.1.2: an event's packets carry its start as timestamp, and the stream's ordinary sequence numbers.
    for (const event of step?.events ?? []) {
      const startTimestamp = (this.#pressTimestamp + event.startUnits) >>> 0
      if (eventPayloadType !== undefined)
        packets.push(this.#packet(eventPayloadType, event.marker, startTimestamp, event.payload))
    }
    this.#report(decodeG711(codec, payload), inBand ? undefined : step?.tone)
    this.#timestamp = (this.#timestamp + FRAME_SAMPLES) >>> 0
    this.#position += FRAME_SAMPLES
    this.#nextAtMs += FRAME_MS
    if (step?.over === true) {
      this.#press = undefined
      this.#options.onPressOver()
    }
    return packets
  }

  #takePress(): void {
    this.#queue.take((key, carriage, holdMs) => {
      this.#pressTimestamp = this.#timestamp
      this.#press = new Press(key, carriage, holdMs, this.#options.random)
      this.#options.onPress(carriage, this.#nextAtMs - FRAME_MS)
      if (carriage === 'info') this.#options.onInfo(key, holdMs)
    })
  }

  #report(sent: Int16Array, tone: Int16Array | undefined): void {
    const monitor = sent.slice()
    if (tone !== undefined) addTo(monitor, tone)
    this.#options.onFrame(this.#position, sent, monitor)
  }

  #packet(payloadType: number, marker: boolean, timestamp: number, payload: Uint8Array): Uint8Array {
    const fields = { payloadType, marker, sequence: this.#sequence, timestamp, ssrc: this.#ssrc }
    this.#sequence = (this.#sequence + 1) & 0xffff
    return writeRtp(fields, payload)
  }
}
