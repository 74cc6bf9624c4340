// Two seconds: the longest delay line (60 ms + 200 ms of jitter + 60 ms packets), early packets and far-reaching masks.
const SIZE = 16_384
const WRAP = SIZE - 1

/**
 * 10 ms: what is masked is masked in cells of the agent's own time, two to a packet. Where in a cell a key was found, which is
 * a fraction of a millisecond earlier for some keys than for others, is in nothing that leaves.
 */
export const CELL_SAMPLES = 80
/** More than the ring of samples holds. */
const CELLS = 256
const CELL_WRAP = CELLS - 1

/** What is done with a cell. */
export const MASKED = 1
/** A press begins with this cell; set together with MASKED. */
export const PRESS_START = 2

/**
 * The caller's samples on their way to the agent: a ring addressed by position, in samples of the caller's RTP time.
 * ```
 *      played        front                       horizon
 *  ──────┼─────────────┼───────────────────────────┼──────
 *  wiped   known          known here and there        not writable yet
 * ```
 * Below `front` every sample is known: it arrived, or it was given up as missing and is silence.
 */
export class Timeline {
  readonly #samples = new Int16Array(SIZE)
  /** 1 for what arrived before what is missing in front of it. */
  readonly #present = new Uint8Array(SIZE)
  readonly #cells = new Uint8Array(CELLS)
  /** On a wide line: two samples of 16 kHz for each position. They share its marks. */
  readonly #wide: Int16Array | undefined
  #played = 0
  #front = 0
  /** Nothing is known from here on. */
  #writtenTo = 0

  constructor(isWide = false) {
    this.#wide = isWide ? new Int16Array(2 * SIZE) : undefined
  }

  /** The next sample to leave. */
  get played(): number {
    return this.#played
  }

  /** The first sample of which nothing is known. */
  get front(): number {
    return this.#front
  }

  /** Positions from here on cannot be written or masked yet. */
  get horizon(): number {
    return this.#played + SIZE
  }

  /**
   * Puts samples in where nothing is known yet; what lies below `front` or beyond the horizon, and what is there already,
   * stays as it is.
   * @param wide on a wide line, twice as many: each position takes all its samples from one packet
   * @returns how many samples were taken
   */
  write(position: number, samples: Int16Array, wide?: Int16Array): number {
    const from = Math.max(position, this.#front)
    const to = Math.min(position + samples.length, this.horizon)
    // What follows in order, as nearly everything does: `front` moves over it at once.
    const isNext = from === this.#front && this.#writtenTo <= from
    const taken = isNext
      ? this.#append(position, from, to, samples, wide)
      : this.#fillIn(position, from, to, samples, wide)
    this.#writtenTo = Math.max(this.#writtenTo, to)
    return taken
  }

  #append(position: number, from: number, to: number, samples: Int16Array, wide: Int16Array | undefined): number {
    const kept = this.#samples
    for (let at = from; at < to; at++) kept[at & WRAP] = samples[at - position] as number
    if (this.#wide !== undefined && wide !== undefined) {
      for (let at = from; at < to; at++) copyPair(wide, at - position, this.#wide, at & WRAP)
    }
    this.#front = Math.max(from, to)
    return Math.max(0, to - from)
  }

  #fillIn(position: number, from: number, to: number, samples: Int16Array, wide: Int16Array | undefined): number {
    let taken = 0
    for (let at = from; at < to; at++) {
      const place = at & WRAP
      if (this.#present[place] === 1) continue
      this.#present[place] = 1
      this.#samples[place] = samples[at - position] as number
      if (this.#wide !== undefined && wide !== undefined) copyPair(wide, at - position, this.#wide, place)
      taken++
    }
    this.#advance()
    return taken
  }

  /**
   * Gives up everything missing below `position`: it is silence from now on, and comes too late when it comes.
   * @param onGap called for each run of missing samples
   */
  force(position: number, onGap: (from: number, to: number) => void): void {
    while (this.#front < position) {
      const from = this.#front
      while (this.#front < position && !this.#isPresent(this.#front)) this.#front++
      onGap(from, this.#front)
      this.#advance()
    }
  }

  /** Copies the window that begins at `from`; the caller has checked that it ends below `front`. */
  read(from: number, window: Float64Array): void {
    const kept = this.#samples
    for (let i = 0; i < window.length; i++) window[i] = kept[(from + i) & WRAP] as number
  }

  /** Masks every cell that holds a part of this span and has not left yet. */
  mask(from: number, to: number): void {
    const end = Math.ceil(Math.min(to, this.horizon) / CELL_SAMPLES)
    for (let cell = Math.floor(Math.max(from, this.#played) / CELL_SAMPLES); cell < end; cell++) {
      this.#cells[cell & CELL_WRAP] = (this.#cells[cell & CELL_WRAP] as number) | MASKED
    }
  }

  /** Marks where a press begins, or the next cell to leave if that has gone by. @returns a position in the cell */
  startPress(position: number): number {
    const at = Math.min(Math.max(position, this.#played), this.horizon - 1)
    const cell = Math.floor(at / CELL_SAMPLES) & CELL_WRAP
    this.#cells[cell] = (this.#cells[cell] as number) | MASKED | PRESS_START
    return at
  }

  /** @returns what is done with the cell of this position: MASKED, PRESS_START */
  cellAt(position: number): number {
    return this.#cells[Math.floor(position / CELL_SAMPLES) & CELL_WRAP] as number
  }

  /** True when everything that is left is known, unmasked and no louder than `peak`. */
  isQuiet(peak: number): boolean {
    for (let at = this.#played; at < this.#front; at++) {
      if (this.cellAt(at) !== 0 || Math.abs(this.#samples[at & WRAP] as number) > peak) return false
    }
    return true
  }

  /**
   * Moves the next samples out and wipes their places. Everything moved must lie below `front`.
   * @param samples whole cells
   * @param wide takes the wide samples of a wide line
   */
  play(samples: Int16Array, wide?: Int16Array): void {
    const kept = this.#samples
    const present = this.#present
    const from = this.#played
    for (let i = 0; i < samples.length; i++) {
      const place = (from + i) & WRAP
      samples[i] = kept[place] as number
      kept[place] = 0
      present[place] = 0
    }
    for (let i = 0; i < samples.length; i += CELL_SAMPLES) {
      this.#cells[Math.floor((from + i) / CELL_SAMPLES) & CELL_WRAP] = 0
    }
    if (this.#wide !== undefined && wide !== undefined) this.#playWide(this.#wide, from, samples.length, wide)
    this.#played = from + samples.length
  }

  wipe(): void {
    this.#samples.fill(0)
    this.#wide?.fill(0)
    this.#present.fill(0)
    this.#cells.fill(0)
  }

  #playWide(kept: Int16Array, from: number, samples: number, wide: Int16Array): void {
    for (let i = 0; i < samples; i++) {
      const place = (from + i) & WRAP
      copyPair(kept, place, wide, i)
      kept[2 * place] = 0
      kept[2 * place + 1] = 0
    }
  }

  #isPresent(position: number): boolean {
    return this.#present[position & WRAP] === 1
  }

  #advance(): void {
    while (this.#front < this.horizon && this.#isPresent(this.#front)) this.#front++
  }
}

/** Places count in pairs. */
function copyPair(from: Int16Array, fromPlace: number, to: Int16Array, toPlace: number): void {
  to[2 * toPlace] = from[2 * fromPlace] as number
  to[2 * toPlace + 1] = from[2 * fromPlace + 1] as number
}
