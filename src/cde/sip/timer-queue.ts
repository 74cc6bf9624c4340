/** Something that wants to be woken. */
export interface Timed {
  wake(nowMs: number): void
}

interface Entry {
  readonly atMs: number
  readonly order: number
  readonly timed: Timed
}

/**
 * All timers of one UserAgent: a binary heap, one pending time per owner. Changed times leave their old entry in the
 * heap until it comes up; the heap is rebuilt when such leftovers are the majority, so its size stays bounded.
 */
export class TimerQueue {
  readonly #pending = new Map<Timed, Entry>()
  #heap: Entry[] = []
  #order = 0

  /** Sets, moves or (undefined) clears the owner's time. */
  set(timed: Timed, atMs: number | undefined): void {
    const current = this.#pending.get(timed)
    if (current?.atMs === atMs) return
    if (atMs === undefined) {
      this.#pending.delete(timed)
      return
    }
    const entry = { atMs, order: this.#order++, timed }
    this.#pending.set(timed, entry)
    if (this.#heap.length > 2 * this.#pending.size + 64) this.#heap = [...this.#pending.values()].sort(compare)
    else this.#push(entry)
  }

  nextAtMs(): number | undefined {
    this.#dropLeftovers()
    return this.#heap[0]?.atMs
  }

  /** Takes one owner whose time has come, earliest first. */
  takeDue(nowMs: number): Timed | undefined {
    this.#dropLeftovers()
    const first = this.#heap[0]
    if (first === undefined || first.atMs > nowMs) return undefined
    this.#pop()
    this.#pending.delete(first.timed)
    return first.timed
  }

  get size(): number {
    return this.#pending.size
  }

  #dropLeftovers(): void {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#pending.get(first.timed) === first) return
      this.#pop()
    }
  }

  #push(entry: Entry): void {
    let at = this.#heap.push(entry) - 1
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = this.#heap[parentAt]
      if (parent === undefined || compare(parent, entry) <= 0) break
      this.#heap[at] = parent
      at = parentAt
    }
    this.#heap[at] = entry
  }

  #pop(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const right = left + 1
      const [a, b] = [this.#heap[left], this.#heap[right]]
      const smaller = a !== undefined && b !== undefined && compare(b, a) < 0 ? right : left
      const child = this.#heap[smaller]
      if (child === undefined || compare(last, child) <= 0) break
      this.#heap[at] = child
      at = smaller
    }
    this.#heap[at] = last
  }
}

function compare(a: Entry, b: Entry): number {
  return a.atMs - b.atMs || a.order - b.order
}
