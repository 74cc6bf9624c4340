/**
 * What each trunk does to keys: counted for reports, and how it doubles them remembered for its next call. A trunk is, for now,
 * one of our numbers and the host that its calls come from. There are at most `callLimits.trunksMax`; those beyond it are
 * counted together, as `other`, because a host is whatever sends us SIP. A row begins with a trunk's first key, not with its
 * first INVITE.
 */
import { isIP } from 'node:net'
import { callLimits } from '../../lib/limits.ts'
import type { TrunkReport, UncertainReason } from '../../wall/messages.ts'
import type { SlowNews, SlowPattern } from '../dtmf/slow-mode.ts'

const OTHER = 'other'
/** Two calls whose doubles are as far apart show the same. */
const SAME_LAG_MS = 60
/** Too little came of such a press, or not in the way agreed on; of the others all came, and it was not clear. */
const lostReasons: ReadonlySet<UncertainReason> = new Set(['too-short', 'not-negotiated'])

export class Trunk {
  readonly number: string
  readonly source: string
  #reported = 0
  #lost = 0
  #doubled = 0
  #uncertain = 0
  #isSlow = false
  #shown: SlowPattern | undefined
  /** The call that showed it first. */
  #shownBy = ''
  #isKnown = false

  constructor(number: string, source: string) {
    this.number = number
    this.source = source
  }

  /** How it doubles keys, once two calls have shown the same: what its next call expects. */
  get pattern(): SlowPattern | undefined {
    return this.#isKnown ? this.#shown : undefined
  }

  reported(): void {
    this.#reported++
  }

  /** Keys came faster than fingers make them, and were not told. */
  tooFast(): void {
    this.#lost++
  }

  unclear(why: UncertainReason): void {
    if (lostReasons.has(why)) this.#lost++
    else this.#uncertain++
  }

  /** @param callId of the call that has shown it */
  slowNews(callId: string, news: SlowNews): void {
    if (news.type === 'doubled') {
      this.#doubled += Math.max(1, news.places.length)
      return
    }
    this.#isSlow = news.type === 'slow'
    // What is summed up as `other` has no pattern in common.
    if (this.source !== OTHER) this.#learn(callId, news.type === 'slow' ? news.pattern : undefined)
  }

  report(): TrunkReport {
    const { number, source } = this
    return {
      number,
      source,
      reported: this.#reported,
      lost: this.#lost,
      doubled: this.#doubled,
      uncertain: this.#uncertain,
      slow: this.#isSlow,
    }
  }

  #learn(callId: string, pattern: SlowPattern | undefined): void {
    const isSame = pattern !== undefined && this.#shown !== undefined && areAlike(this.#shown, pattern)
    this.#isKnown = isSame && (this.#isKnown || callId !== this.#shownBy)
    if (!isSame) this.#shownBy = callId
    this.#shown = pattern
  }
}

function areAlike(a: SlowPattern, b: SlowPattern): boolean {
  return a.first === b.first && a.second === b.second && Math.abs(a.lagMs - b.lagMs) <= SAME_LAG_MS
}

export class Trunks {
  readonly #rows = new Map<string, Trunk>()

  /** The trunk of a call to `number` whose signalling comes from `host`; made if absent. */
  of(number: string, host: string): Trunk {
    // An address of any version, without the zone that a link-local one may have.
    const source = host.split('%')[0] ?? ''
    const known = this.known(number, host)
    if (known !== undefined) return known
    if (isIP(source) === 0 || this.#rows.size >= callLimits.trunksMax) return this.#row(OTHER, OTHER)
    return this.#row(number, source)
  }

  /** Like `of`, but makes none. */
  known(number: string, host: string): Trunk | undefined {
    return this.#rows.get(`${number} ${host.split('%')[0] ?? ''}`)
  }

  reports(): TrunkReport[] {
    return [...this.#rows.values()].map((trunk) => trunk.report())
  }

  #row(number: string, source: string): Trunk {
    const name = `${number} ${source}`
    const trunk = this.#rows.get(name) ?? new Trunk(number, source)
    this.#rows.set(name, trunk)
    return trunk
  }
}
