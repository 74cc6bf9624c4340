import { BLOCK_SAMPLES, type ToneBank } from './tone-bank.ts'
import { FitTables, ToneFit } from './tone-fit.ts'

/** 5 ms: from one decision to the next. */
export const HOP_SAMPLES = 40
/** 15 ms: what a decision rests on, two overlapping windows of 10 ms. */
export const DECISION_SAMPLES = 120
/** Decisions are tried twice per hop, 2.5 ms apart, or a tone of 15 ms might fill neither of two. */
const HALF_HOP_BLOCKS = HOP_SAMPLES / 2 / BLOCK_SAMPLES
/** Masked before the 15 ms of a detection: the onset, and a legal interruption before it. */
export const PRE_SAMPLES = 240
/** Masked after them: decay, echo and the next interruption. */
export const POST_SAMPLES = 320

const WINDOW_SAMPLES = DECISION_SAMPLES - HOP_SAMPLES
// Senders and lines that are off by more than the standards allow are still read by a decoder that knows where to look.
const SHIFTS = [0, -0.02, 0.02]
const SHIFTED_FROM_PURITY = 0.25
const LEVEL_DB_MIN = -58
const WINDOW_TABLES = new FitTables(WINDOW_SAMPLES / BLOCK_SAMPLES, SHIFTS, LEVEL_DB_MIN)
const DECISION_TABLES = new FitTables(DECISION_SAMPLES / BLOCK_SAMPLES, SHIFTS, LEVEL_DB_MIN)

/** From these on a window of 10 ms is suspect, and 15 ms made of two suspect windows are a detection. */
interface Thresholds {
  readonly windowTwistDb: number
  readonly purity: number
  readonly twistDb: number
  /** Detections that must follow one another at once. */
  readonly hops: number
}

const WINDOW_PURITY_MIN = 0.5
/** What begins out of a louder or equal sound is mostly speech: two detections are asked for. */
const WITHIN_SOUND: Thresholds = { windowTwistDb: 20, purity: 0.75, twistDb: 14.5, hops: 2 }
/** What stands out of the 20 ms before it is hardly ever speech. */
const AFTER_QUIET: Thresholds = { windowTwistDb: 22, purity: 0.68, twistDb: 15, hops: 1 }
/** Where keys were a moment ago there are more: half-drowned ones are taken as well. */
const ALERT: Thresholds = { windowTwistDb: 25, purity: 0.62, twistDb: 18, hops: 1 }
/** So clear that one detection is enough anywhere. */
const SURE_PURITY = 0.86
const ALERT_HOPS = 200
/** What puts it on alert, and speech hardly ever has: two clear detections apart within a second, or one clear and long. */
const CLEAR_PURITY = 0.78
const LONG_PURITY = 0.85
const LONG_HOPS = 3
const APART_HOPS = 8
/** Quiet is 5 dB below: leaves room for noise 10 dB below a tone and a tone that begins a little early. */
const QUIET_RATIO = 0.316
const DECISION_HOPS = DECISION_SAMPLES / HOP_SAMPLES
const BEFORE_HOPS = 4
const REMEMBERED_HOPS = 8

/** The most that `judge` returns. */
export const DETECTED_HOPS_MAX = 2

/**
 * Could this audio carry a key? Permissive far outside the standards: a miss leaks card data, a false hit costs 85 ms of
 * speech (dtmf reference, 4 and 5). It shares nothing with the reporter.
 *
 * Beyond the reference: two suspect windows are judged once more as a whole, because 15 ms tell a weak second tone from
 * noise and speech from tones better than 10 ms do; and the sound before them counts. This pays for the shifted bases and
 * for neighbouring pairs in a run.
 */
export class Masker {
  readonly #windowFit = new ToneFit(WINDOW_TABLES, SHIFTED_FROM_PURITY)
  readonly #decisionFit = new ToneFit(DECISION_TABLES, SHIFTED_FROM_PURITY)
  /** Energy of each of the last hops. */
  readonly #energies = new Float64Array(REMEMBERED_HOPS)
  #hop = 0
  #lastPair = -1
  #lastTwistDb = 0
  #runHops = 0
  #runPurity = 0
  #isSure = false
  #clearAtHop = Number.NEGATIVE_INFINITY
  #alertUntilHop = Number.NEGATIVE_INFINITY

  /**
   * Judges the last 15 ms of the bank; each call is HOP_SAMPLES after the one before.
   * @returns how many decisions up to and including this one may carry a key: 0 to DETECTED_HOPS_MAX
   */
  judge(bank: ToneBank): number {
    this.#hop++
    this.#energies[this.#hop % REMEMBERED_HOPS] = energyOfHop(bank)
    const thresholds = this.#thresholds()
    const { pair, purity, twistDb } = this.#windowFit.fit(bank, 0, WINDOW_PURITY_MIN)
    const lastPair = this.#lastPair
    const lastTwistDb = this.#lastTwistDb
    this.#lastPair = purity > WINDOW_PURITY_MIN ? pair : -1
    this.#lastTwistDb = twistDb
    const isSuspect =
      areNeighbours(this.#lastPair, lastPair) &&
      Math.max(Math.abs(twistDb), Math.abs(lastTwistDb)) < thresholds.windowTwistDb
    const isDetection = isSuspect && this.#confirm(bank, thresholds)
    if (!isDetection) this.#forgetRun()
    return this.#runHops >= thresholds.hops || this.#isSure ? Math.min(this.#runHops, DETECTED_HOPS_MAX) : 0
  }

  #forgetRun(): void {
    this.#runHops = 0
    this.#isSure = false
  }

  #thresholds(): Thresholds {
    if (this.#hop <= this.#alertUntilHop) return ALERT
    const before = this.#energyOfHops(DECISION_HOPS, BEFORE_HOPS) / BEFORE_HOPS
    const now = this.#energyOfHops(0, DECISION_HOPS) / DECISION_HOPS
    return before < QUIET_RATIO * now ? AFTER_QUIET : WITHIN_SOUND
  }

  #energyOfHops(ago: number, count: number): number {
    let sum = 0
    for (let i = ago; i < ago + count; i++) {
      sum += this.#energies[(this.#hop - i + REMEMBERED_HOPS) % REMEMBERED_HOPS] ?? 0
    }
    return sum
  }

  #confirm(bank: ToneBank, thresholds: Thresholds): boolean {
    let purity = this.#purityOf(bank, 0, thresholds)
    if (purity <= thresholds.purity) purity = this.#purityOf(bank, HALF_HOP_BLOCKS, thresholds)
    if (purity <= thresholds.purity) return false
    this.#runHops++
    if (this.#runHops === 1) this.#runPurity = 0
    if (purity > SURE_PURITY) this.#isSure = true
    this.#runPurity += (purity - this.#runPurity) / this.#runHops
    if (this.#runHops >= thresholds.hops || this.#isSure) this.#watch(purity)
    return true
  }

  /** 0 when the twist is too wide. */
  #purityOf(bank: ToneBank, ago: number, thresholds: Thresholds): number {
    const { purity, twistDb } = this.#decisionFit.fit(bank, ago, thresholds.purity)
    return purity > thresholds.purity && Math.abs(twistDb) < thresholds.twistDb ? purity : 0
  }

  #watch(purity: number): void {
    const sinceClear = this.#hop - this.#clearAtHop
    const isAnother = purity > CLEAR_PURITY && sinceClear > APART_HOPS && sinceClear < ALERT_HOPS
    const isLong = this.#runHops >= LONG_HOPS && this.#runPurity > LONG_PURITY
    if (isAnother || isLong) this.#alertUntilHop = this.#hop + ALERT_HOPS
    if (purity > CLEAR_PURITY) this.#clearAtHop = this.#hop
  }
}

function energyOfHop(bank: ToneBank): number {
  let energy = 0
  for (let ago = 0; ago < HOP_SAMPLES / BLOCK_SAMPLES; ago++) energy += bank.energy[bank.slot(ago)] ?? 0
  return energy
}

/** Noise may turn a weak tone into its neighbour: one tone of the pair must be the same. */
function areNeighbours(a: number, b: number): boolean {
  return a !== -1 && b !== -1 && (a >> 2 === b >> 2 || (a & 3) === (b & 3))
}
