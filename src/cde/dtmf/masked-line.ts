import type { RandomBytes } from '../../lib/random.ts'
import type { MaskPolicy } from '../../wall/settings.ts'
import { FlatLine } from './flat-line.ts'
import type { Carriage, Doubt, KeyCode } from './key-codes.ts'
import { HOP_SAMPLES, Masker, POST_SAMPLES, PRE_SAMPLES, REACH_SAMPLES_MAX } from './masker.ts'
import { coverWide } from './line-audio.ts'
import { Presses } from './presses.ts'
import { Replacement, type ReplacementKind } from './replacement.ts'
import { REPORT_WINDOW_SAMPLES, Reporter } from './reporter.ts'
import type { SlowMode } from './slow-mode.ts'
import { CELL_SAMPLES, PRESS_START, Timeline } from './timeline.ts'
import { ToneBand } from './tone-band.ts'
import { BLOCK_SAMPLES, ToneBank } from './tone-bank.ts'

export interface MaskedLineOptions {
  readonly replacement: ReplacementKind
  readonly maskPolicy: MaskPolicy
  /** For what must not be guessed: when a pip begins. */
  readonly random: RandomBytes
  /** True where the agent hears 16 kHz: wide samples go through beside the narrow ones. */
  readonly isWide?: boolean
  readonly newMasker?: () => Pick<Masker, 'judge'>
  onKey(key: KeyCode, carriage: Carriage): void
  onUncertain(doubt: Doubt): void
  /** What is known of the line's doubles; it outlives this. */
  readonly slow?: SlowMode
  onMasked?(from: number, to: number): void
}

/** One packet of the agent's stream. */
export const FRAME_SAMPLES = 2 * CELL_SAMPLES
/** A sample may leave when every window that could still mask it was judged: 50 ms ahead (dtmf reference, 7). */
const LOOKAHEAD_SAMPLES = REACH_SAMPLES_MAX
/**
 * Audio that borders on a gap or a splice: a tone that is cut to less than 15 to 25 ms cannot be told from speech, and 1 ms of it
 * gives the key away. So 30 ms on either side go too.
 */
const EDGE_SAMPLES = 240
/** Detections further apart than this are two presses. A 40 ms pause shows as 260 samples or more, a dip in noise as less. */
const PRESS_GAP_SAMPLES = 200
/** The same press in two carriages shows within 200 ms (dtmf reference, 10.2). */
const SAME_PRESS_SAMPLES = 1_600
/** After an event packet its key may still be down: the next update is at most this far away. */
const EVENT_UPDATE_SAMPLES = 800
const QUIET_PEAK = 184

/**
 * The constant delay line between caller and agent while a call is armed: audio goes in as it arrives, is judged at once,
 * and comes out masked one frame at a time. Positions are samples on the caller's timeline; 0 is the moment of arming.
 */
export class MaskedLine {
  readonly #options: MaskedLineOptions
  readonly #timeline: Timeline
  readonly #masker: Pick<Masker, 'judge'>
  readonly #reporter: Reporter
  readonly #presses: Presses
  readonly #replacement: Replacement
  #flat: FlatLine
  readonly #bank = new ToneBank()
  /** What the masker hears: tones only. */
  readonly #band = new ToneBand()
  readonly #bandBank = new ToneBank()
  readonly #block = new Float64Array(BLOCK_SAMPLES)
  #heardTo = 0
  #writtenTo = 0
  #detectedTo = Number.NEGATIVE_INFINITY
  #pressInBandAt = Number.NEGATIVE_INFINITY
  #pressSignalledAt = Number.NEGATIVE_INFINITY
  #isReporting = true

  constructor(options: MaskedLineOptions) {
    this.#options = options
    this.#timeline = new Timeline(options.isWide)
    this.#masker = options.newMasker?.() ?? new Masker()
    this.#replacement = new Replacement(options.replacement, options.random)
    this.#flat = new FlatLine(options.maskPolicy)
    this.#presses = new Presses(
      {
        onKey: (key, carriage) => {
          if (this.#isReporting) options.onKey(key, carriage)
        },
        onUncertain: (doubt) => {
          if (this.#isReporting) options.onUncertain(doubt)
        },
      },
      options.slow,
    )
    this.#reporter = new Reporter({
      onPress: (key, from) => {
        this.#flat.keyAt(this.#timeline.front)
        this.#presses.begin(key, 'in-band', from, Math.max(from, this.#timeline.front))
      },
      onRelease: (to) => this.#presses.end('in-band', to),
      onDoubt: (why, key, from, to) => {
        this.#flat.keyAt(this.#timeline.front)
        this.#presses.doubt(why, key, 'in-band', from, to, Math.max(to, this.#timeline.front))
      },
    })
  }

  /** The next sample to leave. */
  get played(): number {
    return this.#timeline.played
  }

  /** Below it everything is decided: what arrives for it is too late. */
  get decidedTo(): number {
    return this.#timeline.front
  }

  /** The end of what has arrived, gaps or not. */
  get writtenTo(): number {
    return this.#writtenTo
  }

  /** The caller was asked for keys, or is not any more. @param live position that arrives now */
  setFieldOpen(isOpen: boolean, live: number): void {
    this.#flat.setFieldOpen(isOpen, live)
  }

  /** Another capture began before this line was played out. */
  setPolicy(policy: MaskPolicy): void {
    const { to } = this.#flat
    this.#flat = new FlatLine(policy)
    if (Number.isFinite(to)) this.maskAll(to)
  }

  /** From now on keys are masked but not told any more. */
  stopReporting(): void {
    this.#isReporting = false
  }

  /**
   * Decoded audio of one packet. @param wide on a wide line, the same at 16 kHz. @param spliced true when it does not follow what was written before in the sender's time
   * @returns how many of its samples were taken
   */
  audio(position: number, samples: Int16Array, spliced: boolean, wide?: Int16Array): number {
    if (spliced) this.#timeline.mask(position - EDGE_SAMPLES, position + EDGE_SAMPLES)
    const taken = this.#timeline.write(position, samples, wide)
    if (taken > 0) this.#writtenTo = Math.max(this.#writtenTo, position + samples.length)
    this.#judge()
    return taken
  }

  /** A key came as an event. @param from where it began. @param live position that arrives now */
  eventPress(key: KeyCode, from: number, live: number): void {
    this.#presses.begin(key, 'event', from, live)
    this.#startSignalledPress(from - PRE_SAMPLES)
  }

  /** An event packet arrived, or what may be one: masks the whole line, and forward as long as the key may be down. */
  eventSeen(to: number, end: boolean, live: number): void {
    this.#flat.keyAt(live)
    this.maskAll(Math.max(to, live) + (end ? POST_SAMPLES : EVENT_UPDATE_SAMPLES))
    if (end) this.#presses.end('event', to)
  }

  /** No event is under way: its end packets may all have been lost. */
  noEvent(live: number): void {
    this.#presses.end('event', live)
  }

  /** A suspected event packet of a press not seen before: it is masked and replaced, but told to nobody. */
  suspectedPress(live: number): void {
    this.#startSignalledPress(live - PRE_SAMPLES)
  }

  /** A press of the kind, whole: surely a key, but nobody agreed that keys come this way. */
  suspectedKey(key: KeyCode, live: number): void {
    this.#presses.doubt('not-negotiated', key, 'event', live, live, live)
  }

  infoPress(key: KeyCode, live: number): void {
    this.#flat.keyAt(live)
    this.#presses.begin(key, 'info', live, live)
    this.#startSignalledPress(live - PRE_SAMPLES)
    this.maskAll(live + POST_SAMPLES)
  }

  /** Masks everything that has not left yet, up to `to`. */
  maskAll(to: number): void {
    this.#timeline.mask(this.#timeline.played, to)
  }

  /** Masks what is left to leave of a span that is not to be trusted. */
  maskSpan(from: number, to: number): void {
    this.#timeline.mask(from, to)
  }

  forgetSource(): void {
    this.#presses.forgetSource()
  }

  /** The next 20 ms for the agent, into `frame`; what is missing by now is silence for good. @param live position that arrives now */
  play(frame: Int16Array, live: number, wide?: Int16Array): void {
    const from = this.#timeline.played
    this.#timeline.force(from + FRAME_SAMPLES + LOOKAHEAD_SAMPLES, (gapFrom, gapTo) => {
      this.#timeline.mask(gapFrom - EDGE_SAMPLES, gapTo + EDGE_SAMPLES)
    })
    this.#judge()
    this.#presses.settle(live)
    if (this.#flat.to > from) this.#timeline.mask(from, Math.min(from + FRAME_SAMPLES, this.#flat.to))
    const first = this.#timeline.cellAt(from)
    const second = this.#timeline.cellAt(from + CELL_SAMPLES)
    this.#timeline.play(frame, wide)
    if ((first | second) === 0 && !this.#replacement.isSounding) return this.#replacement.pass(frame)
    this.#cover(frame, 0, first, from, wide)
    this.#cover(frame, CELL_SAMPLES, second, from, wide)
  }

  /** @param at where the cell begins in the frame. @param frameFrom position of the frame */
  #cover(frame: Int16Array, at: number, cell: number, frameFrom: number, wide: Int16Array | undefined): void {
    if (cell === 0 && !this.#replacement.isSounding) return
    this.#replacement.cover(frame, at, at + CELL_SAMPLES, (cell & PRESS_START) !== 0)
    if (wide !== undefined) coverWide(wide, frame, at, at + CELL_SAMPLES)
    this.#options.onMasked?.(frameFrom + at, frameFrom + at + CELL_SAMPLES)
  }

  /** Nothing that is left would be missed: no voice, no key. */
  get isQuiet(): boolean {
    return this.#timeline.isQuiet(QUIET_PEAK)
  }

  /** No key is left, nor was one just before. */
  get isUnmasked(): boolean {
    return this.#timeline.isQuiet(Number.POSITIVE_INFINITY)
  }

  /** Zeroes all audio and keys that are left. */
  wipe(): void {
    this.#isReporting = false
    this.#timeline.wipe()
    this.#reporter.wipe()
    this.#presses.wipe()
    this.#bank.wipe()
    this.#band.wipe()
    this.#bandBank.wipe()
    this.#block.fill(0)
  }

  /** Shows everything known to masker and reporter, as soon as it is known. */
  #judge(): void {
    const front = this.#timeline.front
    while (this.#heardTo + BLOCK_SAMPLES <= front) {
      this.#timeline.read(this.#heardTo, this.#block)
      this.#band.split(this.#block, this.#bank, this.#bandBank)
      this.#heardTo += BLOCK_SAMPLES
      if (this.#heardTo % HOP_SAMPLES !== 0) continue
      const to = this.#heardTo
      const { reachSamples, afterSamples, isLikely } = this.#masker.judge(this.#bandBank, this.#flat.isKeyAwaited(to))
      if (isLikely) this.#detected(to - reachSamples, to)
      else if (reachSamples > 0) this.#timeline.mask(to - reachSamples, to + afterSamples)
      this.#reporter.hear(this.#bank, this.#bandBank, to - REPORT_WINDOW_SAMPLES)
    }
  }

  #detected(from: number, to: number): void {
    const isNewPress = from + PRE_SAMPLES - this.#detectedTo > PRESS_GAP_SAMPLES
    this.#detectedTo = to
    this.#flat.maybeKeyAt(to)
    this.#timeline.mask(from, to + POST_SAMPLES)
    if (!isNewPress) return
    // The same press may have come as an event before: one press, one pip.
    if (Math.abs(from - this.#pressSignalledAt) <= SAME_PRESS_SAMPLES) return
    this.#pressInBandAt = this.#timeline.startPress(from)
  }

  #startSignalledPress(at: number): void {
    if (Math.abs(at - this.#pressInBandAt) <= SAME_PRESS_SAMPLES) return
    this.#pressSignalledAt = this.#timeline.startPress(at)
  }
}
