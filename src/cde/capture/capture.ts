/**
 * One collection of fields on one call.
 *
 *   open ──── submit ────▶ submitting ──── finish (the gateway has answered) ────▶ closed: submitted
 *    │                         │
 *    └─── cancel, whole-capture timer ───▶ closed: cancelled, timed-out
 *    └─────────────────────────┴─── call ended, mask failed ───▶ closed: call-ended, mask-failed
 *
 * Every way into closed wipes. Inputs ignored while submitting: request, reset, cancel and the timer, because a charge
 * under way cannot be called back by them; keys are dropped and reported.
 *
 * One field at most is open. In mode `field` the agent requests each one. In mode `continuous` the first field that is
 * not valid is requested by itself: at the start, when a field has become valid, after an error (at most
 * `captureLimits.automaticRequestsMax` times per field, then the agent must ask) and after a reset.
 */
import { captureLimits } from '../../lib/limits.ts'
import type { captureCloseReasons, Report, refusals } from '../../wall/messages.ts'
import type { CaptureSettings, FieldSettings } from '../../wall/settings.ts'
import type { Doubt, KeyCode } from '../dtmf/key-codes.ts'
import type { CardData } from './card-data.ts'
import { wipeCard } from './card-data.ts'
import type { AllocateStore } from './digits.ts'
import type { YearMonth } from './expiry.ts'
import { Field, isDigit } from './field.ts'

export type CaptureMode = 'field' | 'continuous'
export type CloseReason = (typeof captureCloseReasons)[number]
export type Refusal = (typeof refusals)[number]

export interface CaptureOptions {
  readonly captureId: string
  readonly callId: string
  readonly mode: CaptureMode
  /** In the order in which the caller is asked for them. At most one each of card number, expiry and security code. */
  readonly fields: readonly FieldSettings[]
  readonly settings: CaptureSettings
  readonly today: () => YearMonth
  readonly report: (report: Report) => void
  readonly onPairs: () => void
  readonly allocate?: AllocateStore | undefined
}

export class Capture {
  readonly captureId: string
  readonly callId: string
  readonly #mode: CaptureMode
  readonly #fields: readonly Field[]
  readonly #report: (report: Report) => void
  readonly #timeoutAtMs: number | undefined
  readonly #automaticRequests = new Map<Field, number>()
  #state: 'open' | 'submitting' | 'closed' = 'open'
  #submitted: CardData | undefined
  /** How many of the latest keys, without a gap, are digits of the field that is open. */
  #keysInField = 0
  /** The field that the last key went to, though it may have completed itself since. */
  #lastKeyed: Field | undefined

  constructor(options: CaptureOptions, nowMs: number) {
    this.captureId = options.captureId
    this.callId = options.callId
    this.#mode = options.mode
    this.#report = options.report
    this.#timeoutAtMs = options.settings.captureMs === 0 ? undefined : nowMs + options.settings.captureMs
    this.#fields = options.fields.map(
      (settings) =>
        new Field({
          settings,
          capture: options.settings,
          today: options.today,
          allocate: options.allocate,
          cardBrand: () => this.#cardBrand(),
          changed: (field) => this.#report(field.report(this.captureId)),
          onPairs: options.onPairs,
        }),
    )
    this.#report({ type: 'capture-started', captureId: this.captureId })
    this.#goOn(nowMs)
  }

  get closed(): boolean {
    return this.#state === 'closed'
  }

  /** The agent asks for a field. A field that is open gives way; valid ones keep what they have. @returns false when ignored */
  request(name: string, nowMs: number): boolean {
    const field = this.#fields.find((candidate) => candidate.name === name)
    if (this.#state !== 'open' || !field) return false
    this.#automaticRequests.delete(field)
    this.#lastKeyed = undefined
    this.#keysInField = 0
    if (!field.open) this.#openField()?.reset()
    field.request(nowMs)
    return true
  }

  /** The agent clears one field, or all. @returns false when ignored */
  reset(name: string | undefined, nowMs: number): boolean {
    const fields = name === undefined ? this.#fields : this.#fields.filter((field) => field.name === name)
    if (this.#state !== 'open' || fields.length === 0) return false
    for (const field of fields) {
      this.#automaticRequests.delete(field)
      field.reset()
    }
    this.#keysInField = 0
    this.#goOn(nowMs)
    return true
  }

  /** A key of the caller. @returns false when it was a digit that nothing had asked for */
  key(key: KeyCode, nowMs: number): boolean {
    const field = this.#openField()
    this.#lastKeyed = field
    if (this.#state !== 'open' || !field) {
      this.#keysInField = 0
      return !isDigit(key)
    }
    field.key(key, nowMs)
    this.#keysInField = field.open && isDigit(key) ? this.#keysInField + 1 : 0
    this.#afterChange(field, nowMs)
    return true
  }

  /**
   * Keys that were taken in turn out to be doubles that the line made. In the field that is open they are taken back; in one
   * that ended with them, nothing can be put right any more.
   * @param places counted back from the latest key of the call, which is 0
   */
  doubled(places: readonly number[], nowMs: number): void {
    const field = this.#openField()
    if (this.#state !== 'open' || places.length === 0) return
    if (!field || places.some((place) => place >= this.#keysInField)) {
      return this.doubt({ why: 'doubled', wasTold: true, isLatest: false }, nowMs)
    }
    this.#keysInField -= places.length
    field.takeBack(places, nowMs)
    this.#afterChange(field, nowMs)
  }

  /**
   * A key was not clear. When one was taken in for it, or a later one was told, the field of the latest key is hit, even if it
   * was complete; otherwise the field that is open. What came while nothing was asked for is nobody's.
   */
  doubt(doubt: Doubt, nowMs: number): void {
    const isOfLast = (doubt.wasTold || !doubt.isLatest) && this.#lastKeyed?.state === 'valid'
    const field = isOfLast ? this.#lastKeyed : this.#openField()
    if (this.#state !== 'open' || !field) return
    // In one go, the next field may have been asked for already; it is asked for again when its turn comes.
    if (!field.open) this.#openField()?.reset()
    field.doubt(doubt, nowMs)
    this.#afterChange(field, nowMs)
  }

  wake(nowMs: number): void {
    if (this.#state !== 'open') return
    if (this.#timeoutAtMs !== undefined && nowMs >= this.#timeoutAtMs) return this.close('timed-out')
    const field = this.#openField()
    if (!field) return
    field.wake(nowMs)
    this.#afterChange(field, nowMs)
  }

  nextWakeAtMs(): number | undefined {
    if (this.#state !== 'open') return undefined
    const fieldAtMs = this.#openField()?.nextWakeAtMs()
    if (fieldAtMs === undefined || this.#timeoutAtMs === undefined) return fieldAtMs ?? this.#timeoutAtMs
    return Math.min(fieldAtMs, this.#timeoutAtMs)
  }

  /** Moves the digits out. They belong to the connector from here on; `close` wipes them once more as a net. */
  submit(): CardData | Refusal {
    if (this.#state !== 'open') return 'CAPTURE_CLOSED'
    const number = this.#ofKind('cardNumber')
    const expiry = this.#ofKind('expiry')
    const incomplete = this.#fields.some((field) => field.state !== 'valid')
    if (incomplete || !expiry || !number?.brand || number.lastFour === undefined) return 'FIELD_MISSING'
    const securityCode = this.#ofKind('securityCode')?.take()
    const extra = this.#fields
      .filter((field) => field.kind === 'number')
      .map((field) => [field.name, field.take()] as const)
    this.#state = 'submitting'
    this.#submitted = {
      cardNumber: number.take(),
      expiry: expiry.take(),
      ...(securityCode ? { securityCode } : {}),
      brand: number.brand,
      lastFour: number.lastFour,
      ...(extra.length > 0 ? { extra: new Map(extra) } : {}),
    }
    return this.#submitted
  }

  /** Cancels, unless a charge is under way. @returns false when ignored */
  cancel(): boolean {
    if (this.#state !== 'open') return false
    this.close('cancelled')
    return true
  }

  /** The gateway has answered, whatever it said. @returns false when ignored */
  finish(): boolean {
    if (this.#state !== 'submitting') return false
    if (this.#submitted) wipeCard(this.#submitted)
    this.close('submitted')
    return true
  }

  /**
   * Ends the capture, wipes every field and says why. A card whose charge is under way is left to the connector, which
   * wipes it as soon as the request is written: half a card must not be sent because the caller hung up.
   */
  close(reason: CloseReason): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#submitted = undefined
    for (const field of this.#fields) field.wipe()
    this.#report({ type: 'capture-closed', captureId: this.captureId, reason })
  }

  #afterChange(field: Field, nowMs: number): void {
    if (field.kind === 'cardNumber' && field.state === 'valid') this.#ofKind('securityCode')?.recheck()
    this.#goOn(nowMs)
  }

  /** Continuous mode: asks for the first field that is not valid, unless one is open or has failed too often. */
  #goOn(nowMs: number): void {
    if (this.#mode !== 'continuous' || this.#openField()) return
    const next = this.#fields.find((field) => field.state !== 'valid')
    if (!next) return
    if (next.state === 'error') {
      const requests = this.#automaticRequests.get(next) ?? 0
      if (requests >= captureLimits.automaticRequestsMax) return
      this.#automaticRequests.set(next, requests + 1)
    }
    this.#keysInField = 0
    next.request(nowMs)
  }

  #openField(): Field | undefined {
    return this.#fields.find((field) => field.open)
  }

  #ofKind(kind: FieldSettings['kind']): Field | undefined {
    return this.#fields.find((field) => field.kind === kind)
  }

  #cardBrand(): CardData['brand'] | undefined {
    const number = this.#ofKind('cardNumber')
    return number?.state === 'valid' ? number.brand : undefined
  }
}
