/** Control's composition: store, inbox, resolver and API put together. The only file that knows them all. */
import type { Address } from '../lib/address.ts'
import type { Clock } from '../lib/clock.ts'
import { controlLimits } from '../lib/limits.ts'
import type { Log } from '../lib/log.ts'
import type { RandomBytes } from '../lib/random.ts'
import type { CdePort } from '../wall/port.ts'
import { serveApi } from './api/server.ts'
import { Streams } from './api/streams.ts'
import { Captures } from './calls/captures.ts'
import { Events } from './events.ts'
import { Inbox, type Letter } from './inbox.ts'
import { Metrics } from './metrics.ts'
import { Resolver } from './payments/resolver.ts'
import { deleteExpiredWidgetTokens } from './store/access.ts'
import { deleteEventsBefore, lastEventSeq } from './store/events.ts'
import { deleteResponsesBefore } from './store/idempotency.ts'
import { lettersOf } from './store/letters.ts'
import type { Store } from './store/open.ts'
import { syncTenants, type Tenants } from './store/tenants.ts'
import { systemTimers, type Timers } from './timers.ts'

export interface ControlOptions {
  /** The wall. Control listens to it from the first moment; what arrives while it starts waits its turn. */
  readonly port: CdePort
  readonly store: Store
  readonly tenants: Tenants
  readonly http: {
    readonly host: string
    readonly port: number
    readonly allowedOrigins: readonly string[]
    /** SHA-256 of the key that reads the metrics, 32 octets; without it only programs of this machine read them. */
    readonly metricsKey?: Uint8Array
  }
  readonly clock: Clock
  readonly random: RandomBytes
  readonly log: Log
  readonly widgetFile: string
  /** Older events are deleted. */
  readonly eventsKeptMs: number
  readonly timers?: Timers
}

export interface Control {
  /** Where the API listens, with the real port. */
  readonly address: Address
  /** Resolves when everything that the CDE has reported so far is written down and what followed from it is ordered. */
  settled(): Promise<void>
  /** Closes the API and the loops; the store stays open, it is its opener's. */
  close(): Promise<void>
}

/**
 * Starts control on an open store. What was live when the last run ended is written off before the first request is answered:
 * calls and captures are lost, attempts that were being submitted are UNKNOWN(crash) and get resolved.
 * @throws with the system's code when the address cannot be bound; then nothing has been written
 */
export async function startControl(options: ControlOptions): Promise<Control> {
  const { port, store, clock, random, log, http, widgetFile } = options
  const timers = options.timers ?? systemTimers(clock)
  const mail = listen(port)
  const events = new Events({ clock, log, metrics: new Metrics(), lastSeq: await lastEventSeq(store.db) })
  const captures = new Captures({ store, events, port, clock, timers, random })
  const after = (delayMs: number, action: () => void): (() => void) => timers.after(delayMs, action)
  const resolver = new Resolver({ store, port, events, clock, log, after })
  const inbox = new Inbox({ store, events, captures, resolver, clock, timers, log })
  const streams = new Streams({ db: store.db, events, clock, timers })
  let stopCleaning = (): void => {}
  const stop = async (): Promise<void> => {
    stopCleaning()
    mail.deliver(() => {})
    captures.settleAllLost()
    await resolver.close()
    await inbox.close()
  }
  const writtenOff = Promise.withResolvers<void>()
  const { allowedOrigins, metricsKey } = http
  const metricsKeyHash = metricsKey === undefined ? undefined : lettersOf(metricsKey)
  const parts = { store, port, events, captures, resolver, streams, clock, random, log, allowedOrigins }
  const api = { ...parts, metricsKeyHash, started: writtenOff.promise }
  // A port that is taken must not leave the loops running: the process would not end. And it is taken before anything is
  // written, so that a start that fails on it has changed nothing.
  const server = await serveApi(api, http, widgetFile).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  try {
    await syncTenants(store, options.tenants)
    await inbox.writeOff()
  } catch (error) {
    await server.close()
    await stop()
    throw error
  }
  mail.deliver((letter) => inbox.put(letter))
  await inbox.settled()
  stopCleaning = cleanUp(store, clock, timers, log, options.eventsKeptMs)
  writtenOff.resolve()
  log.info({ ...server.address }, 'control started')
  return {
    address: server.address,
    async settled() {
      await inbox.settled()
      await resolver.settled()
    },
    async close() {
      await server.close()
      await stop()
    },
  }
}

/** Listens to the wall at once and keeps what comes until there is someone to take it. */
function listen(port: CdePort): { deliver(to: (letter: Letter) => void): void } {
  const early: Letter[] = port.up ? [{ type: 'cde-up' }] : []
  let take = (letter: Letter): void => void early.push(letter)
  port.onReport((report) => take(report))
  port.onUp(() => take({ type: 'cde-up' }))
  port.onDown(() => take({ type: 'cde-down' }))
  return {
    deliver(to) {
      take = to
      for (const letter of early.splice(0)) to(letter)
    },
  }
}

/** Deletes expired tokens, old idempotency rows and old events, now and every few hours. @returns the way to stop */
function cleanUp(store: Store, clock: Clock, timers: Timers, log: Log, eventsKeptMs: number): () => void {
  let isStopped = false
  let cancel = (): void => {}
  /** @returns when the next one is due */
  const clean = async (): Promise<number> => {
    const nowMs = clock.wallMs()
    try {
      const deleted = await store.transact(async ({ db }) => {
        await deleteExpiredWidgetTokens(db, nowMs)
        await deleteResponsesBefore(db, nowMs - controlLimits.idempotencyKeptMs)
        return deleteEventsBefore(db, nowMs - eventsKeptMs, controlLimits.eventsDeletedPerCommit)
      })
      const isMoreLeft = deleted === controlLimits.eventsDeletedPerCommit
      return isMoreLeft ? controlLimits.eventsDeletePauseMs : controlLimits.cleanUpEveryMs
    } catch {
      log.error({ part: 'clean-up' }, 'clean-up failed')
      return controlLimits.cleanUpEveryMs
    }
  }
  const run = async (): Promise<void> => {
    const delayMs = await clean()
    if (!isStopped) cancel = timers.after(delayMs, () => void run())
  }
  void run()
  return () => {
    isStopped = true
    cancel()
  }
}
