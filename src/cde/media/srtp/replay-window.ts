const WORDS = 4
const WINDOW = WORDS * 32

/**
 * RFC 3711 3.3.2: which packet indices of one source were seen. 128 wide (64 is the least); an index may be asked for before
 * the packet is authenticated and is marked only afterwards.
 */
export class ReplayWindow {
  readonly #seen = new Uint32Array(WORDS)
  #highest = -1

  /** The highest index marked, −1 before the first. Up to 48 bits. */
  get highest(): number {
    return this.#highest
  }

  check(index: number): 'new' | 'replayed' | 'too-old' {
    if (index > this.#highest) return 'new'
    if (index <= this.#highest - WINDOW) return 'too-old'
    const bit = index % WINDOW
    return ((this.#seen[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0 ? 'new' : 'replayed'
  }

  mark(index: number): void {
    if (index - this.#highest >= WINDOW || this.#highest < 0) this.#seen.fill(0)
    else for (let passed = this.#highest + 1; passed < index; passed++) this.#clear(passed % WINDOW)
    if (index > this.#highest) this.#highest = index
    const bit = index % WINDOW
    this.#seen[bit >>> 5] = (this.#seen[bit >>> 5] ?? 0) | (1 << (bit & 31))
  }

  #clear(bit: number): void {
    this.#seen[bit >>> 5] = (this.#seen[bit >>> 5] ?? 0) & ~(1 << (bit & 31))
  }
}
