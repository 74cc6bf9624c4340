/**
 * Brings attempts in doubt to their end: asks the CDE to query or to reverse, when their time has come, a few of each merchant at a time (R8).
 * It keeps nothing in memory: what is due stands in the store, so it goes on after any crash. The rules are in attempt.ts.
 */
import type { Clock } from '../../lib/clock.ts'
import { resolverLimits } from '../../lib/limits.ts'
import type { Log } from '../../lib/log.ts'
import type { CdePort } from '../../wall/port.ts'
import type { Events } from '../events.ts'
import type { Store } from '../store/open.ts'
import { dueAttempts, nextDueAtMs } from '../store/payments.ts'
import type { AttemptRow } from '../store/schema.ts'
import { applyToAttempt } from './apply.ts'

/** Runs the action once after the delay, unless cancelled by the returned function. */
type After = (delayMs: number, action: () => void) => () => void

export class Resolver {
  readonly #store: Store
  readonly #port: CdePort
  readonly #events: Events
  readonly #clock: Clock
  readonly #after: After
  readonly #log: Log
  #cancelTimer: () => void = () => {}
  #running: Promise<void> | undefined
  #again = false
  #closed = false

  constructor(options: {
    store: Store
    port: CdePort
    events: Events
    clock: Clock
    after: After
    log: Log
  }) {
    this.#store = options.store
    this.#port = options.port
    this.#events = options.events
    this.#clock = options.clock
    this.#after = options.after
    this.#log = options.log
  }

  /** Something may become due: an attempt was made or fell into doubt, the CDE came up, a timer fired. */
  wake(): void {
    if (this.#closed) return
    this.#again = true
    this.#running ??= this.#run()
  }

  /** Resolves when the round under way, if any, is over. */
  async settled(): Promise<void> {
    await this.#running
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelTimer()
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#closed) {
        this.#again = false
        await this.#round()
      }
    } catch {
      // The reason may quote a row; the round is repeated, nothing is lost by it.
      this.#log.error({ part: 'resolver' }, 'round failed')
      this.#wakeAfter(resolverLimits.delayMsMax / 10)
    } finally {
      this.#running = undefined
    }
  }

  async #round(): Promise<void> {
    if (!this.#port.up) return
    const bounds = {
      merchantsMax: resolverLimits.merchantsPerRoundMax,
      perMerchantMax: resolverLimits.perMerchantPerRoundMax,
    }
    for (const { id } of await dueAttempts(this.#store.db, this.#clock.wallMs(), bounds)) {
      // One attempt that cannot be asked about must not stop those behind it.
      await this.#ask(id).catch(() => this.#log.error({ part: 'resolver', attemptId: id }, 'attempt not asked about'))
    }
    const nextAtMs = await nextDueAtMs(this.#store.db)
    if (nextAtMs === undefined) return
    this.#wakeAfter(Math.max(nextAtMs - this.#clock.wallMs(), resolverLimits.roundMs))
  }

  async #ask(attemptId: string): Promise<void> {
    const due = { type: 'due' } as const
    const attempt = await this.#store.transact((tx) =>
      applyToAttempt(tx, this.#events, attemptId, due, this.#clock.wallMs()),
    )
    if (attempt?.state !== 'UNKNOWN' || this.#closed) return
    if (attempt.asked_at_ms === null) {
      // It has only now fallen into doubt; the next round asks.
      this.#again = true
      return
    }
    if (this.#port.send(orderFor(attempt))) return
    await this.#store.transact((tx) =>
      applyToAttempt(tx, this.#events, attemptId, { type: 'not-asked' }, this.#clock.wallMs()),
    )
  }

  #wakeAfter(delayMs: number): void {
    this.#cancelTimer()
    if (!this.#closed) this.#cancelTimer = this.#after(delayMs, () => this.wake())
  }
}

function orderFor(attempt: AttemptRow) {
  const { id: attemptId, gateway_account: gatewayAccount, reference } = attempt
  const type = attempt.step === 'reverse' ? ('reverse' as const) : ('query' as const)
  return { type, attemptId, gatewayAccount, reference }
}
