import { type RandomBytes, randomUnit } from '../../lib/random.ts'
import type { Outcome, QueryOutcome, ReverseOutcome } from '../../wall/messages.ts'

interface Entry {
  readonly amountMinor: number
  readonly approved: boolean
  readonly processedAtMs: number
  /** The gateway's own search finds it only from then on. */
  readonly visibleAtMs: number
  reversedAtMs: number
}

export interface Faults {
  /**
   * The lag that we are told. The gateway keeps to it badly: a charge may come one and a half times as late, and be found after twice
   * the lag; a reversal that seems to fail may take effect as late.
   */
  readonly lagMs: number
  /** Share of charges that come far later than anything promised; their answer always gets through in the end. */
  readonly veryLate: number
  /** Share of requests that never arrive, of answers that never come back, of declines. */
  readonly lost: number
  readonly unanswered: number
  readonly declined: number
  /** Share of queries and reversals that fail; half of such reversals take effect all the same. */
  readonly unavailable: number
}

/** A gateway with a ledger, slow and unreliable in every way that the reference page lists. All its choices come from the seed. */
export class ModelGateway {
  readonly #random: RandomBytes
  readonly #faults: Faults
  readonly #ledger = new Map<string, Entry>()

  constructor(random: RandomBytes, faults: Faults) {
    this.#random = random
    this.#faults = faults
  }

  #happens(share: number): boolean {
    return randomUnit(this.#random) < share
  }

  #upTo(ms: number): number {
    return Math.floor(randomUnit(this.#random) * ms)
  }

  /** @returns the answer and when it is there, or undefined when none will come; `insists` on getting through */
  charge(
    reference: string,
    amountMinor: number,
    nowMs: number,
  ): { atMs: number; outcome: Outcome; insists: boolean } | undefined {
    const { lagMs, lost, declined, unanswered, veryLate } = this.#faults
    if (this.#happens(lost)) return undefined
    if (this.#ledger.has(reference)) throw new Error('the same reference was charged twice')
    const insists = this.#happens(veryLate)
    const processedAtMs = nowMs + (insists ? 3 * lagMs + this.#upTo(7 * lagMs) : this.#upTo(1.5 * lagMs))
    const visibleAtMs = processedAtMs + this.#upTo(lagMs / 2)
    const approved = !this.#happens(declined)
    this.#ledger.set(reference, {
      amountMinor,
      approved,
      processedAtMs,
      visibleAtMs,
      reversedAtMs: Number.POSITIVE_INFINITY,
    })
    if (!insists && this.#happens(unanswered)) return undefined
    return { atMs: processedAtMs, outcome: outcomeOf(approved, amountMinor), insists }
  }

  query(reference: string, nowMs: number): QueryOutcome {
    if (this.#happens(this.#faults.unavailable)) return { kind: 'unavailable' }
    const entry = this.#ledger.get(reference)
    if (entry === undefined || entry.visibleAtMs > nowMs) return { kind: 'not-found' }
    return {
      kind: 'found',
      outcome: outcomeOf(entry.approved, entry.amountMinor),
      reversed: entry.reversedAtMs <= nowMs,
    }
  }

  reverse(reference: string, nowMs: number): ReverseOutcome {
    const entry = this.#ledger.get(reference)
    const fails = this.#happens(this.#faults.unavailable)
    const effectAtMs = fails ? nowMs + this.#upTo(2 * this.#faults.lagMs) : nowMs
    const works = !fails || this.#happens(0.5)
    const there = entry !== undefined && entry.approved && entry.processedAtMs <= effectAtMs
    if (there && works) entry.reversedAtMs = Math.min(entry.reversedAtMs, effectAtMs)
    if (fails) return 'unavailable'
    return there ? 'reversed' : 'nothing-to-reverse'
  }

  /** Whether, in the end, the card holder has paid and has not got it back. */
  holds(reference: string): boolean {
    const entry = this.#ledger.get(reference)
    return entry !== undefined && entry.approved && entry.reversedAtMs === Number.POSITIVE_INFINITY
  }
}

function outcomeOf(approved: boolean, amountMinor: number): Outcome {
  return approved
    ? { kind: 'approved', gatewayId: 'gw', captured: true, amountMinor }
    : { kind: 'declined', code: 'card_declined', advice: 'other_card' }
}
