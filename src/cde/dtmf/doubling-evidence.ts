/** What gives away a line that sends every key twice. Two judges look at distances; one can be certain, the other cannot. */
import { secretOctets } from '../media/srtp/secret-octets.ts'
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
/** How far from the distance that other calls have shown it is the same one. */
const EXPECTED_LAG_SAMPLES = 480
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
  readonly #keys = secretOctets(CARRIAGES.length).fill(NO_KEY)
  #expected: Doubling | undefined

  /** What other calls of the trunk have shown: presses of one key agree with that distance no longer by chance. */
  expect(doubling: Doubling | undefined): void {
    this.#expected = doubling
  }

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
    if (best === undefined || best.pairs.length < HITS_TO_PROVE) return undefined
    if (best.changes < CHANGES_TO_PROVE && !this.#isExpected(best)) return undefined
    if (!areAlone(presses, best) || !comeInTurn(presses, best)) return undefined
    return { first: best.first, second: best.second, lagSamples: best.lag, pairs: best.pairs }
  }

  #isExpected({ first, second, lag }: Hypothesis): boolean {
    const expected = this.#expected
    if (expected?.first !== first || expected.second !== second) return false
    return Math.abs(lag - expected.lagSamples) <= EXPECTED_LAG_SAMPLES
  }
}

/**
 * The latest ones have no twin among them, and no press without a double: a line that sends both carriages as it should, and
 * loses one of them now and then, has.
 */
function areAlone(presses: RecentPresses, { first, second, pairs: all, to }: Hypothesis): boolean {
  const pairs = all.slice(-HITS_TO_PROVE)
  const since = presses.fromOf(pairs[0]?.original ?? NO_PRESS) - 1
  const lastOriginal = presses.fromOf(pairs.at(-1)?.original ?? NO_PRESS)
  const slots = presses.between(since, to)
  const isAnyTwin = slots.some((slot) => presses.carriageOf(slot) === second && presses.twinOf(slot) !== NO_PRESS)
  const originals = slots.filter((slot) => presses.carriageOf(slot) === first && presses.fromOf(slot) <= lastOriginal)
  return !isAnyTwin && originals.length === pairs.length
}

/** A caller whose keys take another carriage from some key on repeats himself, too; but nothing more comes in the first one. */
function comeInTurn(presses: RecentPresses, { first, pairs }: Hypothesis): boolean {
  const since = presses.fromOf(pairs[0]?.double ?? NO_PRESS)
  return presses.between(since, Number.POSITIVE_INFINITY).some((slot) => presses.carriageOf(slot) === first)
}

/** The same key in the same carriage after more than this is no echo. */
const OWN_LAG_SAMPLES_MAX = 4_800
const OWN_SPREAD_SAMPLES = 120
/** By how much the way to the next pair must differ from the one inside a pair: a hand that keeps its time makes no pairs. */
const RHYTHM_SAMPLES_MIN = 320
const PAIRS = 4
const CHANGES = 3
/** The next pair comes before that, or the count begins anew. */
const PAUSE_SAMPLES_MAX = 24_000

/** Pairs one after another, all with the same distance inside and another one between them, and no key alone. */
interface Pairs {
  readonly carriage: Carriage
  count: number
  /** Where the latest one ended. */
  to: number
  lagMin: number
  lagMax: number
  /** How often the key was another one than that of the pair before. */
  changes: number
}

/**
 * Doubles in the same carriage: an event that comes again, a tone and its echo. No number of pairs proves them: somebody who
 * keys 44 33 22 11 makes the same ones. They are a reason to ask again, slowly, and none to take a key back.
 */
export class SameCarriage {
  /** Of the latest pair. */
  readonly #key = secretOctets(1).fill(NO_KEY)
  #pairs: Pairs | undefined
  #isSuspected = false

  /** What was keyed before was nothing but pairs, and wrong: from now on pairs of one key count too, until a key comes alone. */
  suspect(): void {
    this.#isSuspected = true
  }

  /** A press has come; it is in `presses`. @returns how many pairs came in a row, once that is odd; otherwise 0 */
  hear(presses: RecentPresses, slot: number): number {
    const carriage = presses.carriageOf(slot)
    const before = presses.before(slot)
    if (before === NO_PRESS || presses.roleOf(before) === 'is-double') return 0
    const lag = presses.fromOf(slot) - presses.fromOf(before)
    if (presses.keyOf(slot) !== presses.keyOf(before) || lag > OWN_LAG_SAMPLES_MAX) {
      // The one before stays alone.
      if (this.#pairs?.carriage === carriage) {
        this.forget()
        this.#isSuspected = false
      }
      return 0
    }
    presses.setRole(before, 'has-double')
    presses.setRole(slot, 'is-double')
    const { count, changes } = this.#count(presses, before, slot)
    if (count < PAIRS || (changes < CHANGES && !this.#isSuspected)) return 0
    this.forget()
    return count
  }

  settle(now: number): void {
    if (this.#pairs !== undefined && now - this.#pairs.to > PAUSE_SAMPLES_MAX) this.forget()
  }

  forget(): void {
    this.#pairs = undefined
    this.#key.fill(NO_KEY)
  }

  #count(presses: RecentPresses, original: number, double: number): Pairs {
    const carriage = presses.carriageOf(double)
    const [from, to] = [presses.fromOf(original), presses.fromOf(double)]
    const lag = to - from
    const isSameKey = presses.keyOf(double) === this.#key[0]
    this.#key[0] = presses.keyOf(double)
    const known = this.#pairs
    const lagMin = Math.min(known?.lagMin ?? lag, lag)
    const lagMax = Math.max(known?.lagMax ?? lag, lag)
    // In 4444 3333 every second pair follows in the time of the keys inside: those are four keys and four keys.
    const isOffBeat = known === undefined || Math.abs(from - known.to - lag) >= RHYTHM_SAMPLES_MIN
    const goesOn = known?.carriage === carriage && lagMax - lagMin <= OWN_SPREAD_SAMPLES && isOffBeat
    this.#pairs = goesOn
      ? { carriage, count: known.count + 1, to, lagMin, lagMax, changes: known.changes + (isSameKey ? 0 : 1) }
      : { carriage, count: 1, to, lagMin: lag, lagMax: lag, changes: 0 }
    return this.#pairs
  }
}
