import { captureLimits } from '../../lib/limits.ts'
import type { Report } from '../../wall/messages.ts'
import type { CaptureSettings, FieldSettings } from '../../wall/settings.ts'
import type { Doubt, KeyCode } from '../dtmf/key-codes.ts'
import { Capture, type CaptureMode, type Refusal } from './capture.ts'
import type { CardData } from './card-data.ts'
import type { AllocateStore } from './digits.ts'
import type { YearMonth } from './expiry.ts'

export interface CaptureStart {
  readonly captureId: string
  readonly callId: string
  /** Names of configured fields, each once, in the order in which the caller is asked. */
  readonly fields: readonly string[]
  readonly mode: CaptureMode
}

export interface CapturesOptions {
  readonly settings: CaptureSettings
  /** The month it is, in the card's calendar. */
  readonly today: () => YearMonth
  /** Called at once, in order. Reports carry no digit. */
  readonly report: (report: Report) => void
  /** What was keyed for a field was wrong, and nothing but pairs of keys: the call's line may send each twice. */
  readonly onPairs?: (callId: string) => void
  readonly allocate?: AllocateStore
}

/**
 * All captures of this CDE, one per call at most. Sans-I/O: `nowMs` is the monotonic clock's, timers are asked for by
 * `nextWakeAtMs` and fired by `wake`. Orders that name an unknown or closed capture are counted and otherwise ignored:
 * the report that closed it is already on its way to control.
 */
export class Captures {
  readonly #options: CapturesOptions
  readonly #fields: ReadonlyMap<string, FieldSettings>
  readonly #byId = new Map<string, Capture>()
  readonly #byCall = new Map<string, Capture>()
  readonly #closedIds = new Set<string>()
  #keysDropped = 0
  #ordersIgnored = 0

  constructor(options: CapturesOptions) {
    this.#options = options
    this.#fields = new Map(options.settings.fields.map((field) => [field.name, field]))
  }

  /** Reports `capture-started`, or `capture-refused` with CAPTURE_EXISTS, FIELD_UNKNOWN or TOO_MANY. */
  start(order: CaptureStart, nowMs: number): void {
    const fields = this.#chosen(order.fields)
    const refusal = this.#refusal(order, fields)
    if (refusal !== undefined || !fields) {
      const code = refusal ?? 'FIELD_UNKNOWN'
      return this.#options.report({ type: 'capture-refused', captureId: order.captureId, code })
    }
    const { settings, today, report, allocate } = this.#options
    const { captureId, callId, mode } = order
    const onPairs = () => this.#options.onPairs?.(callId)
    const options = { captureId, callId, mode, fields, settings, today, report, onPairs, allocate }
    const capture = new Capture(options, nowMs)
    this.#byId.set(captureId, capture)
    this.#byCall.set(callId, capture)
  }

  request(captureId: string, field: string, nowMs: number): void {
    this.#countIgnored(this.#byId.get(captureId)?.request(field, nowMs))
  }

  /** Clears one field, or all when `field` is undefined. */
  reset(captureId: string, field: string | undefined, nowMs: number): void {
    this.#countIgnored(this.#byId.get(captureId)?.reset(field, nowMs))
  }

  /** Ignored while the gateway is being asked: the charge cannot be called back. */
  cancel(captureId: string, _nowMs?: number): void {
    this.#countIgnored(this.#byId.get(captureId)?.cancel())
    this.#forgetClosed(captureId)
  }

  /**
   * The only way in for digits. A digit that no field asked for is dropped and reported as `keys-dropped`, each for
   * itself (`count` 1: add them up). Keys of a call without a capture are none of our business.
   */
  key(callId: string, key: KeyCode, nowMs: number): void {
    const capture = this.#byCall.get(callId)
    if (!capture || capture.key(key, nowMs)) return
    this.#keysDropped += 1
    this.#options.report({ type: 'keys-dropped', callId, count: 1 })
  }

  /** A key of this call was not clear, or contradicted after it was taken in: its field says so and cannot become valid. */
  doubt(callId: string, doubt: Doubt, nowMs: number): void {
    this.#byCall.get(callId)?.doubt(doubt, nowMs)
  }

  /** Keys of this call turn out to be doubles that its line made. @param places counted back from its latest key, which is 0 */
  doubled(callId: string, places: readonly number[], nowMs: number): void {
    this.#byCall.get(callId)?.doubled(places, nowMs)
  }

  callEnded(callId: string, _nowMs?: number): void {
    this.#closeOf(callId, 'call-ended')
  }

  /** The mask of this call cannot be relied on: nothing more is taken in. */
  maskFailed(callId: string, _nowMs?: number): void {
    this.#closeOf(callId, 'mask-failed')
  }

  /**
   * Moves the digits of a complete capture out, or says why not. Pass them to a connector at once, then call `finish`
   * when it has answered; until then the capture stays open, so that the call stays armed.
   */
  submit(captureId: string): CardData | Refusal {
    const capture = this.#byId.get(captureId)
    if (capture) return capture.submit()
    return this.#closedIds.has(captureId) ? 'CAPTURE_CLOSED' : 'CAPTURE_UNKNOWN'
  }

  /** The gateway has answered, whatever it said: the card is wiped and the capture closes as `submitted`. */
  finish(captureId: string): void {
    this.#countIgnored(this.#byId.get(captureId)?.finish())
    this.#forgetClosed(captureId)
  }

  wake(nowMs: number): void {
    for (const [captureId, capture] of this.#byId) {
      capture.wake(nowMs)
      this.#forgetClosed(captureId)
    }
  }

  nextWakeAtMs(): number | undefined {
    let earliestMs: number | undefined
    for (const capture of this.#byId.values()) {
      const atMs = capture.nextWakeAtMs()
      if (atMs !== undefined && (earliestMs === undefined || atMs < earliestMs)) earliestMs = atMs
    }
    return earliestMs
  }

  /** The capture for whose sake the call is armed; a call is armed while this is defined. */
  openCaptureOf(callId: string): string | undefined {
    return this.#byCall.get(callId)?.captureId
  }

  counters(): Readonly<Record<string, number>> {
    return { capture_keys_dropped: this.#keysDropped, capture_orders_ignored: this.#ordersIgnored }
  }

  #refusal(order: CaptureStart, fields: readonly FieldSettings[] | undefined): Refusal | undefined {
    if (this.#byCall.has(order.callId) || this.#byId.has(order.captureId)) return 'CAPTURE_EXISTS'
    if (this.#closedIds.has(order.captureId)) return 'CAPTURE_EXISTS'
    if (!fields) return 'FIELD_UNKNOWN'
    return this.#byId.size >= captureLimits.capturesMax ? 'TOO_MANY' : undefined
  }

  /** The settings of the fields named, or undefined when one is not configured, named twice or a second of its kind. */
  #chosen(names: readonly string[]): readonly FieldSettings[] | undefined {
    const fields = names.map((name) => this.#fields.get(name)).filter((field) => field !== undefined)
    const single = fields.filter((field) => field.kind !== 'number').map((field) => field.kind)
    if (fields.length === 0 || fields.length !== names.length) return undefined
    if (new Set(names).size !== names.length || new Set(single).size !== single.length) return undefined
    return fields
  }

  #closeOf(callId: string, reason: 'call-ended' | 'mask-failed'): void {
    const capture = this.#byCall.get(callId)
    if (!capture) return
    capture.close(reason)
    this.#forgetClosed(capture.captureId)
  }

  /** Ids of closed captures are remembered for a while, so that a late order is told apart from a wrong one. */
  #forgetClosed(captureId: string): void {
    const capture = this.#byId.get(captureId)
    if (!capture?.closed) return
    this.#byId.delete(captureId)
    this.#byCall.delete(capture.callId)
    this.#closedIds.add(captureId)
    if (this.#closedIds.size <= captureLimits.closedRememberedMax) return
    for (const oldest of this.#closedIds) {
      this.#closedIds.delete(oldest)
      break
    }
  }

  #countIgnored(done: boolean | undefined): void {
    if (!done) this.#ordersIgnored += 1
  }
}
