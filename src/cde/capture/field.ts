/**
 * One field of a capture while a caller keys it.
 *
 *            request                 first digit                rules hold
 *   idle ──────────────▶ requested ──────────────▶ collecting ──────────────▶ valid
 *                         │  ▲ ▲                     │ │                        │
 *                         │  │ └───── clear key ─────┘ │ a rule is broken,      │ recheck, told key
 *     first-digit timer   │  │ request                 │ timer                  │ in doubt
 *                         ▼  │                         ▼                        ▼
 *                        error ◀────────────────────────────────────────────────
 *
 *   from every state: reset → idle, request → requested. Both wipe, and so does every way into error.
 *
 * A field ends by the end key, by reaching the only length it can have, or by a pause after something acceptable.
 *
 * An uncertain key (`doubt`) leaves the field collecting, so that the rest of what the caller keys does not go astray, but
 * wipes what it holds: it can only end in error(uncertain-key), at its end key, its length or its pause. Out of it lead what
 * wipes anyway: the caller's clear key, and the agent's request or reset.
 *
 * Inputs that change nothing: the end or clear key before the first digit (left over from the field before, which
 * completed itself), keys A–D, and every key while the field is idle, valid or in error.
 */
import { captureLimits } from '../../lib/limits.ts'
import type { Brand, FieldReport } from '../../wall/messages.ts'
import type { CaptureSettings, FieldSettings } from '../../wall/settings.ts'
import type { Doubt, KeyCode } from '../dtmf/key-codes.ts'
import { type AllocateStore, Digits } from './digits.ts'
import type { YearMonth } from './expiry.ts'
import { brokenRule, type FieldError, knownBrand, lengthsOf } from './rules.ts'

export type FieldState = FieldReport['state']

const keyCodes: Readonly<Record<'*' | '#', KeyCode>> = { '*': 10, '#': 11 }

const PAIRED_DIGITS_MIN = 6

const predecessors: Readonly<Record<FieldState, readonly FieldState[]>> = {
  idle: ['requested', 'collecting', 'valid', 'error'],
  requested: ['idle', 'requested', 'collecting', 'valid', 'error'],
  collecting: ['requested', 'collecting'],
  // From requested only when one digit is the whole field.
  valid: ['requested', 'collecting'],
  error: ['requested', 'collecting', 'valid'],
}

export interface FieldOptions {
  readonly settings: FieldSettings
  readonly capture: Pick<CaptureSettings, 'endKey' | 'clearKey' | 'firstDigitMs' | 'betweenDigitsMs'>
  readonly today: () => YearMonth
  /** The brand of the capture's card number once that is valid; decides the length of a security code. */
  readonly cardBrand: () => Brand | undefined
  readonly allocate?: AllocateStore | undefined
  /** Called after every change that an agent may see. */
  readonly changed: (field: Field) => void
  /** A rule is broken, and what was keyed is nothing but pairs. */
  readonly onPairs: () => void
}

export class Field {
  readonly #options: FieldOptions
  #digits: Digits
  #state: FieldState = 'idle'
  /** Digits keyed, those beyond the longest length included: they are counted, not kept. */
  #count = 0
  #tooLong = false
  #expected: number | undefined
  #brand: Brand | undefined
  #lastFour: string | undefined
  #error: FieldError | undefined
  #uncertain: FieldReport['uncertain']
  #timerAtMs: number | undefined

  constructor(options: FieldOptions) {
    this.#options = options
    this.#digits = new Digits(options.allocate)
  }

  get name(): string {
    return this.#options.settings.name
  }

  get kind(): FieldSettings['kind'] {
    return this.#options.settings.kind
  }

  get state(): FieldState {
    return this.#state
  }

  /** True while keys belong to this field. */
  get open(): boolean {
    return this.#state === 'requested' || this.#state === 'collecting'
  }

  /** Of a card number: as soon as the prefix decides it. */
  get brand(): Brand | undefined {
    return this.#brand
  }

  /** Of a valid card number. */
  get lastFour(): string | undefined {
    return this.#lastFour
  }

  nextWakeAtMs(): number | undefined {
    return this.#timerAtMs
  }

  /** What the agent may see of this field. */
  report(captureId: string): FieldReport {
    return {
      type: 'field',
      captureId,
      field: this.name,
      state: this.#state,
      count: this.#count,
      ...(this.#expected === undefined ? {} : { expected: this.#expected }),
      ...(this.#brand === undefined ? {} : { brand: this.#brand }),
      ...(this.#lastFour === undefined ? {} : { lastFour: this.#lastFour }),
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(this.#uncertain === undefined ? {} : { uncertain: this.#uncertain }),
    }
  }

  /** Asks the caller for this field, afresh. */
  request(nowMs: number): void {
    this.wipe()
    this.#waitForFirstDigit(nowMs)
  }

  /** Back to idle; what was keyed is gone. */
  reset(): void {
    this.wipe()
    if (this.#state !== 'idle') this.#to('idle')
  }

  /** A key that belongs to this field: only while it is open. */
  key(key: KeyCode, nowMs: number): void {
    if (!this.open) return
    if (isDigit(key)) this.#digit(key, nowMs)
    else if (this.#state === 'requested') return
    else if (key === keyCodes[this.#options.capture.endKey]) this.#end(brokenRuleWord)
    else if (key === keyCodes[this.#options.capture.clearKey]) this.request(nowMs)
  }

  /** One key of this field was not clear, or is not any more: nothing that it holds is of use. */
  doubt({ why, wasTold, isLatest }: Doubt, nowMs: number): void {
    if (this.#state === 'valid') return this.#fail('uncertain-key')
    if (!this.open || (wasTold && this.#count === 0)) return
    this.#digits.wipe()
    if (!wasTold) this.#count = Math.min(this.#count + 1, captureLimits.digitsPerFieldMax)
    this.#uncertain ??= { why, ...(isLatest ? { at: this.#count } : {}) }
    this.#goOnCounting(nowMs)
  }

  /**
   * Keys that were taken in turn out to be doubles that the line made.
   * @param places counted back from the digit keyed last, which is 0; all of them digits of this field
   */
  takeBack(places: readonly number[], nowMs: number): void {
    if (!this.open) return
    if (this.#uncertain !== undefined || this.#tooLong) {
      return this.doubt({ why: 'doubled', wasTold: true, isLatest: false }, nowMs)
    }
    const count = this.#count
    // From the latest on, so that the places of the others stay what they are.
    for (const place of places.toSorted((a, b) => a - b)) this.#digits.removeAt(count - 1 - place)
    this.#count -= places.length
    this.#goOnCounting(nowMs)
  }

  /** A security code that was keyed before the card: judged again now that the brand is known. */
  recheck(): void {
    if (this.#state !== 'valid') return
    const broken = this.#brokenRule()
    if (broken) this.#fail(broken)
  }

  wake(nowMs: number): void {
    if (this.#timerAtMs === undefined || nowMs < this.#timerAtMs) return
    if (this.#state === 'requested') this.#fail('first-digit-timeout')
    // A pause after something acceptable is as good as the end key; after less, the pause is what went wrong.
    else this.#end((broken) => (broken === 'too-short' ? 'between-digits-timeout' : broken))
  }

  /** Hands the digits of a valid field over; their new owner wipes them. */
  take(): Digits {
    if (this.#state !== 'valid') throw new Error(`illegal: digits taken from a field that is ${this.#state}`)
    const taken = this.#digits
    this.#digits = new Digits(this.#options.allocate)
    return taken
  }

  /** Overwrites what was keyed and forgets what was said of it; the state stays. */
  wipe(): void {
    this.#digits.wipe()
    this.#count = 0
    this.#tooLong = false
    this.#expected = undefined
    this.#brand = undefined
    this.#lastFour = undefined
    this.#error = undefined
    this.#uncertain = undefined
    this.#timerAtMs = undefined
  }

  #waitForFirstDigit(nowMs: number): void {
    this.#setTimer(this.#options.capture.firstDigitMs, nowMs)
    this.#learn()
    this.#to('requested')
  }

  #digit(digit: number, nowMs: number): void {
    const { max } = this.#digits.reveal((digits) => this.#lengths(digits))
    if (this.#uncertain === undefined && this.#count < max) this.#digits.push(digit)
    else this.#tooLong = true
    this.#count = Math.min(this.#count + 1, captureLimits.digitsPerFieldMax)
    this.#goOnCounting(nowMs)
  }

  #goOnCounting(nowMs: number): void {
    this.#setTimer(this.#options.capture.betweenDigitsMs, nowMs)
    const usual = this.#learn()
    // One report per key: a field that completes itself is reported as valid or in error, with its full count.
    if (usual !== undefined && this.#count >= usual) this.#end(brokenRuleWord)
    else this.#to('collecting')
  }

  /** Brand and expected length from what has been keyed so far. @returns the length that completes the field by itself */
  #learn(): number | undefined {
    // What was known before an uncertain key is all that will be known.
    if (this.#uncertain !== undefined) return this.#expected
    return this.#digits.reveal((digits) => {
      if (this.kind === 'cardNumber') this.#brand = knownBrand(digits)
      this.#expected = this.#lengths(digits).usual
      return this.#expected
    })
  }

  #end(word: (broken: FieldError) => FieldError): void {
    const broken = this.#brokenRule()
    if (broken) {
      if (this.#digits.reveal(arePairs)) this.#options.onPairs()
      return this.#fail(word(broken))
    }
    this.#timerAtMs = undefined
    if (this.kind === 'cardNumber') this.#lastFour = this.#digits.reveal(lastFourOf)
    this.#to('valid')
  }

  /** The count stays for the agent to see how far the caller came; the digits do not. */
  #fail(error: FieldError): void {
    const count = this.#count
    const expected = this.#expected
    this.wipe()
    this.#count = count
    this.#expected = expected
    this.#error = error
    this.#to('error')
  }

  #brokenRule(): FieldError | undefined {
    const { settings, today, cardBrand } = this.#options
    if (this.#uncertain !== undefined) return 'uncertain-key'
    return this.#digits.reveal((digits) => {
      if (this.#tooLong) return 'too-long'
      return brokenRule(settings, digits, { today: today(), cardBrand: cardBrand() })
    })
  }

  #lengths(digits: Uint8Array): ReturnType<typeof lengthsOf> {
    return lengthsOf(this.#options.settings, digits, this.#options.cardBrand())
  }

  #setTimer(delayMs: number, nowMs: number): void {
    this.#timerAtMs = delayMs === 0 ? undefined : nowMs + delayMs
  }

  #to(next: FieldState): void {
    if (!predecessors[next].includes(this.#state)) throw new Error(`illegal: field ${this.#state} to ${next}`)
    this.#state = next
    this.#options.changed(this)
  }
}

export function isDigit(key: KeyCode): boolean {
  return Number.isInteger(key) && key >= 0 && key <= 9
}

const brokenRuleWord = (broken: FieldError): FieldError => broken

/** Six digits and more, each twice: no card and no number of this length that is right is likely to look so. */
function arePairs(digits: Uint8Array): boolean {
  if (digits.length < PAIRED_DIGITS_MIN || digits.length % 2 !== 0) return false
  return digits.every((digit, i) => digit === digits[i ^ 1])
}

/** The last four digits, the most of a card number that ever becomes a string. */
function lastFourOf(digits: Uint8Array): string {
  return String.fromCharCode(...digits.subarray(-4).map((digit) => digit + 48))
}
