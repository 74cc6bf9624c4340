/** Captures as the API orders them: checked against what control knows, then sent to the CDE, which has the last word. */
import type { Principal } from '../access/principal.ts'
import { maySee } from '../access/scope.ts'
import type { Clock } from '../../lib/clock.ts'
import { type ErrorCode, TonewallError } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { controlLimits } from '../../lib/limits.ts'
import type { RandomBytes } from '../../lib/random.ts'
import type { Order } from '../../wall/messages.ts'
import type { CdePort } from '../../wall/port.ts'
import type { MaskPolicy } from '../../wall/settings.ts'
import { callById } from '../store/calls.ts'
import type { Events } from '../events.ts'
import { captureById, countCapturesOf, insertCapture, liveCaptureOf, type StoredCapture } from '../store/captures.ts'
import type { Db, Store } from '../store/open.ts'
import type { Timers } from '../timers.ts'
import { recordNotStarted } from './record.ts'

export interface NewCapture {
  readonly callId: string
  readonly fields: readonly string[]
  readonly mode: 'field' | 'continuous'
  readonly maskPolicy?: MaskPolicy | undefined
}

type StartAnswer = 'started' | ErrorCode

export class Captures {
  readonly #store: Store
  readonly #events: Events
  readonly #port: CdePort
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #random: RandomBytes
  /** API calls that wait for the CDE's word on a new capture, by its id. */
  readonly #waiting = new Map<string, (answer: StartAnswer) => void>()

  constructor(options: {
    store: Store
    events: Events
    port: CdePort
    clock: Clock
    timers: Timers
    random: RandomBytes
  }) {
    this.#store = options.store
    this.#events = options.events
    this.#port = options.port
    this.#clock = options.clock
    this.#timers = options.timers
    this.#random = options.random
  }

  /**
   * Starts a capture and waits for the CDE to confirm it.
   * @throws TonewallError CALL_UNKNOWN, CALL_ENDED, CALL_NOT_ANSWERED, CAPTURE_EXISTS, TOO_MANY, CDE_DOWN, or the CDE's refusal
   */
  async start(principal: Principal, wanted: NewCapture): Promise<StoredCapture> {
    const captureId = newId(this.#random)
    await this.#store.transact(async ({ db }) => this.#insert(db, principal, captureId, wanted))
    const answer = await this.#ask({
      type: 'capture-start',
      captureId,
      callId: wanted.callId,
      fields: [...wanted.fields],
      mode: wanted.mode,
      ...(wanted.maskPolicy === undefined ? {} : { maskPolicy: wanted.maskPolicy }),
    })
    if (answer !== 'started') {
      await this.#store.transact((tx) => recordNotStarted(tx, this.#events, captureId, this.#clock.wallMs()))
      throw new TonewallError(answer)
    }
    return this.find(this.#store.db, principal, captureId)
  }

  async #insert(db: Db, principal: Principal, captureId: string, wanted: NewCapture): Promise<void> {
    const call = await callById(db, wanted.callId)
    if (call === undefined || !maySee(principal, { ...call, call_id: call.id })) throw new TonewallError('CALL_UNKNOWN')
    if (call.state === 'ended') throw new TonewallError('CALL_ENDED')
    if (call.state === 'ringing') throw new TonewallError('CALL_NOT_ANSWERED')
    const live = await liveCaptureOf(db, call.id)
    if (live !== undefined) throw new TonewallError('CAPTURE_EXISTS', { captureId: live.id })
    if ((await countCapturesOf(db, call.id)) >= controlLimits.capturesPerCallMax) throw new TonewallError('TOO_MANY')
    if (!this.#port.up) throw new TonewallError('CDE_DOWN')
    const capture = {
      id: captureId,
      merchant_id: call.merchant_id,
      call_id: call.id,
      mode: wanted.mode,
      state: 'starting' as const,
      close_reason: null,
      created_at_ms: this.#clock.wallMs(),
      closed_at_ms: null,
      secured: 0 as const,
    }
    await insertCapture(db, capture, wanted.fields)
  }

  #ask(order: Extract<Order, { type: 'capture-start' }>): Promise<StartAnswer> {
    const { captureId } = order
    return new Promise((resolve) => {
      const stopTimer = this.#timers.after(controlLimits.captureStartMs, () => {
        // The CDE may still start it: the cancel travels behind the order, so nothing stays open that nobody asked for.
        this.#port.send({ type: 'capture-cancel', captureId })
        this.settle(captureId, 'CDE_DOWN')
      })
      this.#waiting.set(captureId, (answer) => {
        stopTimer()
        resolve(answer)
      })
      if (!this.#port.send(order)) this.settle(captureId, 'CDE_DOWN')
    })
  }

  /** The CDE's word on a capture that was being started; unknown ids are nobody's. */
  settle(captureId: string, answer: StartAnswer): void {
    const waiter = this.#waiting.get(captureId)
    this.#waiting.delete(captureId)
    waiter?.(answer)
  }

  /** The CDE is gone: nobody waits any longer. */
  settleAllLost(): void {
    for (const captureId of this.#waiting.keys()) this.settle(captureId, 'CDE_DOWN')
  }

  /** @throws TonewallError CAPTURE_UNKNOWN */
  async find(db: Db, principal: Principal, captureId: string): Promise<StoredCapture> {
    const stored = await captureById(db, captureId)
    if (stored === undefined || !maySee(principal, stored.capture)) throw new TonewallError('CAPTURE_UNKNOWN')
    return stored
  }

  /** @throws TonewallError CAPTURE_UNKNOWN, CAPTURE_CLOSED, FIELD_UNKNOWN, CDE_DOWN */
  async requestField(principal: Principal, captureId: string, field: string): Promise<StoredCapture> {
    return this.#order(principal, { type: 'field-request', captureId, field })
  }

  /** Resets one field, or all of them. @throws as `requestField` */
  async reset(principal: Principal, captureId: string, field: string | undefined): Promise<StoredCapture> {
    return this.#order(principal, { type: 'field-reset', captureId, ...(field !== undefined && { field }) })
  }

  /** @throws TonewallError CAPTURE_UNKNOWN, CAPTURE_CLOSED, CDE_DOWN */
  async cancel(principal: Principal, captureId: string): Promise<StoredCapture> {
    return this.#order(principal, { type: 'capture-cancel', captureId })
  }

  async #order(
    principal: Principal,
    order: Extract<Order, { type: 'field-request' | 'field-reset' | 'capture-cancel' }>,
  ): Promise<StoredCapture> {
    const stored = await this.find(this.#store.db, principal, order.captureId)
    if (stored.capture.state === 'closed') throw new TonewallError('CAPTURE_CLOSED')
    const field = 'field' in order ? order.field : undefined
    if (field !== undefined && !stored.fields.some(({ name }) => name === field)) {
      throw new TonewallError('FIELD_UNKNOWN')
    }
    if (!this.#port.up || !this.#port.send(order)) throw new TonewallError('CDE_DOWN')
    return stored
  }
}
