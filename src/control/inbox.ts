/**
 * Takes what the CDE reports, in its order, and has it written down: all that waits in one transaction, because each commit costs one
 * flush of the disk. If one report of a batch fails, the batch is rolled back and its reports are taken one by one; the one that
 * fails again is logged by its type only and left: one bad row must not stop the wall.
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

export type Letter = Report | { readonly type: 'cde-up' } | { readonly type: 'cde-down' }

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
  #waiting: Letter[] = []
  #running: Promise<void> | undefined

  constructor(parts: InboxParts) {
    this.#parts = parts
  }

  /** Takes a letter; never throws. Answers of the gateway and ends of calls are never dropped: attempts and calls bound their number. */
  put(letter: Letter): void {
    if (this.#waiting.length >= controlLimits.reportsWaitingMax && droppable.has(letter.type)) {
      this.#parts.events.ignored(letter.type, 'inbox-full')
      return
    }
    this.#waiting.push(letter)
    this.#running ??= this.#run()
  }

  /** Resolves when everything that was put so far has been written down. */
  async settled(): Promise<void> {
    await this.#running
  }

  /** At the start: what was live when the last run ended is gone. @throws when it cannot be written; then nothing may start */
  async writeOff(): Promise<void> {
    await this.#parts.store.transact((tx) => this.#lost(tx, false))
  }

  async #run(): Promise<void> {
    // Whatever else comes in this turn of the event loop joins the first batch.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, controlLimits.reportsPerCommitMax)
      if (!(await this.#write(batch))) {
        for (const letter of batch) {
          if (await this.#write([letter])) continue
          this.#parts.log.error({ part: 'inbox', report: letter.type }, 'report not recorded')
        }
      }
    }
    this.#running = undefined
  }

  async #write(batch: readonly Letter[]): Promise<boolean> {
    try {
      await this.#parts.store.transact(async (tx) => {
        for (const letter of batch) await this.#record(tx, letter)
      })
      return true
    } catch {
      return false
    }
  }

  async #record(tx: Tx, letter: Letter): Promise<void> {
    const { events, captures, clock } = this.#parts
    const nowMs = clock.wallMs()
    switch (letter.type) {
      case 'call-started':
        return recordCallStarted(tx, events, letter, nowMs)
      case 'call-answered':
        return recordCallAnswered(tx, events, letter.callId, nowMs)
      case 'call-ended':
        return recordCallEnded(tx, events, letter, nowMs)
      case 'capture-started':
        await recordCaptureStarted(tx, events, letter.captureId)
        return tx.afterCommit(() => captures.settle(letter.captureId, 'started'))
      case 'capture-refused':
        return tx.afterCommit(() => captures.settle(letter.captureId, letter.code))
      case 'field':
        return recordField(tx, events, letter)
      case 'keys-dropped':
        return recordKeysDropped(tx, events, letter)
      case 'capture-closed':
        return recordCaptureClosed(tx, events, letter, nowMs)
      case 'submit-refused':
        return this.#attempt(tx, letter.attemptId, { type: 'refused', code: letter.code })
      case 'submit-result':
        return this.#attempt(tx, letter.attemptId, { type: 'answered', outcome: letter.outcome })
      case 'query-result':
        return this.#attempt(tx, letter.attemptId, { type: 'queried', outcome: letter.outcome })
      case 'reverse-result':
        return this.#attempt(tx, letter.attemptId, { type: 'reversed', outcome: letter.outcome })
      case 'counters':
        return tx.afterCommit(() => events.metrics.cdeCounters(letter.counters))
      case 'cde-down':
        return this.#lost(tx, true)
      case 'cde-up':
        return this.#up(tx)
      // The wall's own business at the CDE's start.
      case 'ready':
      case 'configured':
      case 'configure-failed':
        return
    }
  }

  async #attempt(tx: Tx, attemptId: string, input: AttemptInput): Promise<void> {
    const { events, resolver, clock } = this.#parts
    await applyToAttempt(tx, events, attemptId, input, clock.wallMs())
    tx.afterCommit(() => resolver.wake())
  }

  /** Calls and captures are gone, and what was being submitted is in doubt. */
  async #lost(tx: Tx, announce: boolean): Promise<void> {
    const { events, captures, resolver, clock } = this.#parts
    const nowMs = clock.wallMs()
    for (const { id } of await submittingAttempts(tx.db)) {
      await applyToAttempt(tx, events, id, { type: 'lost' }, nowMs)
    }
    await recordAllLost(tx, events, nowMs)
    if (announce) for (const merchant of await merchantIds(tx.db)) await events.cdeDown(tx, merchant)
    tx.afterCommit(() => {
      events.metrics.cdeUp(false)
      captures.settleAllLost()
      resolver.wake()
    })
  }

  async #up(tx: Tx): Promise<void> {
    const { events, resolver } = this.#parts
    for (const merchant of await merchantIds(tx.db)) await events.cdeUp(tx, merchant)
    tx.afterCommit(() => {
      events.metrics.cdeUp(true)
      resolver.wake()
    })
  }
}
