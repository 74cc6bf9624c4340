/**
 * Adds up keys that nobody asked for and tells them once a second per call: a child that plays with the keypad, or a flood,
 * must not fill the wall. Sans-I/O.
 */
const TELL_EVERY_MS = 1_000

export class DroppedKeys {
  readonly #counts = new Map<string, number>()
  readonly #tell: (callId: string, count: number) => void
  #tellAtMs = 0

  constructor(tell: (callId: string, count: number) => void) {
    this.#tell = tell
  }

  add(callId: string, count: number): void {
    this.#counts.set(callId, (this.#counts.get(callId) ?? 0) + count)
  }

  wake(nowMs: number): void {
    if (nowMs < this.#tellAtMs) return
    this.#tellAtMs = nowMs + TELL_EVERY_MS
    this.flush()
  }

  /** Tells what has come together; before a call's end is told, so that reports keep their order. */
  flush(): void {
    for (const [callId, count] of this.#counts) this.#tell(callId, count)
    this.#counts.clear()
  }

  nextWakeAtMs(): number | undefined {
    return this.#counts.size === 0 ? undefined : this.#tellAtMs
  }
}
