import { dtmfLimits } from '../../lib/limits.ts'
import type { RandomBytes } from '../../lib/random.ts'
import type { MaskPolicy } from '../../wall/settings.ts'
import type { AudioFormat, SpeechFormat } from '../media/audio-formats.ts'
import { parseRtp, type RtpNumbers, type RtpPacket } from '../media/rtp.ts'
import { AgentStream } from './agent-stream.ts'
import { Counters } from './counters.ts'
import { EventPresses } from './event-presses.ts'
import { parseEvents, type TelephoneEvent } from './events.ts'
import { audioUnits, Formats } from './formats.ts'
import { type Carriage, type Doubt, KEY_CODE_MAX, type KeyCode } from './key-codes.ts'
import { LineAudio } from './line-audio.ts'
import { FRAME_SAMPLES, MaskedLine } from './masked-line.ts'
import type { Masker } from './masker.ts'
import { Relaying } from './relaying.ts'
import type { ReplacementKind } from './replacement.ts'
import { SlowMode, type SlowNews, type SlowPattern } from './slow-mode.ts'
import { SourceClock } from './source-clock.ts'

export interface CallerDirectionOptions {
  readonly replacement: ReplacementKind
  /** Added to the 60 ms of look-ahead while armed; 10 at least are needed against packets and ticks out of step. */
  readonly jitterMs: number
  readonly random: RandomBytes
  /** A key went down while armed: once per press, whatever carries it. Take it by value, keep nothing. */
  onKey(key: KeyCode, carriage: Carriage): void
  /** A key was pressed while armed, but which one is not certain. */
  onUncertain(doubt: Doubt): void
  /** The line sends keys twice, or does so no more. */
  onSlow?(news: SlowNews): void
  /** The masker failed: the agent hears silence until the call is disarmed. Once per arming. */
  onMaskFailed(): void
  /** Spans that were replaced, in samples since arming; for recordings. */
  onMasked?(from: number, to: number): void
  /** Another judge of windows, to try what happens when it fails. */
  newMasker?: () => Pick<Masker, 'judge'>
}

const SAMPLES_PER_MS = 8
const TICK_MS = 20
const LOOKAHEAD_MS = 60
const JITTER_MS_MIN = 10
const DRAIN_MS_MAX = 2_000

/**
 * Caller → agent, for the whole call (dtmf reference, 5, 6 and 11). Sans-I/O.
 * ```
 *               arm                     disarm             line played out and quiet, or 2 s (4 s within a key)
 *   relaying ─────────▶ armed ───────────────────▶ draining ─────────────────────────────────────▶ relaying
 *                         ▲            arm            │
 *                         └───────────────────────────┘
 * ```
 * Relaying: audio and negotiated events are re-written onto our stream at once; all else is dropped and counted.
 * Armed and draining: nothing is forwarded. Audio is decoded, delayed, masked and encoded again; one packet per tick.
 */
export class CallerDirection {
  readonly #options: CallerDirectionOptions
  readonly #counters = new Counters()
  readonly #stream: AgentStream
  readonly #relaying: Relaying
  #audio = new LineAudio(undefined, FRAME_SAMPLES, dtmfLimits.audioSamplesMax)
  readonly #events = new EventPresses()
  readonly #suspects = new EventPresses()
  readonly #slow = new SlowMode((news) => this.#options.onSlow?.(news))
  #formats = new Formats([], [])
  #clock = new SourceClock()
  #state: 'relaying' | 'armed' | 'draining' = 'relaying'
  #line: MaskedLine | undefined
  #maskPolicy: MaskPolicy = 'adaptive'
  #isFieldOpen = false
  #lagSamples = 0
  #hasFailed = false
  #eventCame = false
  #nextTickMs = 0
  #drainTo = 0
  #drainUntilMs = 0

  constructor(options: CallerDirectionOptions) {
    this.#options = options
    this.#stream = new AgentStream(options.random)
    this.#relaying = new Relaying(this.#stream, this.#counters)
  }

  /** True from `arm` to `disarm`: keys are told. The line stays masked a little longer, until it is played out. */
  get armed(): boolean {
    return this.#state === 'armed'
  }

  /** After each offer and answer. Never disarms. An empty list means that this side takes or sends nothing. */
  setFormats(callerFormats: readonly AudioFormat[], agentFormats: readonly AudioFormat[], _nowMs: number): void {
    const hadEvents = this.#formats.callerHasEvents
    this.#formats = new Formats(callerFormats, agentFormats)
    this.#stream.setClock(this.#formats.agentAudio?.clockHz ?? SAMPLES_PER_MS * 1_000)
    if (hadEvents !== this.#formats.callerHasEvents) this.#line?.forgetSource()
  }

  /**
   * One RTP packet of the caller, whose source was checked.
   * @returns packets for the agent now: while relaying; none otherwise, they come from `tick`
   */
  receive(packet: Uint8Array, nowMs: number): Uint8Array[] {
    const rtp = parseRtp(packet)
    if (typeof rtp === 'string') {
      this.#counters.add('dtmf_rtp_refused')
      return []
    }
    if (this.#line === undefined) return this.#relaying.receive(rtp, this.#formats, nowMs)
    const line = this.#line
    this.#guarded(() => this.#takeIn(line, rtp, nowMs))
    return []
  }

  /**
   * The common packet while relaying, audio of the stream that runs, in a codec that both sides have: re-written where it
   * lies. The caller's octets leave this way only while nothing is masked.
   * @returns false, with nothing changed, when `receive` has to look at it
   */
  relayInPlace(octets: Uint8Array, start: number, rtp: RtpNumbers, nowMs: number): boolean {
    return this.#line === undefined && this.#relaying.inPlace(octets, start, rtp, this.#formats, nowMs)
  }

  /** The packets that are due: all of them while armed or draining, noise in the caller's pauses while relaying. */
  tick(nowMs: number): Uint8Array[] {
    if (this.#line === undefined) return this.#relaying.tick(this.#formats, nowMs)
    const packets: Uint8Array[] = []
    this.#skipTicks(nowMs)
    while (this.#line !== undefined && this.#nextTickMs <= nowMs) {
      const packet = this.#play(this.#line, this.#nextTickMs)
      if (packet !== undefined) packets.push(packet)
      this.#nextTickMs += TICK_MS
      this.#endDrain(this.#line, this.#nextTickMs)
    }
    return packets
  }

  /** Undefined while relaying, but in a pause of the caller's that is filled. */
  nextTickAtMs(): number | undefined {
    return this.#line === undefined ? this.#relaying.nextTickAtMs : this.#nextTickMs
  }

  /** Keys on this line come twice, as other calls have shown. */
  expectSlow(pattern: SlowPattern): void {
    this.#slow.expect(pattern)
  }

  /** A field that was keyed on this line was wrong, and nothing but pairs: it may double keys in a way that is hard to prove. */
  suspectSlow(): void {
    this.#slow.suspect()
  }

  /** A key that came in a SIP INFO. */
  infoKey(key: KeyCode, nowMs: number): void {
    const line = this.#line
    if (line !== undefined) this.#guarded(() => line.infoPress(key, this.#liveAt(line, nowMs)))
  }

  /**
   * Masks from now on. The delay begins as silence (MED-14).
   * @param maskPolicy as before when missing, at first `adaptive`
   * @returns the packets that are due at once
   */
  arm(nowMs: number, maskPolicy: MaskPolicy = this.#maskPolicy): Uint8Array[] {
    this.#maskPolicy = maskPolicy
    if (this.#state === 'armed') {
      this.#line?.setPolicy(maskPolicy)
      return []
    }
    this.#dropLine()
    this.#relaying.pause()
    this.#state = 'armed'
    this.#hasFailed = false
    const { packetMs, dueMs } = this.#relaying
    const jitterMs = Math.max(this.#options.jitterMs, JITTER_MS_MIN)
    // Long packets come late by what they are longer than a tick.
    const delayMs = LOOKAHEAD_MS + jitterMs + Math.max(0, packetMs - TICK_MS)
    this.#lagSamples = delayMs * SAMPLES_PER_MS + FRAME_SAMPLES
    this.#clock = new SourceClock()
    this.#audio = new LineAudio(this.#formats.agentAudio?.codec, FRAME_SAMPLES, dtmfLimits.audioSamplesMax)
    this.#line = this.#newLine(maskPolicy)
    // Our packets go on in step with those just relayed.
    this.#nextTickMs = dueMs > nowMs && dueMs <= nowMs + packetMs ? dueMs : nowMs
    if (this.#isFieldOpen) this.#line.setFieldOpen(true, this.#liveAt(this.#line, nowMs))
    return this.tick(nowMs)
  }

  /** While armed: the caller was asked for keys, or is not any more (mask policies `burst` and `full`). */
  setFieldOpen(isOpen: boolean, nowMs: number): void {
    this.#isFieldOpen = isOpen
    this.#line?.setFieldOpen(isOpen, this.#liveAt(this.#line, nowMs))
  }

  /** Plays what is in the line through the masker, then relays again. @returns the packets that are due at once */
  disarm(nowMs: number): Uint8Array[] {
    if (this.#state !== 'armed' || this.#line === undefined) return []
    this.#state = 'draining'
    this.#line.stopReporting()
    this.#drainTo = this.#line.writtenTo
    this.#drainUntilMs = nowMs + DRAIN_MS_MAX
    return this.tick(nowMs)
  }

  counters(): Readonly<Record<string, number>> {
    return this.#counters.all()
  }

  /** The call is over: zeroes all audio and keys, and gives the coders back. */
  close(): void {
    this.#dropLine()
    this.#state = 'relaying'
    this.#relaying.close()
  }

  #newLine(maskPolicy: MaskPolicy): MaskedLine {
    const { replacement, onKey, onUncertain, onMasked, newMasker } = this.#options
    return new MaskedLine({
      replacement,
      maskPolicy,
      random: this.#options.random,
      slow: this.#slow,
      isWide: this.#audio.isWide,
      onKey,
      onUncertain: (doubt) => {
        this.#counters.add('dtmf_uncertain')
        onUncertain(doubt)
      },
      ...(onMasked === undefined ? {} : { onMasked }),
      ...(newMasker === undefined ? {} : { newMasker }),
    })
  }

  #takeIn(line: MaskedLine, rtp: RtpPacket, nowMs: number): void {
    const incoming = this.#formats.incoming(rtp.payloadType)
    if (incoming === 'telephone-event') this.#takeInEvents(line, rtp, nowMs)
    else if (incoming === 'unknown') this.#takeInUnknown(line, rtp, nowMs)
    else if (incoming === 'CN') this.#takeInNoise(line, rtp, nowMs)
    else if (!this.#takeInAudio(line, rtp, incoming, nowMs)) {
      // MED-18: what is too short for audio may be a mislabelled event, and what cannot be decoded may be anything.
      this.#counters.add('dtmf_audio_refused')
      this.#suspect(line, rtp, nowMs)
    }
  }

  /** Only what has a place is decoded: a packet that comes twice or too late would put the decoder out of step. @returns false for what is no audio */
  #takeInAudio(line: MaskedLine, rtp: RtpPacket, { codec, clockHz }: SpeechFormat, nowMs: number): boolean {
    const unitsPerSample = clockHz / (SAMPLES_PER_MS * 1_000)
    const samples = audioUnits({ codec }, rtp.payload, 0, rtp.payload.length) / unitsPerSample
    if (samples === 0) return false
    const zone = { earliest: line.decidedTo, writtenTo: line.writtenTo, due: this.#liveAt(line, nowMs) - samples }
    const position = this.#clock.place({ ...rtp, unitsPerSample }, samples, zone, this.#eventCame, nowMs)
    this.#eventCame = false
    if (typeof position === 'string') {
      this.#counters.add(`dtmf_audio_${position}`)
      return true
    }
    const decoded = this.#audio.decode(codec, rtp.payload, rtp.sequence)
    if (decoded === undefined) return false
    if (decoded.unsettledSamples > 0) line.maskSpan(position, position + decoded.unsettledSamples)
    const taken = line.audio(position, decoded.narrow, this.#clock.takeSplice(), decoded.wide)
    if (taken === 0) this.#counters.add('dtmf_audio_late')
    this.#audio.forget()
    return true
  }

  #takeInEvents(line: MaskedLine, rtp: RtpPacket, nowMs: number): void {
    const events = parseEvents(rtp.payload)
    if (typeof events === 'string') {
      this.#counters.add('dtmf_event_refused')
      this.#suspect(line, rtp, nowMs)
      return
    }
    this.#eventCame = true
    let { timestamp } = rtp
    for (const event of events) {
      this.#takeInEvent(line, rtp, timestamp, event, nowMs)
      timestamp = (timestamp + event.durationUnits) >>> 0
    }
  }

  #takeInEvent(line: MaskedLine, rtp: RtpPacket, timestamp: number, event: TelephoneEvent, nowMs: number): void {
    const meaning = this.#events.take(rtp.ssrc, timestamp, event, nowMs)
    const live = this.#liveAt(line, nowMs)
    const clockHz = this.#formats.clockHz(rtp.payloadType)
    const durationSamples = Math.round((event.durationUnits * SAMPLES_PER_MS * 1_000) / clockHz)
    const from = this.#positionOf(rtp, timestamp, clockHz, live) ?? live - durationSamples
    if (meaning === 'not-a-key') this.#counters.add('dtmf_event_not_a_key')
    if (meaning === 'new-press') line.eventPress(event.event, from, live)
    line.eventSeen(from + durationSamples, event.end, live)
  }

  /** Where an event's timestamp lies on the timeline, if it is in the audio's time and makes sense. */
  #positionOf(rtp: RtpPacket, timestamp: number, clockHz: number, live: number): number | undefined {
    const position = this.#clock.positionOf(rtp.ssrc, timestamp, clockHz / (SAMPLES_PER_MS * 1_000))
    const isPlausible =
      position !== undefined && position <= live + FRAME_SAMPLES && position > live - dtmfLimits.pressMs * 8
    return isPlausible ? position : undefined
  }

  /** The pause is silent: while masked, nothing of the caller's says how it sounds. What can be a key on this type is one. */
  #takeInNoise(line: MaskedLine, rtp: RtpPacket, nowMs: number): void {
    this.#counters.add('dtmf_comfort_noise')
    const [code = 0x7f] = rtp.payload
    if (rtp.payload.length === 4 && code <= KEY_CODE_MAX) this.#suspect(line, rtp, nowMs)
  }

  #takeInUnknown(line: MaskedLine, rtp: RtpPacket, nowMs: number): void {
    this.#counters.add('dtmf_unknown_type_dropped')
    this.#suspect(line, rtp, nowMs)
  }

  /** Four octets where they do not belong are a suspected event (dtmf reference, 9): masked, told to nobody. */
  #suspect(line: MaskedLine, rtp: RtpPacket, nowMs: number): void {
    const events = parseEvents(rtp.payload)
    const [event] = typeof events === 'string' ? [] : events
    const live = this.#liveAt(line, nowMs)
    if (event === undefined || event.event > KEY_CODE_MAX) {
      if (this.#formats.incoming(rtp.payloadType) !== 'unknown') line.eventSeen(live, true, live)
      return
    }
    this.#counters.add('dtmf_event_suspected')
    if (this.#suspects.take(rtp.ssrc, rtp.timestamp, event, nowMs) === 'new-press') line.suspectedPress(live)
    // Its end says that it was a press, and no four octets of something else.
    if (event.end && event.durationUnits > 0) line.suspectedKey(event.event, live)
    line.eventSeen(live, event.end, live)
  }

  /** The position of what arrives now, if it is in time. */
  #liveAt(line: MaskedLine, nowMs: number): number {
    return Math.round(line.played - (this.#nextTickMs - nowMs) * SAMPLES_PER_MS) + this.#lagSamples
  }

  /** One tick. Never throws: what cannot be masked is silence. */
  #play(line: MaskedLine, nowMs: number): Uint8Array | undefined {
    this.#audio.silence()
    this.#guarded(() => {
      this.#events.wake(nowMs)
      this.#suspects.wake(nowMs)
      if (!this.#events.isDown) line.noEvent(this.#liveAt(line, nowMs))
      line.play(this.#audio.frame, this.#liveAt(line, nowMs), this.#audio.wideFrame)
    })
    if (this.#hasFailed) this.#audio.silence()
    const agent = this.#formats.agentAudio
    if (agent === undefined) {
      this.#counters.add('dtmf_no_agent_codec')
      this.#stream.skip(TICK_MS)
      return undefined
    }
    return this.#stream.next(agent.payloadType, this.#audio.encode(agent.codec), TICK_MS, false, nowMs)
  }

  /** After a stall longer than can be made up for, time that has passed is left out. */
  #skipTicks(nowMs: number): void {
    const line = this.#line
    const behind = Math.floor((nowMs - this.#nextTickMs) / TICK_MS) - dtmfLimits.catchUpTicksMax
    if (line === undefined || behind <= 0) return
    this.#counters.add('dtmf_ticks_skipped', behind)
    this.#stream.skip(behind * TICK_MS)
    this.#nextTickMs += behind * TICK_MS
  }

  #endDrain(line: MaskedLine, nowMs: number): void {
    if (this.#state !== 'draining') return
    const isPlayedOut = this.#hasFailed || (line.played >= this.#drainTo && line.isQuiet)
    // The rest of a key would cross; and with Opus a copy of what came before it (RFC 6716 2.1.7).
    const waitsUntilMs = line.isUnmasked ? this.#drainUntilMs : this.#drainUntilMs + DRAIN_MS_MAX
    if (!isPlayedOut && nowMs < waitsUntilMs) return
    this.#dropLine()
    this.#state = 'relaying'
  }

  #dropLine(): void {
    this.#line?.wipe()
    this.#line = undefined
    this.#audio.wipe()
    this.#events.wipe()
    this.#suspects.wipe()
  }

  /** Runs what must not end the call. A failure means silence from now on: closed for digits, open for the call. */
  #guarded(work: () => void): void {
    if (this.#hasFailed) return
    try {
      work()
    } catch {
      this.#hasFailed = true
      this.#counters.add('dtmf_mask_failed')
      this.#options.onMaskFailed()
    }
  }
}
