/**
 * Takes what the CDE reports, one thing at a time and in its order, and has it written down. A report that fails is logged by its
 * type only and the next one is taken: one bad row must not stop the wall.
 */
import type { Clock } from '../lib/clock.ts'
import { controlLimits } from '../lib/limits.ts'
import type { Log } from '../lib/log.ts'
import type { Report } from '../wall/messages.ts'
import type { Captures } from './calls/captures.ts'
import {
  recordAllLost,
  recordCallAnswered,
  recordCallEnded,
  recordCallStarted,
  recordCaptureClosed,
  recordCaptureStarted,
  recordField,
  recordKeysDropped,
} from './calls/record.ts'
import type { Events } from './events.ts'
import { applyToAttempt } from './payments/apply.ts'
import type { AttemptInput } from './payments/attempt.ts'
import type { Resolver } from './payments/resolver.ts'
import type { Store, Tx } from './store/open.ts'
import { submittingAttempts } from './store/payments.ts'
import { merchantIds } from './store/tenants.ts'

export type Letter = Report | { readonly type: 'cde-up' } | { readonly type: 'cde-down' } | { readonly type: 'start' }

export interface InboxParts {
  readonly store: Store
  readonly events: Events
  readonly captures: Captures
  readonly resolver: Resolver
  readonly clock: Clock
  readonly log: Log
}

/** What may be dropped when too much waits: totals and pictures that the next report of the kind repeats. */
const droppable: ReadonlySet<Letter['type']> = new Set(['counters', 'keys-dropped', 'field'])

export class Inbox {
  readonly #parts: InboxParts
  #last: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(parts: InboxParts) {
    this.#parts = parts
  }

  /** Takes a letter; never throws. Answers of the gateway and ends of calls are never dropped: attempts and calls bound their number. */
  put(letter: Letter): void {
    if (this.#waiting >= controlLimits.reportsWaitingMax && droppable.has(letter.type)) {
      this.#parts.events.ignored(letter.type, 'inbox-full')
      return
    }
    this.#waiting++
    this.#last = this.#last.then(() => this.#take(letter)).finally(() => this.#waiting--)
  }

  /** Resolves when everything that was put so far has been written down. */
  async settled(): Promise<void> {
    await this.#last
  }

  async #take(letter: Letter): Promise<void> {
    try {
      await this.#record(letter)
    } catch {
      this.#parts.log.error({ part: 'inbox', report: letter.type }, 'report not recorded')
    }
  }

  async #record(letter: Letter): Promise<void> {
    const { store, events, captures, clock } = this.#parts
    const nowMs = clock.wallMs()
    const write = (work: (tx: Tx) => Promise<unknown>): Promise<unknown> => store.transact(work)
    switch (letter.type) {
      case 'call-started':
        return void (await write((tx) => recordCallStarted(tx, events, letter, nowMs)))
      case 'call-answered':
        return void (await write((tx) => recordCallAnswered(tx, events, letter.callId, nowMs)))
      case 'call-ended':
        await write((tx) => recordCallEnded(tx, events, letter, nowMs))
        return
      case 'capture-started':
        await write((tx) => recordCaptureStarted(tx, events, letter.captureId))
        return captures.settle(letter.captureId, 'started')
      case 'capture-refused':
        return captures.settle(letter.captureId, letter.code)
      case 'field':
        return void (await write((tx) => recordField(tx, events, letter)))
      case 'keys-dropped':
        return void (await write((tx) => recordKeysDropped(tx, events, letter)))
      case 'capture-closed':
        return void (await write((tx) => recordCaptureClosed(tx, events, letter, nowMs)))
      case 'submit-refused':
        return this.#attempt(letter.attemptId, { type: 'refused', code: letter.code })
      case 'submit-result':
        return this.#attempt(letter.attemptId, { type: 'answered', outcome: letter.outcome })
      case 'query-result':
        return this.#attempt(letter.attemptId, { type: 'queried', outcome: letter.outcome })
      case 'reverse-result':
        return this.#attempt(letter.attemptId, { type: 'reversed', outcome: letter.outcome })
      case 'counters':
        return events.metrics.cdeCounters(letter.counters)
      case 'start':
      case 'cde-down':
        return this.#lost(letter.type === 'cde-down')
      case 'cde-up':
        return this.#up()
      // The wall's own business at the CDE's start.
      case 'ready':
      case 'configured':
      case 'configure-failed':
        return
    }
  }

  async #attempt(attemptId: string, input: AttemptInput): Promise<void> {
    const { store, events, resolver, clock } = this.#parts
    await store.transact((tx) => applyToAttempt(tx, events, attemptId, input, clock.wallMs()))
    resolver.wake()
  }

  /** At our start and at the loss of the CDE: calls and captures are gone, and what was being submitted is in doubt. */
  async #lost(announce: boolean): Promise<void> {
    const { store, events, captures, resolver, clock } = this.#parts
    const nowMs = clock.wallMs()
    await store.transact(async (tx) => {
      for (const { id } of await submittingAttempts(tx.db)) {
        await applyToAttempt(tx, events, id, { type: 'lost' }, nowMs)
      }
      await recordAllLost(tx, events, nowMs)
      if (announce) for (const merchant of await merchantIds(tx.db)) await events.cdeDown(tx, merchant)
    })
    events.metrics.cdeUp(false)
    captures.settleAllLost()
    resolver.wake()
  }

  async #up(): Promise<void> {
    const { store, events, resolver } = this.#parts
    await store.transact(async (tx) => {
      for (const merchant of await merchantIds(tx.db)) await events.cdeUp(tx, merchant)
    })
    events.metrics.cdeUp(true)
    resolver.wake()
  }
}
