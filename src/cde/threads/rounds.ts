/**
 * Visits all entries of a map again and again, a few at a time: each once in a round, so that a thousand of them never stand
 * between two packets. Entries that come or go meanwhile are visited from their place on, or not any more.
 */
export class Rounds<T> {
  readonly #entries: ReadonlyMap<number, T>
  readonly #roundMs: number
  #place: Iterator<T>
  #sinceMs = Number.NaN

  constructor(entries: ReadonlyMap<number, T>, roundMs: number) {
    this.#entries = entries
    this.#roundMs = roundMs
    this.#place = entries.values()
  }

  /** Visits as many as are due since the last time. @returns whether a round has come to its end */
  visit(nowMs: number, visitor: (entry: T) => void): boolean {
    const share = Math.min(1, (nowMs - this.#sinceMs) / this.#roundMs)
    this.#sinceMs = nowMs
    // The first time it is not a number: one entry, and the round begins.
    for (let left = Math.max(1, Math.ceil(this.#entries.size * (share || 0))); left > 0; left--) {
      const { value, done } = this.#place.next()
      if (done === true) {
        this.#place = this.#entries.values()
        return true
      }
      visitor(value)
    }
    return false
  }
}
