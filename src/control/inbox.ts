/**
 * Takes what the CDE reports, in its order, and has it written down: all that waits in one transaction, because each commit costs one
 * flush of the disk. When the store cannot be written (disk full), everything waits and is tried again until it can: an end of a call
 * or an answer of a gateway is told once. When it is one report that the store does not take, the batch is rolled back and its reports
 * are taken one by one; that one is tried a few times more, then logged by its type only and left: one bad row must not stop the wall.
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
  recordCallerSound,
  recordCallStarted,
  recordCaptureClosed,
  recordCaptureStarted,
  recordField,
  recordKeysDropped,
  recordSlowMode,
  recordLineSecured,
  recordQuality,
} from './calls/record.ts'
import type { Events } from './events.ts'
import { applyToAttempt } from './payments/apply.ts'
import type { AttemptInput } from './payments/attempt.ts'
import type { Resolver } from './payments/resolver.ts'
import type { Store, Tx } from './store/open.ts'
import { submittingAttempts } from './store/payments.ts'
import { merchantIds } from './store/tenants.ts'
import type { Timers } from './timers.ts'

export type Letter = Report | { readonly type: 'cde-up' } | { readonly type: 'cde-down' }

export interface InboxParts {
  readonly store: Store
  readonly events: Events
  readonly captures: Captures
  readonly resolver: Resolver
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
}

/** What may be dropped when too much waits: totals and pictures that the next report of the kind repeats. */
const droppable: ReadonlySet<Letter['type']> = new Set([
  'counters',
  'keys-dropped',
  'slow-mode',
  'field',
  'call-quality',
])

export class Inbox {
  readonly #parts: InboxParts
  #waiting: Letter[] = []
  #running: Promise<void> | undefined
  /** How many of those that wait are written one by one, because a batch of them failed. */
  #singly = 0
  /** How often in a row what stands first could not be written. */
  #failures = 0
  #closed = false
  #endPause = (): void => {}

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

  /** Writes down what waits; what cannot be written now is tried once more and then left. */
  async close(): Promise<void> {
    this.#closed = true
    this.#endPause()
    await this.#running
  }

  /** At the start: what was live when the last run ended is gone. @throws when it cannot be written; then nothing may start */
  async writeOff(): Promise<void> {
    await this.#parts.store.transact((tx) => this.#lost(tx, false), 'reports')
  }

  async #run(): Promise<void> {
    // Whatever else comes in this turn of the event loop joins the first batch.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, this.#singly > 0 ? 1 : controlLimits.reportsPerCommitMax)
      const error = await this.#write(batch)
      if (error === undefined || this.#leaves(batch, error)) {
        this.#waiting.splice(0, batch.length)
        this.#singly = Math.max(0, this.#singly - batch.length)
        this.#failures = 0
      } else if (batch.length > 1 && !isOfStore(error)) {
        this.#singly = batch.length
      } else if (this.#closed) {
        this.#parts.log.error({ part: 'inbox', reports: this.#waiting.length }, 'reports not recorded at the end')
        this.#waiting = []
      } else {
        await this.#pause()
      }
    }
    this.#running = undefined
  }

  /** @returns why nothing of the batch was written, or undefined when it was */
  async #write(batch: readonly Letter[]): Promise<Error | undefined> {
    try {
      await this.#parts.store.transact(async (tx) => {
        for (const letter of batch) await this.#record(tx, letter)
      }, 'reports')
      return undefined
    } catch (error) {
      return error instanceof Error ? error : new Error('inbox: not an error')
    }
  }

  /** Is this one report to be given up? */
  #leaves([letter, ...others]: readonly Letter[], error: Error): boolean {
    if (letter === undefined || others.length > 0 || isOfStore(error)) return false
    const lasts = !droppable.has(letter.type) && !this.#closed
    if (lasts && this.#failures < controlLimits.reportTriesMax) return false
    this.#parts.log.error({ part: 'inbox', report: letter.type }, 'report not recorded')
    return true
  }

  async #pause(): Promise<void> {
    const { timers, log } = this.#parts
    if (this.#failures === 0) log.error({ part: 'inbox' }, 'reports cannot be written down; they wait')
    const delayMs = Math.min(controlLimits.reportRetryMs * 2 ** this.#failures++, controlLimits.reportRetryMsMax)
    await new Promise<void>((resolve) => {
      const cancel = timers.after(delayMs, resolve)
      this.#endPause = () => {
        cancel()
        resolve()
      }
    })
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
      case 'call-quality':
        return recordQuality(tx, events, letter)
      case 'caller-sound':
        return recordCallerSound(tx, events, letter)
      case 'capture-started':
        await recordCaptureStarted(tx, events, letter.captureId)
        return tx.afterCommit(() => captures.settle(letter.captureId, 'started'))
      case 'line-secured':
        return recordLineSecured(tx, events, letter.captureId)
      case 'capture-refused':
        return tx.afterCommit(() => captures.settle(letter.captureId, letter.code))
      case 'field':
        return recordField(tx, events, letter)
      case 'keys-dropped':
        return recordKeysDropped(tx, events, letter)
      case 'slow-mode':
        return recordSlowMode(tx, events, letter)
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
        return tx.afterCommit(() => {
          events.metrics.cdeCounters(letter.counters)
          if (letter.trunks !== undefined) events.metrics.trunks(letter.trunks)
        })
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

/** The file or its disk cannot be written now, whatever is to be written (SQLITE_FULL, SQLITE_IOERR_…, SQLITE_BUSY, …). */
function isOfStore(error: Error): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return false
  // After such an error SQLite may have rolled back by itself; then our own roll-back fails, and its error is what we see.
  if (message.includes('no transaction is active')) return true
  return !/^SQLITE_(ERROR|CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(code)
}
