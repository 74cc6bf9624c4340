/** The only readers of time. Protocol and business code gets `nowMs` as an argument; shells pass a Clock. */
export interface Clock {
  /** Milliseconds on a monotonic scale; for timers and media. Never compare across processes. */
  monotonicMs(): number
  /** Milliseconds since 1970-01-01 UTC; for stored times and card expiry. */
  wallMs(): number
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
}
