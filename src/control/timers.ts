import { Alarm } from '../lib/alarm.ts'
import type { Clock } from '../lib/clock.ts'

/** Timers as an argument, like the clock: the system's in production, virtual ones in tests. */
export interface Timers {
  /** Runs `action` once after `delayMs` ≥ 0, unless cancelled by the returned function. */
  after(delayMs: number, action: () => void): () => void
}

export function systemTimers(clock: Clock): Timers {
  return {
    after(delayMs, action) {
      let atMs: number | undefined = clock.monotonicMs() + delayMs
      const fire = (): void => {
        atMs = undefined
        action()
      }
      const alarm = new Alarm(clock, () => atMs, fire)
      alarm.reschedule()
      return () => alarm.stop()
    },
  }
}
