/**
 * Lines that send every key twice: an event and, some hundred milliseconds later, a tone made from it. The second one is further
 * away than the carriages of one press ever are (`Presses`), and it carries the same key: only that it comes every time, at the
 * same distance, gives it away.
 * ```
 *           the evidence is beyond doubt (doubling-evidence.ts)      3 presses in a row without their double
 *   watching ────────────────────────────────────────────────▶ slow ─────────────────────────────────────────▶ watching
 *                                                              │ ▲
 *                                                              └─┘ the double of a press, at the distance
 *                                                                  learned: swallowed, one for one
 * ```
 * Since a double is swallowed only for a press that has none yet, a key that is pressed twice on a slow line, which is four
 * presses in all, is told twice. What other calls of the trunk have shown swallows nothing: this one has to show it again.
 *
 * Doubles in one and the same carriage, an event sent once more or a tone and its echo, are never swallowed: a hand can make the
 * same ones. They are counted, and are a reason for doubt.
 *
 * Sans-I/O; positions in samples of 8 kHz. Keys stay for a second, to be compared, and are wiped.
 */
import {
  type Doubling,
  LAG_SAMPLES_MAX,
  OtherCarriage,
  type Pair,
  type Proof,
  SameCarriage,
} from './doubling-evidence.ts'
import type { Carriage, KeyCode } from './key-codes.ts'
import { NO_PRESS, RecentPresses } from './recent-presses.ts'

/** How a line doubles: plain data, and what a trunk's next call expects. */
export interface SlowPattern {
  readonly first: Carriage
  readonly second: Carriage
  readonly lagMs: number
}

/**
 * What comes of it: plain data, and no key in it. `doubled`: a double was swallowed, or came in one carriage and is only counted;
 * where there are `places`, keys that had been told were doubles (counted back from the key told last, which is 0). `slow`: how
 * the line doubles; `normal`: no more.
 */
export type SlowNews =
  | { readonly type: 'doubled'; readonly places: readonly number[] }
  | { readonly type: 'slow'; readonly pattern: SlowPattern }
  | { readonly type: 'normal' }

const SAMPLES_PER_MS = 8
/** How far from the distance learned a double may be. */
const TOLERANCE_SAMPLES = 480
const LONELY_TO_END = 3
/** A tone is known so long after it began. */
const LATENCY_SAMPLES = 800
/** A press that has no twin by then has none: the skew of two carriages, and the latency. */
const TWIN_SAMPLES = 1_600
const KEY_KEPT_SAMPLES = LAG_SAMPLES_MAX + TOLERANCE_SAMPLES + LATENCY_SAMPLES + 320

export class SlowMode {
  readonly #tell: (news: SlowNews) => void
  readonly #presses = new RecentPresses()
  readonly #other = new OtherCarriage()
  readonly #same = new SameCarriage()
  #pattern: Doubling | undefined
  #expected: Doubling | undefined
  #told = 0
  #lonely = 0
  /** Presses that began until then have had their time to get a twin. */
  #heardTo = Number.NEGATIVE_INFINITY
  #isAnyUnheard = false

  constructor(tell: (news: SlowNews) => void) {
    this.#tell = tell
  }

  get isSlow(): boolean {
    return this.#pattern !== undefined
  }

  /** What other calls of the trunk have shown. Nothing is swallowed for it; this call needs less variety to show the same. */
  expect({ first, second, lagMs }: SlowPattern): void {
    this.#expectOf({ first, second, lagSamples: lagMs * SAMPLES_PER_MS })
  }

  /** A field that was keyed on this line was wrong, and nothing but pairs. */
  suspect(): void {
    this.#same.suspect()
  }

  /**
   * A press is certain, and nobody was told of it yet.
   * @returns `double` of another one: then it is nothing new; `in-pairs`: it is told, but every key has come twice for a while
   */
  arrives(key: KeyCode, carriage: Carriage, from: number): 'double' | 'in-pairs' | 'single' {
    if (this.explains(key, carriage, from)) return 'double'
    const slot = this.#presses.add(key, carriage, from)
    this.#isAnyUnheard = true
    const pairs = this.isSlow ? 0 : this.#same.hear(this.#presses, slot)
    for (let pair = 0; pair < pairs; pair++) this.#tell({ type: 'doubled', places: [] })
    return pairs > 0 ? 'in-pairs' : 'single'
  }

  /** A press that came before the line was known to be slow: whether it has turned out to be a double. */
  isKnownDouble(carriage: Carriage, from: number): boolean {
    const slot = this.#presses.at(carriage, from)
    return this.isSlow && slot !== NO_PRESS && this.#presses.roleOf(slot) === 'is-double'
  }

  /** A press whose key is not certain. @returns true when it is the double of one that was */
  explains(likely: KeyCode, carriage: Carriage, from: number): boolean {
    const isDouble = this.#takesAsDouble(likely, carriage, from)
    if (isDouble) this.#tell({ type: 'doubled', places: [] })
    return isDouble
  }

  /** Whether a press may be the late double of one in another carriage, on a line that is not known yet. */
  isLikelyDouble(key: KeyCode, carriage: Carriage, from: number): boolean {
    const others = (['in-band', 'event', 'info'] as const).filter((other) => other !== carriage)
    return others.some((other) => this.#presses.earlier(key, other, from, LAG_SAMPLES_MAX).length > 0)
  }

  /** This press was told just now. */
  told(carriage: Carriage, from: number): void {
    this.#told++
    const slot = this.#presses.at(carriage, from)
    if (slot !== NO_PRESS) this.#presses.setNumber(slot, this.#told)
  }

  /** Two presses in different carriages are taken for the same, and only one of them is told. */
  areTwins(carriage: Carriage, from: number, otherCarriage: Carriage, otherFrom: number): void {
    const [slot, other] = [this.#presses.at(carriage, from), this.#presses.at(otherCarriage, otherFrom)]
    if (slot === NO_PRESS || other === NO_PRESS) return
    this.#presses.setTwins(slot, other)
    if (!this.isSlow) return
    // On a slow line what is left has no double to wait for.
    this.#presses.setRole(slot, 'has-double')
    this.#presses.setRole(other, 'has-double')
  }

  /**
   * Forgets keys that can have no double any more, and leaves slow mode when doubles stay away.
   * @param now position that arrives now. @returns true when the line has shown just now that it is slow
   */
  settle(now: number): boolean {
    const wasSlow = this.isSlow
    if (!wasSlow) this.#hearThoseLeftAlone(now - TWIN_SAMPLES)
    const hasBecomeSlow = !wasSlow && this.isSlow
    const pattern = this.#pattern ?? this.#expected
    if (pattern !== undefined) {
      const waits = pattern.lagSamples + TOLERANCE_SAMPLES + LATENCY_SAMPLES
      this.#presses.olderThan(now - waits, (slot) => this.#noteAlone(slot, pattern))
    }
    this.#presses.olderThan(now - KEY_KEPT_SAMPLES, (slot) => this.#presses.forgetKey(slot))
    this.#same.settle(now)
    this.#other.settle(now)
    return hasBecomeSlow
  }

  /** Another timeline begins, or none does any more: what is known of the line stays. */
  forgetPresses(): void {
    this.#presses.forget()
    this.#other.forget()
    this.#same.forget()
    this.#told = 0
    this.#heardTo = Number.NEGATIVE_INFINITY
  }

  #takesAsDouble(key: KeyCode, carriage: Carriage, from: number): boolean {
    const pattern = this.#pattern
    if (pattern?.second !== carriage) return false
    const { first, lagSamples } = pattern
    const original = this.#presses.nearest(key, first, from, lagSamples, TOLERANCE_SAMPLES)
    if (original === NO_PRESS) return false
    this.#presses.setRole(original, 'has-double')
    const lag = from - this.#presses.fromOf(original)
    this.#pattern = { ...pattern, lagSamples: 0.75 * lagSamples + 0.25 * lag }
    this.#lonely = 0
    return true
  }

  /** Only a press that no other carriage brings at its own time has something to say about later ones. */
  #hearThoseLeftAlone(before: number): void {
    if (!this.#isAnyUnheard) return
    this.#isAnyUnheard = this.#presses.fromOf(this.#presses.latest) > before
    const slots = this.#presses.between(this.#heardTo, before)
    this.#heardTo = before
    for (const slot of slots) {
      const proof = this.#presses.twinOf(slot) === NO_PRESS ? this.#other.hear(this.#presses, slot) : undefined
      if (proof !== undefined) return this.#becomeSlow(proof)
    }
  }

  #noteAlone(slot: number, pattern: Doubling): void {
    if (this.#presses.roleOf(slot) !== 'single' || this.#presses.carriageOf(slot) !== pattern.first) return
    if (!this.isSlow && this.#hasLater(slot, pattern)) return
    this.#presses.setRole(slot, 'lonely')
    if (++this.#lonely < LONELY_TO_END) return
    this.#pattern = undefined
    this.#expectOf(undefined)
    this.#lonely = 0
    this.#tell({ type: 'normal' })
  }

  /** Whether a press has what may be its double, on a line that has not shown yet that it doubles. */
  #hasLater(slot: number, { second, lagSamples }: Doubling): boolean {
    const latest = this.#presses.fromOf(slot) + lagSamples + TOLERANCE_SAMPLES
    return this.#presses.earlier(this.#presses.keyOf(slot), second, latest, 2 * TOLERANCE_SAMPLES).length > 0
  }

  #expectOf(doubling: Doubling | undefined): void {
    this.#expected = doubling
    this.#other.expect(doubling)
  }

  /** The doubles that were told before the line was known are taken back. */
  #becomeSlow({ pairs, ...doubling }: Proof): void {
    const { first, second, lagSamples } = doubling
    const presses = this.#presses
    this.#pattern = doubling
    this.#lonely = 0
    this.#other.forget()
    this.#same.forget()
    const last = pairs.at(-1)
    if (last !== undefined) presses.settleBefore(presses.fromOf(last.original))
    const places: number[] = []
    for (const { original, double } of [...pairs, ...this.#pairsSince(last?.double)]) {
      presses.setRole(original, 'has-double')
      presses.setRole(double, 'is-double')
      const number = presses.numberOf(double)
      if (number > 0 && !this.#standsForAnother(double)) places.push(this.#told - number)
    }
    if (places.length > 0) this.#tell({ type: 'doubled', places })
    this.#tell({ type: 'slow', pattern: { first, second, lagMs: Math.round(lagSamples / SAMPLES_PER_MS) } })
  }

  /** Doubles that came while the last ones of the proof were waited for. */
  #pairsSince(double: number | undefined): Pair[] {
    const pattern = this.#pattern
    if (pattern === undefined || double === undefined) return []
    const presses = this.#presses
    const later = presses.between(presses.fromOf(double), Number.POSITIVE_INFINITY)
    return later.flatMap((slot) => {
      if (presses.carriageOf(slot) !== pattern.second) return []
      const [key, from] = [presses.keyOf(slot), presses.fromOf(slot)]
      const original = presses.nearest(key, pattern.first, from, pattern.lagSamples, TOLERANCE_SAMPLES)
      return original === NO_PRESS ? [] : [{ original, double: slot }]
    })
  }

  /** A double that was told in place of another press, which came at the same time by chance: what was told is right. */
  #standsForAnother(slot: number): boolean {
    const twin = this.#presses.twinOf(slot)
    return twin !== NO_PRESS && this.#presses.numberOf(twin) === 0
  }
}
