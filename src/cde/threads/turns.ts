/**
 * The life of a thread that owns a polled engine: packets, what is due, a wait; again and again. The wait is the engine's own,
 * so that a packet ends it at once; messages of the main thread end it too (`wakeUp`), and are served by the event loop
 * between two turns. Nothing waits for longer than `relayLimits.waitMsMax`.
 */
import { relayLimits } from '../../lib/limits.ts'
import type { PolledEngine } from '../media/relay/engine.ts'

export interface TurnsOptions {
  readonly engine: PolledEngine
  readonly nowMs: () => number
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
    const { engine, nowMs, wake } = this.#options
    const startMs = nowMs()
    const packets = engine.poll(startMs)
    const dueMs = wake(startMs)
    this.#immediate = undefined
    if (engine.openPorts === 0) return this.#rest(dueMs)
    if (packets < relayLimits.busyTurnPackets) {
      const forMs = dueMs === undefined ? relayLimits.waitMsMax : Math.max(0, dueMs - nowMs())
      engine.wait(forMs, relayLimits.tickMs)
    }
    this.#immediate = setImmediate(this.#turn)
  }

  /** No ports, no packets: the thread sleeps in its event loop, as any other. */
  #rest(dueMs: number | undefined): void {
    if (dueMs === undefined) return
    this.#timer = setTimeout(() => this.start(), Math.max(1, dueMs - this.#options.nowMs()))
  }
}
