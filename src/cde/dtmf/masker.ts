import { contrastDb, HINDSIGHT_BLOCKS } from './hindsight.ts'
import { BLOCK_SAMPLES, type ToneBank } from './tone-bank.ts'
import { FitTables, ToneFit } from './tone-fit.ts'

/** 5 ms: from one decision to the next. */
export const HOP_SAMPLES = 40
/** Masked before the 15 ms of a detection: the onset, and a legal interruption before it. */
export const PRE_SAMPLES = 240
/** Masked after a detection: decay, echo and the next interruption. */
export const POST_SAMPLES = 280
/** The most that a verdict reaches back: 15 ms, what is before them, and the detection before. */
export const REACH_SAMPLES_MAX = 400

/** What the masker thinks of the last samples it was shown. */
export interface Verdict {
  /** What is to be masked, counted back from the newest sample; 0 for nothing. */
  readonly reachSamples: number
  /** How far it reaches beyond them. */
  readonly afterSamples: number
  /** More than a suspicion: speech hardly ever looks like this. */
  readonly isLikely: boolean
}

const NOTHING: Verdict = { reachSamples: 0, afterSamples: 0, isLikely: false }
const FIRST: Verdict = { reachSamples: REACH_SAMPLES_MAX - HOP_SAMPLES, afterSamples: POST_SAMPLES, isLikely: true }
const LATER: Verdict = { reachSamples: REACH_SAMPLES_MAX, afterSamples: POST_SAMPLES, isLikely: true }
const SUSPICION: Verdict = { reachSamples: REACH_SAMPLES_MAX, afterSamples: POST_SAMPLES, isLikely: false }
/** Of 15 ms that ended 20 or 22.5 ms ago: these, and 2.5 ms on either side at least. */
const IN_HINDSIGHT: Verdict = { reachSamples: 320, afterSamples: -120, isLikely: false }

/** Two overlapping windows of 10 ms make the 15 ms that a decision rests on. */
const WINDOW_BLOCKS = 4
const DECISION_BLOCKS = 6
/** Decisions are tried twice per hop, 2.5 ms apart, or a tone of 15 ms might fill neither of two. */
const HALF_HOP_BLOCKS = HOP_SAMPLES / 2 / BLOCK_SAMPLES
/** 40 ms: a voice does not hold two tones for so long, a keypad does, however loud the voice beside it. */
const LONG_BLOCKS = 16
const LEVEL_DB_MIN = -58
// Senders and lines that are off by more than the standards allow are still read by a decoder that knows where to look.
const SHIFTS = [0, -0.018, 0.018, -0.034, 0.034]
const SHIFTED_FROM_PURITY = 0.25
const WINDOW_TABLES = new FitTables(WINDOW_BLOCKS, SHIFTS, LEVEL_DB_MIN)
const DECISION_TABLES = new FitTables(DECISION_BLOCKS, SHIFTS, LEVEL_DB_MIN)
const LONG_TABLES = new FitTables(LONG_BLOCKS, [0], LEVEL_DB_MIN)

/** From these on a window of 10 ms is suspect, and 15 ms made of two suspect windows are a detection. */
interface Thresholds {
  readonly windowTwistDb: number
  readonly purity: number
  readonly twistDb: number
  /** Detections that must follow one another at once. */
  readonly hops: number
}

const WINDOW_PURITY_MIN = 0.55
/** What begins out of a louder or equal sound is mostly speech: two detections are asked for. */
const WITHIN_SOUND: Thresholds = { windowTwistDb: 20, purity: 0.89, twistDb: 14.5, hops: 2 }
/** What stands out of the 20 ms before it is hardly ever speech. */
const AFTER_QUIET: Thresholds = { windowTwistDb: 22, purity: 0.8, twistDb: 15, hops: 1 }
/** Where keys were a moment ago there are more: half-drowned ones are taken as well. */
const ALERT: Thresholds = { windowTwistDb: 25, purity: 0.7, twistDb: 18, hops: 1 }
/** So clear that one detection is enough anywhere. */
const SURE_PURITY = 0.94
const LONG_PURITY = 0.56
const LONG_TWIST_DB = 13
/** What may be judged again 20 ms later, by how far it stood out of what was around it (`contrastDb`). */
const NOTED_PURITY = 0.4
const NOTED_TWIST_DB = 15
const HINDSIGHT_CONTRAST_DB_MIN = 5
const HINDSIGHT_CONTRAST_DB_MAX = 15
/** The further it stands out, the less pure it must be. */
const HINDSIGHT_PURITY = 0.91
const HINDSIGHT_PURITY_PER_DB = 0.02
/** While a key is awaited, 15 ms as loud as the voice over them are found; what hardly stands out must be a little purer. */
const AWAITED_CONTRAST_DB = 9
const AWAITED_PURITY_PER_DB = 0.015
const AWAITED_PURITY_MAX = 0.46
const AWAITED_LONG_PURITY = 0.36
const ALERT_HOPS = 200
/** What puts it on alert, and speech hardly ever has: two clear detections apart within a second, or one clear and long. */
const CLEAR_PURITY = 0.92
const HELD_PURITY = 0.94
const HELD_HOPS = 3
const APART_HOPS = 8
/** Quiet is 5 dB below: leaves room for noise 10 dB below a tone and a tone that begins a little early. */
const QUIET_RATIO = 0.316
const HOP_BLOCKS = HOP_SAMPLES / BLOCK_SAMPLES
const DECISION_HOPS = DECISION_BLOCKS / HOP_BLOCKS
const BEFORE_HOPS = 4
const REMEMBERED_HOPS = 8
const HINDSIGHT_HOPS = HINDSIGHT_BLOCKS / HOP_BLOCKS

/**
 * Could this audio carry a key? Permissive far outside the standards: a miss leaks card data, a false hit costs 85 ms of
 * speech (dtmf reference, 4 and 5). It shares no threshold with the reporter, and hears only the band of the tones.
 *
 * Beyond the reference: two suspect windows are judged once more as a whole, because 15 ms tell a weak second tone from
 * noise and speech from tones better than 10 ms do; the sound before them counts; and 40 ms that are half a pair of tones
 * are one, whatever the rest is. This pays for the shifted bases and for neighbouring pairs in a run.
 */
export class Masker {
  readonly #windowFit = new ToneFit(WINDOW_TABLES, SHIFTED_FROM_PURITY)
  readonly #decisionFit = new ToneFit(DECISION_TABLES, SHIFTED_FROM_PURITY)
  readonly #longFit = new ToneFit(LONG_TABLES, 1)
  /** Energy of each of the last hops, and how much of the window that ended there the best pair of tones explains. */
  readonly #energies = new Float64Array(REMEMBERED_HOPS)
  readonly #purities = new Float64Array(REMEMBERED_HOPS)
  /** The purest of the decisions at each of the last hops: 0 for none worth noting, its pair, and how long before the hop it ended. */
  readonly #notedPurity = new Float64Array(REMEMBERED_HOPS)
  readonly #notedPair = new Uint8Array(REMEMBERED_HOPS)
  readonly #notedAgo = new Uint8Array(REMEMBERED_HOPS)
  #hop = 0
  #lastPair = -1
  #lastTwistDb = 0
  #runHops = 0
  #runPurity = 0
  #isSure = false
  #clearAtHop = Number.NEGATIVE_INFINITY
  #alertUntilHop = Number.NEGATIVE_INFINITY

  /**
   * Judges what the bank heard last; each call is HOP_SAMPLES after the one before.
   * @param bank of the band of the tones (`ToneBand`)
   * @param isKeyAwaited true while the caller was asked for keys: then a suspicion is enough
   */
  judge(bank: ToneBank, isKeyAwaited: boolean): Verdict {
    this.#hop++
    this.#energies[this.#hop % REMEMBERED_HOPS] = energyOfHop(bank)
    const thresholds = this.#thresholds()
    const { pair, purity, twistDb } = this.#windowFit.fit(bank, 0, WINDOW_PURITY_MIN)
    this.#purities[this.#hop % REMEMBERED_HOPS] = purity
    const lastPair = this.#lastPair
    const lastTwistDb = this.#lastTwistDb
    this.#lastPair = purity > WINDOW_PURITY_MIN ? pair : -1
    this.#lastTwistDb = twistDb
    const isSuspect =
      areNeighbours(this.#lastPair, lastPair) &&
      Math.max(Math.abs(twistDb), Math.abs(lastTwistDb)) < thresholds.windowTwistDb
    const decided =
      isKeyAwaited || this.#lastPair !== -1 ? this.#decide(bank, isSuspect, thresholds) : this.#forgetNote()
    if (isSuspect && decided > 0) this.#confirm(decided, thresholds)
    else this.#forgetRun()
    if (this.#runHops >= thresholds.hops || this.#isSure) return this.#runHops > 1 ? LATER : FIRST
    const long = this.#judgeLong(bank, isKeyAwaited)
    return long === NOTHING ? this.#judgeAgain(bank, isKeyAwaited) : long
  }

  /** What a voice drowns for 15 ms may still stand out of 40. */
  #judgeLong(bank: ToneBank, isKeyAwaited: boolean): Verdict {
    const purityMin = isKeyAwaited ? AWAITED_LONG_PURITY : LONG_PURITY
    if (this.#longPurityMax() > purityMin) {
      const { purity, twistDb } = this.#longFit.fit(bank, 0, purityMin)
      if (purity > purityMin && Math.abs(twistDb) < LONG_TWIST_DB) return purity > LONG_PURITY ? LATER : SUSPICION
    }
    return NOTHING
  }

  /** What stood at the edge 20 ms ago, now that what followed is known: a voice goes on, a short tone does not. */
  #judgeAgain(bank: ToneBank, isKeyAwaited: boolean): Verdict {
    const then = (this.#hop - HINDSIGHT_HOPS + REMEMBERED_HOPS) % REMEMBERED_HOPS
    const purity = this.#notedPurity[then] as number
    if (purity <= NOTED_PURITY) return NOTHING
    const ago = HINDSIGHT_BLOCKS + (this.#notedAgo[then] as number)
    const contrast = contrastDb(bank, ago, this.#notedPair[then] as number)
    const purityMin = isKeyAwaited ? awaitedPurity(contrast) : hindsightPurity(contrast)
    return purity > purityMin ? IN_HINDSIGHT : NOTHING
  }

  /** No pair can explain more of 40 ms than the best pairs of its parts explain of these. */
  #longPurityMax(): number {
    let inside = 0
    let energy = 0
    for (let ago = 0; ago < LONG_BLOCKS / HOP_BLOCKS; ago += WINDOW_BLOCKS / HOP_BLOCKS) {
      const part = this.#energyOfHops(ago, WINDOW_BLOCKS / HOP_BLOCKS)
      inside += part * (this.#purities[(this.#hop - ago + REMEMBERED_HOPS) % REMEMBERED_HOPS] as number)
      energy += part
    }
    return energy === 0 ? 0 : inside / energy
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

  /** Tries 15 ms twice, 2.5 ms apart. @returns the purity of a detection, 0 for none */
  #decide(bank: ToneBank, isSuspect: boolean, thresholds: Thresholds): number {
    this.#forgetNote()
    const purity = this.#purityOf(bank, 0, thresholds)
    return purity === 0 && isSuspect ? this.#purityOf(bank, HALF_HOP_BLOCKS, thresholds) : purity
  }

  /** 0 when it is too low or the twist is too wide. */
  #purityOf(bank: ToneBank, ago: number, thresholds: Thresholds): number {
    const { pair, purity, twistDb } = this.#decisionFit.fit(bank, ago, NOTED_PURITY)
    const now = this.#hop % REMEMBERED_HOPS
    if (purity > Math.max(NOTED_PURITY, this.#notedPurity[now] as number) && Math.abs(twistDb) < NOTED_TWIST_DB) {
      this.#notedPurity[now] = purity
      this.#notedPair[now] = pair
      this.#notedAgo[now] = ago
    }
    return purity > thresholds.purity && Math.abs(twistDb) < thresholds.twistDb ? purity : 0
  }

  #forgetNote(): number {
    this.#notedPurity[this.#hop % REMEMBERED_HOPS] = 0
    return 0
  }

  #confirm(purity: number, thresholds: Thresholds): void {
    this.#runHops++
    if (this.#runHops === 1) this.#runPurity = 0
    if (purity > SURE_PURITY) this.#isSure = true
    this.#runPurity += (purity - this.#runPurity) / this.#runHops
    if (this.#runHops >= thresholds.hops || this.#isSure) this.#watch(purity)
  }

  #watch(purity: number): void {
    const sinceClear = this.#hop - this.#clearAtHop
    const isAnother = purity > CLEAR_PURITY && sinceClear > APART_HOPS && sinceClear < ALERT_HOPS
    const isHeld = this.#runHops >= HELD_HOPS && this.#runPurity > HELD_PURITY
    if (isAnother || isHeld) this.#alertUntilHop = this.#hop + ALERT_HOPS
    if (purity > CLEAR_PURITY) this.#clearAtHop = this.#hop
  }
}

function energyOfHop(bank: ToneBank): number {
  let energy = 0
  for (let ago = 0; ago < HOP_BLOCKS; ago++) energy += bank.energy[bank.slot(ago)] ?? 0
  return energy
}

/** How pure 15 ms must be by how far they stand out; what hardly does is never taken. */
function hindsightPurity(contrast: number): number {
  if (contrast < HINDSIGHT_CONTRAST_DB_MIN) return 1
  return HINDSIGHT_PURITY - HINDSIGHT_PURITY_PER_DB * Math.min(HINDSIGHT_CONTRAST_DB_MAX, contrast)
}

/** The same while a key is awaited: hardly any tone is not taken, and a tenth of speech is. */
function awaitedPurity(contrast: number): number {
  const purity = NOTED_PURITY + AWAITED_PURITY_PER_DB * (AWAITED_CONTRAST_DB - contrast)
  return Math.min(AWAITED_PURITY_MAX, Math.max(NOTED_PURITY, purity))
}

/** Noise may turn a weak tone into its neighbour: one tone of the pair must be the same. */
function areNeighbours(a: number, b: number): boolean {
  return a !== -1 && b !== -1 && (a >> 2 === b >> 2 || (a & 3) === (b & 3))
}
