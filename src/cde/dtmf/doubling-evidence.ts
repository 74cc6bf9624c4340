/** What gives away a line that sends every key twice. Two judges, for two kinds of line; both look at distances. */
import { type Carriage, NO_KEY } from './key-codes.ts'
import { NO_PRESS, type RecentPresses } from './recent-presses.ts'

/** How a line doubles. */
export interface Doubling {
  readonly first: Carriage
  readonly second: Carriage
  /** From the beginning of a press to that of its double. */
  readonly lagSamples: number
}

/** That it does, and the pairs that say so. */
export interface Proof extends Doubling {
  readonly pairs: readonly Pair[]
}

export interface Pair {
  readonly original: number
  readonly double: number
}

const CARRIAGES: readonly Carriage[] = ['in-band', 'event', 'info']
export const LAG_SAMPLES_MAX = 6_400
const SAME_LAG_SAMPLES = 240
const HYPOTHESES_MAX = 16
const HITS_TO_PROVE = 3
/** Among them: equal keys one after another agree with far too much. */
const CHANGES_TO_PROVE = 2
/** What three presses in a row say is said within this time, or it is forgotten. */
const REMEMBERED_SAMPLES = 48_000

interface Hypothesis {
  readonly first: Carriage
  readonly second: Carriage
  readonly lag: number
  /** The slots of all that agreed, the last one ending at `to`. */
  readonly pairs: readonly Pair[]
  readonly to: number
  /** How often the key was another one than before. */
  readonly changes: number
}

/**
 * Doubles in another carriage: the second carriage says what the first one said, later than two carriages of one press do. Each
 * press votes for all distances at which its key came before in another carriage; on such a line one distance has the vote of
 * all, whatever the keys are.
 */
export class OtherCarriage {
  #hypotheses: Hypothesis[] = []
  /** Of the press heard last, by carriage. */
  readonly #keys = new Uint8Array(CARRIAGES.length).fill(NO_KEY)

  /** A press has come that has no twin; it is in `presses`. @returns how the line doubles, once three in a row say so */
  hear(presses: RecentPresses, slot: number): Proof | undefined {
    const second = presses.carriageOf(slot)
    const kept = this.#hypotheses.filter((hypothesis) => hypothesis.second !== second)
    for (const first of CARRIAGES) {
      if (first !== second) kept.push(...this.#heard(presses, slot, first))
    }
    this.#hypotheses = kept.slice(-HYPOTHESES_MAX)
    this.#keys[CARRIAGES.indexOf(second)] = presses.keyOf(slot)
    return this.#proven(presses)
  }

  /** @param now nothing that was heard before it matters any more, once it is old enough */
  settle(now: number): void {
    if (this.#hypotheses.every(({ to }) => now - to > REMEMBERED_SAMPLES)) this.forget()
  }

  forget(): void {
    this.#hypotheses = []
    this.#keys.fill(NO_KEY)
  }

  /** The hypotheses that this press agrees with, and the new ones that it makes. */
  #heard(presses: RecentPresses, slot: number, first: Carriage): Hypothesis[] {
    const second = presses.carriageOf(slot)
    const from = presses.fromOf(slot)
    const hasChanged = this.#keys[CARRIAGES.indexOf(second)] !== presses.keyOf(slot)
    const known = this.#hypotheses.filter(
      (each) => each.first === first && each.second === second && from - each.to <= REMEMBERED_SAMPLES,
    )
    return presses.earlier(presses.keyOf(slot), first, from, LAG_SAMPLES_MAX).map((original) => {
      const lag = from - presses.fromOf(original)
      const near = known.find((each) => Math.abs(each.lag - lag) <= SAME_LAG_SAMPLES)
      const pairs = near?.pairs ?? []
      const mean = near === undefined ? lag : (near.lag * pairs.length + lag) / (pairs.length + 1)
      const changes = (near?.changes ?? 0) + (near !== undefined && hasChanged ? 1 : 0)
      return { first, second, lag: mean, pairs: [...pairs, { original, double: slot }], to: from, changes }
    })
  }

  #proven(presses: RecentPresses): Proof | undefined {
    let best: Hypothesis | undefined
    for (const each of this.#hypotheses) {
      // A repeated key agrees with many distances; the nearest one needs no other explanation than two carriages.
      const more = each.pairs.length - (best?.pairs.length ?? 0)
      if (best === undefined || more > 0 || (more === 0 && each.lag < best.lag)) best = each
    }
    if (best === undefined || best.pairs.length < HITS_TO_PROVE || best.changes < CHANGES_TO_PROVE) return undefined
    if (!areMostAlone(presses, best)) return undefined
    return { first: best.first, second: best.second, lagSamples: best.lag, pairs: best.pairs }
  }
}

/** On a line that sends both carriages as it should, a press without a twin is the exception. */
function areMostAlone(presses: RecentPresses, { second, pairs, to }: Hypothesis): boolean {
  const since = presses.fromOf(pairs[0]?.double ?? NO_PRESS) - 1
  const withTwin = presses
    .between(since, to)
    .filter((slot) => presses.carriageOf(slot) === second && presses.twinOf(slot) !== NO_PRESS)
  return withTwin.length < pairs.length
}

/** The same key in the same carriage after more than this is no echo. */
const OWN_LAG_SAMPLES_MAX = 4_800
const OWN_SPREAD_SAMPLES = 120
/** By how much the way to the next pair must differ from the one inside a pair: a hand that keeps its time makes no pairs. */
const RHYTHM_SAMPLES_MIN = 320
/** Eleven in a second: no finger presses the same key as fast. */
const FINGER_SAMPLES_MIN = 720
const FAST_PAIRS = 3
const PAIRS = 4
const CHANGES = 3
/** Whatever the rhythm: no hand has so many keys to press twice, at one distance, and none once. */
const MANY_PAIRS = 6
const MANY_CHANGES = 4
/** Of a line on which a whole field was pairs: then two more are enough, whatever their keys and rhythm. */
const SUSPECTED_PAIRS = 2
/** The next pair comes before that, or the count begins anew. */
const PAUSE_SAMPLES_MAX = 24_000

interface Pairs {
  readonly carriage: Carriage
  readonly list: Pair[]
  lagMin: number
  lagMax: number
  /** Those that came at another distance from the pair before than lies inside a pair. */
  offBeat: number
  /** How often the key was another one than that of the pair before. */
  changes: number
}

/**
 * Doubles in the same carriage. A hand that keys 5555 makes pairs too; what no hand makes is pairs of different keys, one after
 * another, none alone between them, all with the same distance, and that another one than from pair to pair.
 */
export class SameCarriage {
  /** Of the latest pair. */
  readonly #key = Uint8Array.of(NO_KEY)
  #pairs: Pairs | undefined
  #isSuspected = false

  /** What was keyed before was nothing but pairs, and wrong. Counts until a key comes alone. */
  suspect(): void {
    this.#isSuspected = true
  }

  /** A press has come; it is in `presses`. @returns how the line doubles, once it is beyond doubt */
  hear(presses: RecentPresses, slot: number): Proof | undefined {
    const carriage = presses.carriageOf(slot)
    const before = presses.before(slot)
    if (before === NO_PRESS || presses.roleOf(before) === 'is-double') return undefined
    const lag = presses.fromOf(slot) - presses.fromOf(before)
    if (presses.keyOf(slot) !== presses.keyOf(before) || lag > OWN_LAG_SAMPLES_MAX) {
      // The one before stays alone.
      if (this.#pairs?.carriage === carriage) {
        this.forget()
        this.#isSuspected = false
      }
      return undefined
    }
    presses.setRole(before, 'has-double')
    presses.setRole(slot, 'is-double')
    this.#count(presses, { original: before, double: slot }, lag)
    return this.#proven()
  }

  settle(presses: RecentPresses, now: number): void {
    const latest = this.#pairs?.list.at(-1)
    if (latest !== undefined && now - presses.fromOf(latest.double) > PAUSE_SAMPLES_MAX) this.forget()
  }

  forget(): void {
    this.#pairs = undefined
    this.#key.fill(NO_KEY)
  }

  #count(presses: RecentPresses, pair: Pair, lag: number): void {
    const carriage = presses.carriageOf(pair.double)
    const isSameKey = presses.keyOf(pair.double) === this.#key[0]
    this.#key[0] = presses.keyOf(pair.double)
    const known = this.#pairs
    const spread = known === undefined ? 0 : Math.max(known.lagMax, lag) - Math.min(known.lagMin, lag)
    if (known?.carriage !== carriage || spread > OWN_SPREAD_SAMPLES) {
      this.#pairs = { carriage, list: [pair], lagMin: lag, lagMax: lag, offBeat: 1, changes: 0 }
      return
    }
    const between = presses.fromOf(pair.original) - presses.fromOf(known.list.at(-1)?.double ?? NO_PRESS)
    known.lagMin = Math.min(known.lagMin, lag)
    known.lagMax = Math.max(known.lagMax, lag)
    if (Math.abs(between - lag) >= RHYTHM_SAMPLES_MIN) known.offBeat++
    if (!isSameKey) known.changes++
    known.list.push(pair)
  }

  #proven(): Proof | undefined {
    if (this.#pairs === undefined) return undefined
    const { carriage, list, lagMin, lagMax, offBeat, changes } = this.#pairs
    const isFast = lagMax < FINGER_SAMPLES_MIN && offBeat >= FAST_PAIRS
    const isSlow = offBeat >= PAIRS && changes >= CHANGES
    const isMany = list.length >= MANY_PAIRS && changes >= MANY_CHANGES
    const isAgain = this.#isSuspected && list.length >= SUSPECTED_PAIRS
    if (!isFast && !isSlow && !isMany && !isAgain) return undefined
    this.#isSuspected = false
    return { first: carriage, second: carriage, lagSamples: (lagMin + lagMax) / 2, pairs: list }
  }
}
