import type { UncertainReason } from '../../wall/messages.ts'
import { ToneTurns } from './tone-turns.ts'

/** Windows of 12.5 ms, one every 5 ms, of which 70 % are tone: 20 ms of tone never give four of them. */
const HITS_TO_DOUBT = 4
/** Those in which a rival or the edge was seen are worth less: 40 ms of tone give seven. */
const DOUBTFUL_HITS_TO_DOUBT = 7
/** A legal interruption of 10 ms costs at most four windows. */
const MISSES_TO_END = 5
/** A tone that goes on is told then, not at its end: 100 ms. */
const HITS_TO_TELL = 20
const WINDOW_SAMPLES = 100
const HOP_SAMPLES = 40

/**
 * What was surely a press though no key of it is certain: windows of one pair in a row of which the reporter made no press.
 * ```
 *   idle ──window of a pair, certain or not──▶ run ──5 windows of no pair, or of another one──▶ idle: judged
 *                                               │ ▲
 *                                  a press ─────┘ └───── judged early after 100 ms, once
 * ```
 * A run in which the reporter sees a press is that press, and is forgotten.
 */
export class DoubtfulRun {
  readonly #errorMax: number
  readonly #tell: (why: UncertainReason, pair: number, from: number, to: number) => void
  readonly #turns = new ToneTurns(HOP_SAMPLES)
  #pair = -1
  #from = 0
  #to = 0
  #certainHits = 0
  #doubtfulHits = 0
  #misses = 0
  /** A press was seen in this run, or it has been told. */
  #isSettled = false
  #why: UncertainReason = 'too-short'

  /** @param errorMax beyond this share of its frequency a tone is no key's. @param tell `from` and `to` are the outer windows' */
  constructor(errorMax: number, tell: (why: UncertainReason, pair: number, from: number, to: number) => void) {
    this.#errorMax = errorMax
    this.#tell = tell
  }

  /**
   * @param pair of the window, -1 for none. @param doubt why it is not certain, undefined when it is
   * @param pressed the pair that the reporter has as pressed, -1 for none. @param from the window's first sample. @param re, im its correlations with the eight tones
   */
  hear(
    pair: number,
    doubt: UncertainReason | undefined,
    pressed: number,
    from: number,
    re: Float64Array,
    im: Float64Array,
  ): void {
    if (pair === -1) {
      if (this.#pair !== -1 && ++this.#misses >= MISSES_TO_END) this.#end()
      return
    }
    if (pair !== this.#pair && !(doubt === 'too-near' && this.#isNear(pair))) {
      this.#end()
      this.#pair = pair
      this.#from = from
      this.#turns.begin(pair, re, im)
    } else if (this.#misses > 0 || pair !== this.#pair) this.#turns.begin(this.#pair, re, im)
    else this.#turns.next(pair, re, im)
    this.#misses = 0
    if (pressed === this.#pair) this.#isSettled = true
    this.#to = from + WINDOW_SAMPLES
    if (doubt === undefined) this.#certainHits++
    else {
      this.#doubtfulHits++
      this.#why = doubt
    }
    if (this.#certainHits + this.#doubtfulHits >= HITS_TO_TELL) this.#judge()
  }

  wipe(): void {
    this.#pair = -1
    this.#certainHits = 0
    this.#doubtfulHits = 0
    this.#misses = 0
    this.#isSettled = false
  }

  /** Of two keys at once, now one and now the other is the stronger; they have a tone in common. */
  #isNear(pair: number): boolean {
    return this.#pair !== -1 && (pair >> 2 === this.#pair >> 2 || (pair & 3) === (this.#pair & 3))
  }

  #end(): void {
    if (this.#pair !== -1) this.#judge()
    this.wipe()
  }

  #judge(): void {
    const isPress =
      this.#certainHits >= HITS_TO_DOUBT || this.#certainHits + this.#doubtfulHits >= DOUBTFUL_HITS_TO_DOUBT
    const why = this.#reason()
    // Tones so near to one another pull at each other's phases: their frequencies cannot be judged.
    const isOnFrequency = why === 'too-near' || this.#turns.errorOf(this.#pair) <= this.#errorMax
    if (this.#isSettled || !isPress || !isOnFrequency) return
    this.#isSettled = true
    this.#tell(why, this.#pair, this.#from, this.#to)
  }

  #reason(): UncertainReason {
    if (this.#doubtfulHits > this.#certainHits) return this.#why
    // Enough certain windows for a key: then it was the frequency that was not.
    return this.#certainHits > HITS_TO_DOUBT ? 'at-the-edge' : 'too-short'
  }
}
