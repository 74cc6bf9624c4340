/**
 * The life of a thread that owns a polled engine: packets, what is due, a wait; again and again. The wait is the engine's own,
 * so that a packet ends it at once; messages of the main thread end it too (`wakeUp`), and are served by the event loop, which
 * then has its turn. Nothing waits for longer than `relayLimits.waitMsMax`.
 */
import { relayLimits } from '../../lib/limits.ts'
import type { PolledEngine } from '../media/relay/engine.ts'
import type { TurnClock } from './turn-clock.ts'

export interface TurnsOptions {
  readonly engine: PolledEngine
  readonly clock: TurnClock
  /** @returns when it wants to be called again at the latest */
  wake(nowMs: number): number | undefined
}

export class Turns {
  readonly #options: TurnsOptions
  #immediate: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /** After every message: there may be something to do. */
  start(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#immediate ??= setImmediate(this.#turn)
  }

  stop(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
  }

  readonly #turn = (): void => {
    const { engine, clock } = this.#options
    const untilMs = clock.nowMs() + relayLimits.turnsMs
    this.#immediate = undefined
    let dueMs: number | undefined
    let isCalled = false
    // The event loop costs as much as a packet or two: it has its turn when there is a message, and now and then.
    do {
      const startMs = clock.hold()
      const packets = engine.poll(startMs)
      clock.release()
      dueMs = this.#options.wake(startMs)
      if (engine.openPorts === 0) return this.#rest(dueMs)
      if (packets >= relayLimits.busyTurnPackets) continue
      const forMs = dueMs === undefined ? relayLimits.waitMsMax : Math.max(0, dueMs - clock.nowMs())
      isCalled = engine.wait(forMs, relayLimits.tickMs)
    } while (!isCalled && clock.nowMs() < untilMs)
    this.#immediate = setImmediate(this.#turn)
  }

  /** No ports, no packets: the thread sleeps in its event loop, as any other. */
  #rest(dueMs: number | undefined): void {
    if (dueMs === undefined) return
    this.#timer = setTimeout(() => this.start(), Math.max(1, dueMs - this.#options.clock.nowMs()))
  }
}
