/** Timers as an argument, like the clock: the system's in production, virtual ones in tests. */
export interface Timers {
  /** Runs `action` once after `delayMs` ≥ 0, unless cancelled by the returned function. */
  after(delayMs: number, action: () => void): () => void
}

export const systemTimers: Timers = {
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs)
    return () => clearTimeout(timer)
  },
}
