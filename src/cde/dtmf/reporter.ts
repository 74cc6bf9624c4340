import type { KeyCode } from './key-codes.ts'
import type { UncertainReason } from '../../wall/messages.ts'
import { DoubtfulRun } from './doubtful-run.ts'
import { BLOCK_SAMPLES, BLOCKS_MAX, type ToneBank, TONES_HZ } from './tone-bank.ts'
import { COLUMNS_HZ, keyOfPair } from './tone-pairs.ts'
import { ToneTurns } from './tone-turns.ts'

/** 12.5 ms, as good as the 12.75 of the classic detectors; ours overlap. */
const WINDOW_BLOCKS = 5
export const REPORT_WINDOW_SAMPLES = WINDOW_BLOCKS * BLOCK_SAMPLES
export const REPORT_HOP_SAMPLES = 40

const RATE_HZ = 8_000
const TONES = TONES_HZ.length
/** Of a bank's ring of inner products. */
const LAST_INDEX = BLOCKS_MAX * TONES - 1
/** A tone that is 1.5 % off loses up to 1.5 dB in a correlation with its nominal frequency: these catch it. */
const SHIFTS = [0, -0.013, 0.013]
/** Five windows are 33 ms of tone: 40 ms always gives them, 24 ms never. */
const HITS_TO_REPORT = 5
/** A 20 ms interruption costs at most 6 windows, a 30 ms pause at least 7. */
const MISSES_TO_END = 7
const LEVEL_DB_MIN = -46
/** What is mostly outside the band of the tones is no key; most of speech need not be looked at further. */
const BAND_SHARE_MIN = 0.4
/** Of the nominal tones, and of the best shifted ones. */
const ROUGH_SHARE_MIN = 0.5
const PAIR_SHARE_MIN = 0.8
/** Of one window, which measures up to 3 dB wrong; the standards ask for -8 to +4. */
const TWIST_DB_MIN = -12
const TWIST_DB_MAX = 8
/** Up to here it is a press beyond doubt, though no key that the standards would let us take. */
const DOUBT_LEVEL_DB_MIN = -49
const DOUBT_TWIST_DB_MIN = -18
const DOUBT_TWIST_DB_MAX = 14
const DOUBT_SHARE_MIN = 0.7
/** The other tones of a group must be this far below the strongest (4 dB): a tone 1.5 % off leaks into its neighbour. */
const RIVAL_RATIO_MAX = 0.4
/** A voice has harmonics, a keypad does not (-10 dB). */
const HARMONIC_RATIO_MAX = 0.1
/** Between must accept (1.5 % and 2 Hz) and must reject (3.5 %) of the standards. */
const FREQUENCY_ERROR_MAX = 0.024
const DOUBT_FREQUENCY_ERROR_MAX = 0.034
const FULL_SCALE = 32_768
const energyAt = (levelDb: number): number => REPORT_WINDOW_SAMPLES * FULL_SCALE ** 2 * 10 ** (levelDb / 10)
const ENERGY_MIN = energyAt(LEVEL_DB_MIN)
const DOUBT_ENERGY_MIN = energyAt(DOUBT_LEVEL_DB_MIN)
/** A window counts as soon as 70 % of it is tone, so a press begins before and ends after its first and last hit. */
const EDGE_SAMPLES = 30

// How far each tone turns from the window's middle to each block's: all tones unshifted, then all with the next shift …
const TURNS = SHIFTS.flatMap((shift) =>
  TONES_HZ.flatMap((hz) =>
    Array.from(
      { length: WINDOW_BLOCKS },
      (_, block) => (2 * Math.PI * hz * (1 + shift) * (block - (WINDOW_BLOCKS - 1) / 2) * BLOCK_SAMPLES) / RATE_HZ,
    ),
  ),
)
const TURN_COSINE = Float64Array.from(TURNS, (turn) => Math.cos(turn))
const TURN_SINE = Float64Array.from(TURNS, (turn) => Math.sin(turn))

const HALF_SAMPLES = REPORT_WINDOW_SAMPLES / 2
// The second harmonic of each column about a window's middle, its second half.
const HARMONICS = COLUMNS_HZ.flatMap((hz) =>
  Array.from({ length: HALF_SAMPLES }, (_, i) => (4 * Math.PI * hz * (i + 0.5)) / RATE_HZ),
)
const HARMONIC_COSINE = Float64Array.from(HARMONICS, (phase) => Math.cos(phase))
const HARMONIC_SINE = Float64Array.from(HARMONICS, (phase) => Math.sin(phase))

export interface ReporterListener {
  /** A press is certain. @param from where its tone began, within 2 ms or so */
  onPress(key: KeyCode, from: number): void
  /** The press reported last is over. @param to where its tone ended */
  onRelease(to: number): void
  /** It was a press, but the key is not certain. @param key the likeliest, for comparison with other carriages only */
  onDoubt?(why: UncertainReason, key: KeyCode, from: number, to: number): void
}

/**
 * Which key was pressed, once? Strict, inside the standards (dtmf reference, 10.3): a false hit is a wrong card digit.
 * Correlation with the eight nominal tones, frequency by phase advance from window to window.
 * ```
 *   idle ──5 hits of one key in a row──▶ pressed ──7 misses in a row, or 5 hits of another key──▶ idle
 * ```
 * Beside it runs a second, milder judgement of the same windows (`DoubtfulRun`): what was surely a press and became none is
 * told as a doubt.
 */
export class Reporter {
  readonly #listener: ReporterListener
  readonly #re = new Float64Array(SHIFTS.length * TONES)
  readonly #im = new Float64Array(SHIFTS.length * TONES)
  readonly #power = new Float64Array(SHIFTS.length * TONES)
  /** Of the candidate's row and column. */
  readonly #turns = new ToneTurns(REPORT_HOP_SAMPLES)
  readonly #doubtful: DoubtfulRun
  /** Why the window at hand is not certain; undefined when it is, or holds nothing. */
  #doubt: UncertainReason | undefined
  #candidate = -1
  #hits = 0
  #candidateFrom = 0
  #pressed = -1
  #lastHitTo = 0
  #misses = 0

  constructor(listener: ReporterListener) {
    this.#listener = listener
    this.#doubtful = new DoubtfulRun(DOUBT_FREQUENCY_ERROR_MAX, (why, pair, from, to) =>
      listener.onDoubt?.(why, keyOfPair(pair), from + EDGE_SAMPLES, to - EDGE_SAMPLES),
    )
  }

  /**
   * Hears the last REPORT_WINDOW_SAMPLES of the bank, REPORT_HOP_SAMPLES after those before.
   * @param band the same in the band of the tones
   * @param from their position
   */
  hear(bank: ToneBank, band: ToneBank, from: number): void {
    const likeliest = this.#pairIn(bank, band)
    const pair = this.#doubt === undefined ? likeliest : -1
    if (pair === this.#pressed && pair !== -1) {
      this.#misses = 0
      this.#lastHitTo = from + REPORT_WINDOW_SAMPLES
    } else if (this.#pressed !== -1 && ++this.#misses >= MISSES_TO_END) {
      this.#release()
    }
    this.#follow(pair, from)
    this.#doubtful.hear(likeliest, this.#doubt, this.#pressed, from, this.#re, this.#im)
  }

  /** Ends a press that is under way, and forgets its key. */
  wipe(): void {
    if (this.#pressed !== -1) this.#release()
    this.#candidate = -1
    this.#hits = 0
    this.#doubtful.wipe()
  }

  #release(): void {
    this.#pressed = -1
    this.#listener.onRelease(this.#lastHitTo - EDGE_SAMPLES)
  }

  /** Counts windows of the same pair in a row and reports it when there are enough. */
  #follow(pair: number, from: number): void {
    if (pair === -1) {
      this.#candidate = -1
      this.#hits = 0
      return
    }
    if (pair === this.#candidate) {
      this.#turns.next(pair, this.#re, this.#im)
      this.#hits++
    } else {
      this.#candidate = pair
      this.#candidateFrom = from
      this.#hits = 1
      this.#turns.begin(pair, this.#re, this.#im)
    }
    if (this.#hits < HITS_TO_REPORT || pair === this.#pressed) return
    if (this.#turns.errorOf(pair) > FREQUENCY_ERROR_MAX) return
    if (this.#pressed !== -1) this.#release()
    this.#pressed = pair
    this.#misses = 0
    this.#lastHitTo = from + REPORT_WINDOW_SAMPLES
    this.#listener.onPress(keyOfPair(pair), this.#candidateFrom + EDGE_SAMPLES)
  }

  /** @returns the pair that this window holds, -1 for none; `#doubt` says whether that is certain */
  #pairIn(bank: ToneBank, band: ToneBank): number {
    this.#doubt = undefined
    let energy = 0
    let bandEnergy = 0
    for (let ago = 0; ago < WINDOW_BLOCKS; ago++) {
      energy += bank.energy[bank.slot(ago)] as number
      bandEnergy += band.energy[band.slot(ago)] as number
    }
    if (energy < DOUBT_ENERGY_MIN || bandEnergy < BAND_SHARE_MIN * energy) return -1
    bank.project(0, WINDOW_BLOCKS)
    for (let tone = 0; tone < TONES; tone++) this.#correlate(bank, tone)
    const row = this.#strongest(0)
    const column = this.#strongest(4)
    // A sine of energy E correlates to a power of E·N/2.
    const whole = (energy * REPORT_WINDOW_SAMPLES) / 2
    if ((this.#power[row] ?? 0) + (this.#power[column] ?? 0) < ROUGH_SHARE_MIN * whole) return -1
    const rowPower = this.#refine(bank, row)
    const columnPower = this.#refine(bank, column)
    const share = (rowPower + columnPower) / whole
    const rival = this.#rivalOf(0, row, rowPower) + this.#rivalOf(4, column, columnPower)
    if (share + rival / whole < DOUBT_SHARE_MIN) return -1
    const twistDb = 10 * Math.log10(columnPower / rowPower)
    if (twistDb < DOUBT_TWIST_DB_MIN || twistDb > DOUBT_TWIST_DB_MAX) return -1
    // The row's second harmonic lies among the columns and cannot be told from them in so short a window.
    if (hasHarmonic(bank, column - 4, columnPower)) return -1
    if (rival > 0) this.#doubt = 'too-near'
    else if (share < PAIR_SHARE_MIN || energy < ENERGY_MIN) this.#doubt = 'at-the-edge'
    else if (twistDb < TWIST_DB_MIN || twistDb > TWIST_DB_MAX) this.#doubt = 'at-the-edge'
    return row * 4 + (column - 4)
  }

  #correlate(bank: ToneBank, tone: number): void {
    const { cosine, sine } = bank
    const turns = tone * WINDOW_BLOCKS
    let at = bank.slot(WINDOW_BLOCKS - 1) * TONES + (tone & (TONES - 1))
    let re = 0
    let im = 0
    for (let turn = turns; turn < turns + WINDOW_BLOCKS; turn++) {
      const along = cosine[at] as number
      const across = sine[at] as number
      const c = TURN_COSINE[turn] as number
      const s = TURN_SINE[turn] as number
      re += along * c - across * s
      im -= across * c + along * s
      at = (at + TONES) & LAST_INDEX
    }
    this.#re[tone] = re
    this.#im[tone] = im
    this.#power[tone] = re * re + im * im
  }

  /** @returns the power of a tone at the best of its shifted frequencies */
  #refine(bank: ToneBank, tone: number): number {
    let best = this.#power[tone] ?? 0
    for (let shifted = tone + TONES; shifted < this.#power.length; shifted += TONES) {
      this.#correlate(bank, shifted)
      best = Math.max(best, this.#power[shifted] ?? 0)
    }
    return best
  }

  #strongest(first: number): number {
    let best = first
    for (let tone = first + 1; tone < first + 4; tone++) {
      if ((this.#power[tone] ?? 0) > (this.#power[best] ?? 0)) best = tone
    }
    return best
  }

  /** @returns the power of the other tones of the group that come near the strongest; 0 when none does */
  #rivalOf(first: number, strongest: number, power: number): number {
    let rival = 0
    for (let tone = first; tone < first + 4; tone++) {
      if (tone !== strongest && (this.#power[tone] ?? 0) > RIVAL_RATIO_MAX * power) rival += this.#power[tone] ?? 0
    }
    return rival
  }
}

/** Whether the second harmonic of a column is there: both halves of the window at once, about its middle. */
function hasHarmonic(bank: ToneBank, column: number, power: number): boolean {
  const { samples } = bank
  const waves = column * HALF_SAMPLES
  // The middle of the window is that of its middle block; the bank's samples are a ring.
  const middle = bank.slot(WINDOW_BLOCKS >> 1) * BLOCK_SAMPLES + BLOCK_SAMPLES / 2
  let along = 0
  let across = 0
  for (let i = 0; i < HALF_SAMPLES; i++) {
    let later = middle + i
    if (later >= samples.length) later -= samples.length
    let earlier = middle - 1 - i
    if (earlier < 0) earlier += samples.length
    const after = samples[later] as number
    const before = samples[earlier] as number
    along += (after + before) * (HARMONIC_COSINE[waves + i] as number)
    across += (after - before) * (HARMONIC_SINE[waves + i] as number)
  }
  return along * along + across * across > HARMONIC_RATIO_MAX * power
}
