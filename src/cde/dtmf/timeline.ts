import { MASKED, PRESS_START } from './replacement.ts'

// Two seconds: the longest delay line (60 ms + 200 ms of jitter + 60 ms packets), early packets and far-reaching masks.
const SIZE = 16_384
const WRAP = SIZE - 1

const PRESENT = 4

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
  readonly #marks = new Uint8Array(SIZE)
  /** On a wide line: two samples of 16 kHz for each position. They share its marks. */
  readonly #wide: Int16Array | undefined
  #played = 0
  #front = 0
  /** Nothing is known from here on. */
  #writtenTo = 0
  /** A span that is masked throughout; of what has left, nothing is said. */
  #maskedFrom = 0
  #maskedTo = 0

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
    // What follows in order, as nearly everything does, needs no marks: `front` moves over it at once.
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
      if (((this.#marks[place] as number) & PRESENT) !== 0) continue
      this.#marks[place] = (this.#marks[place] as number) | PRESENT
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

  mask(from: number, to: number): void {
    const start = Math.max(from, this.#played)
    const end = Math.min(to, this.horizon)
    if (start >= end) return
    // A key that is held masks the same span again with every decision: what was masked last is not marked twice.
    const isMore = start >= this.#maskedFrom && start <= this.#maskedTo
    const marks = this.#marks
    for (let at = isMore ? this.#maskedTo : start; at < end; at++)
      marks[at & WRAP] = (marks[at & WRAP] as number) | MASKED
    if (!isMore) this.#maskedFrom = start
    this.#maskedTo = isMore ? Math.max(this.#maskedTo, end) : end
  }

  /** Marks where a press begins, or the next sample to leave if that has gone by. @returns where the mark is */
  startPress(position: number): number {
    const at = Math.min(Math.max(position, this.#played), this.horizon - 1)
    this.#marks[at & WRAP] = (this.#marks[at & WRAP] ?? 0) | MASKED | PRESS_START
    return at
  }

  /** True when everything that is left is known, unmasked and no louder than `peak`. */
  isQuiet(peak: number): boolean {
    for (let at = this.#played; at < this.#front; at++) {
      if (((this.#marks[at & WRAP] ?? 0) & MASKED) !== 0) return false
      if (Math.abs(this.#samples[at & WRAP] ?? 0) > peak) return false
    }
    return true
  }

  /**
   * Moves the next samples out, with their marks, and wipes their places. Everything moved must lie below `front`.
   * @param wide takes the wide samples of a wide line
   * @returns whether any of them is masked
   */
  play(samples: Int16Array, marks: Uint8Array, wide?: Int16Array): boolean {
    const kept = this.#samples
    const keptMarks = this.#marks
    const from = this.#played
    let seen = 0
    for (let i = 0; i < samples.length; i++) {
      const place = (from + i) & WRAP
      const mark = (keptMarks[place] as number) & (MASKED | PRESS_START)
      samples[i] = kept[place] as number
      marks[i] = mark
      seen |= mark
      kept[place] = 0
      keptMarks[place] = 0
    }
    if (this.#wide !== undefined && wide !== undefined) this.#playWide(this.#wide, from, samples.length, wide)
    this.#played = from + samples.length
    return seen !== 0
  }

  #playWide(kept: Int16Array, from: number, samples: number, wide: Int16Array): void {
    for (let i = 0; i < samples; i++) {
      const place = (from + i) & WRAP
      copyPair(kept, place, wide, i)
      kept[2 * place] = 0
      kept[2 * place + 1] = 0
    }
  }

  wipe(): void {
    this.#samples.fill(0)
    this.#wide?.fill(0)
    this.#marks.fill(0)
  }

  #isPresent(position: number): boolean {
    return ((this.#marks[position & WRAP] ?? 0) & PRESENT) !== 0
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
