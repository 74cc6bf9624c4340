import type { Clock } from '../../lib/clock.ts'
import { relayLimits } from '../../lib/limits.ts'
import type { PolledEngine } from './relay/engine.ts'
import type { MediaEngine } from './socket.ts'

/** A media engine of our own, with what the process wants to know of it. */
export interface DrivenEngine extends MediaEngine {
  counters(): Readonly<Record<string, number>>
  /** Closes all its ports. */
  close(): void
}

/**
 * Runs an engine from this thread's event loop: what has come is taken in every `tickMs`, many packets with one wake of the
 * thread, and at once again while there is much. Nothing blocks, so the thread's timers, messages and end are served.
 */
export function driveEngine(engine: PolledEngine, clock: Clock, tickMs: number): DrivenEngine {
  let timer: NodeJS.Timeout | undefined
  let waitsForTurn = false
  const turn = (): void => {
    waitsForTurn = false
    if (engine.openPorts === 0) {
      timer = undefined
      return
    }
    const datagrams = engine.poll(clock.monotonicMs())
    if (datagrams >= relayLimits.busyTurnPackets) {
      waitsForTurn = true
      setImmediate(turn)
    } else if (timer === undefined) timer = setTimeout(turn, tickMs)
    else timer.refresh()
  }
  const start = (): void => {
    if (timer === undefined && !waitsForTurn) timer = setTimeout(turn, tickMs)
  }
  return {
    open: async (local, onPacket, onFrame) => {
      const socket = engine.open(local, onPacket, onFrame)
      start()
      return socket
    },
    counters: () => engine.counters(),
    close: () => {
      clearTimeout(timer)
      engine.close()
    },
  }
}
