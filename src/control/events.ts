/**
 * Every business event has one function here: it writes the event's row in the caller's transaction and, once that is committed,
 * the log line, the counter and the word to the live streams (STYLE rule 20). Nothing here ever holds a digit of a card.
 */
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { UncertainReason } from '../wall/messages.ts'
import type { CallQualityView } from './calls/quality.ts'
import type { CallView, CaptureView, FieldView } from './calls/views.ts'
import type { Metrics } from './metrics.ts'
import type { PaymentView } from './payments/view.ts'
import { appendEvent, type NewEvent } from './store/events.ts'
import type { Tx } from './store/open.ts'
import type { EventRow } from './store/schema.ts'

/** A call's or capture's place: whose it is, and which call. */
export interface Place {
  readonly merchant: string
  readonly callId: string
}

export interface Verdict {
  readonly result: string
  readonly reason: string
}

/** Which key of which field was not clear, and why; `at` counts from 1 and is missing when it is not known. */
export type UncertainKey = {
  readonly captureId: string
  readonly field: string
  readonly why: UncertainReason
  readonly at?: number | undefined
}

export class Events {
  readonly #clock: Clock
  readonly #log: Log
  readonly metrics: Metrics
  readonly #readers = new Set<(row: EventRow) => void>()
  #lastSeq: number

  /** @param lastSeq the number of the newest event in the store */
  constructor(options: { clock: Clock; log: Log; metrics: Metrics; lastSeq: number }) {
    this.#clock = options.clock
    this.#log = options.log
    this.metrics = options.metrics
    this.#lastSeq = options.lastSeq
  }

  /** The number of the newest event that has been committed. */
  get lastSeq(): number {
    return this.#lastSeq
  }

  /** Calls `reader` with every event after its commit, in order. @returns the way to stop */
  subscribe(reader: (row: EventRow) => void): () => void {
    this.#readers.add(reader)
    return () => this.#readers.delete(reader)
  }

  async callStarted(tx: Tx, { merchant, callId }: Place, call: CallView): Promise<void> {
    const { number, headers } = call
    await this.#write(tx, { merchant, callId, type: 'call.started', data: { number, headers } }, { number })
  }

  async callAnswered(tx: Tx, { merchant, callId }: Place): Promise<void> {
    await this.#write(tx, { merchant, callId, type: 'call.answered', data: {} })
  }

  async callEnded(tx: Tx, { merchant, callId }: Place, verdict: Verdict): Promise<void> {
    await this.#write(tx, { merchant, callId, type: 'call.ended', data: { ...verdict } }, { ...verdict })
    tx.afterCommit(() => this.metrics.ended('call', verdict.result, verdict.reason))
  }

  /** The final figures of a call; they may follow its end. */
  async callQuality(tx: Tx, { merchant, callId }: Place, quality: CallQualityView): Promise<void> {
    await this.#write(tx, { merchant, callId, type: 'call.quality', data: { quality } }, { quality })
    tx.afterCommit(() => this.metrics.quality.observe(quality))
  }

  /** While a capture is open, nothing comes from the caller, or it comes again. */
  async callerSound(tx: Tx, { merchant, callId }: Place, state: 'silent' | 'heard'): Promise<void> {
    await this.#write(tx, { merchant, callId, type: `caller.${state}`, data: {} })
  }

  async captureStarted(tx: Tx, { merchant, callId }: Place, capture: CaptureView): Promise<void> {
    const { captureId, mode } = capture
    const data = { captureId, mode, capture }
    await this.#write(tx, { merchant, callId, type: 'capture.started', data }, { captureId })
  }

  /** After `capture.started`: the line is masked, and no other way for the caller's packets is left. */
  async lineSecured(tx: Tx, { merchant, callId }: Place, captureId: string): Promise<void> {
    await this.#write(tx, { merchant, callId, type: 'capture.secured', data: { captureId } }, { captureId })
  }

  /** One step of one field: the stream shows it, the log does not (it would hold the rhythm of every key press). */
  async captureField(tx: Tx, { merchant, callId }: Place, captureId: string, field: FieldView): Promise<void> {
    await this.#append(tx, { merchant, callId, type: 'capture.field', data: { captureId, field } })
  }

  /** A key of a field was not clear, so that the field must be keyed again. Once per time that the field is asked for. */
  async keyUncertain(tx: Tx, { merchant, callId }: Place, key: UncertainKey): Promise<void> {
    await this.#write(tx, { merchant, callId, type: 'key.uncertain', data: key }, key)
  }

  async captureClosed(tx: Tx, { merchant, callId }: Place, captureId: string, verdict: Verdict): Promise<void> {
    const { reason } = verdict
    const type = reason === 'lost' ? 'capture.lost' : 'capture.closed'
    await this.#write(tx, { merchant, callId, type, data: { captureId, reason } }, { captureId, ...verdict })
    tx.afterCommit(() => this.metrics.ended('capture', verdict.result, reason))
  }

  async keysDropped(tx: Tx, { merchant, callId }: Place, count: number): Promise<void> {
    await this.#write(tx, { merchant, callId, type: 'keys.dropped', data: { count } }, { count })
  }

  /** The line sends every key twice, which is put right; or does so no more. */
  async lineSlow(tx: Tx, { merchant, callId }: Place, on: boolean): Promise<void> {
    await this.#write(tx, { merchant, callId, type: 'line.slow', data: { on } }, { on })
  }

  /** @param verdict given when the attempt has come to rest */
  async paymentChanged(tx: Tx, merchant: string, payment: PaymentView, verdict: Verdict | undefined): Promise<void> {
    const { callId, paymentId, reference, state } = payment
    const fields = { paymentId, reference, state, ...verdict }
    await this.#write(tx, { merchant, callId, type: 'payment.changed', data: { payment } }, fields)
    if (verdict !== undefined) {
      tx.afterCommit(() => this.metrics.ended('attempt', verdict.result, verdict.reason))
    }
  }

  async cdeUp(tx: Tx, merchant: string): Promise<void> {
    await this.#write(tx, { merchant, callId: undefined, type: 'cde.up', data: {} })
  }

  async cdeDown(tx: Tx, merchant: string): Promise<void> {
    await this.#write(tx, { merchant, callId: undefined, type: 'cde.down', data: {} })
  }

  /** Something arrived that changes nothing: counted, never silent. `what` and `why` are words of closed lists. */
  ignored(what: string, why: string): void {
    this.metrics.ignored(what, why)
  }

  async #write(tx: Tx, event: NewEvent, fields: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.#append(tx, event)
    const { merchant, callId, type } = event
    tx.afterCommit(() => this.#log.info({ merchant, ...(callId !== undefined && { callId }), ...fields }, type))
  }

  async #append(tx: Tx, event: NewEvent): Promise<void> {
    const row = await appendEvent(tx, event, this.#clock.wallMs())
    tx.afterCommit(() => {
      this.#lastSeq = row.seq
      this.metrics.eventWritten(row.type)
      for (const reader of this.#readers) reader(row)
    })
  }
}
