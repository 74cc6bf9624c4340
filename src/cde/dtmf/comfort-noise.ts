const FULL_SCALE = 32_768
/** Coarse, so that the level says where the line's noise is and nothing else. */
const STEP_DB = 6
const LEVEL_DB_MIN = -72
const LEVEL_DB_MAX = -48
/** The quietest frame of the last second is taken for the line's noise. */
const FRAMES = 50

/**
 * Noise at about the level of the line's own (RMS, in steps of 6 dB). The level is measured on frames that are not masked
 * in any sample, so nothing of a key can be in it; the noise itself is the same sequence on every line.
 */
export class ComfortNoise {
  #state = 0x2545f491
  #quietestDb = LEVEL_DB_MAX
  #frames = 0
  #peak = peakOf(LEVEL_DB_MIN)

  /** A frame that goes to the agent as it is. */
  listen(samples: Int16Array): void {
    let energy = 0
    for (let i = 0; i < samples.length; i++) energy += (samples[i] as number) ** 2
    const levelDb = 10 * Math.log10(energy / samples.length / FULL_SCALE ** 2 + 1e-12)
    this.#quietestDb = Math.min(this.#quietestDb, levelDb)
    if (++this.#frames < FRAMES) return
    const steps = Math.floor((Math.max(this.#quietestDb, LEVEL_DB_MIN) - LEVEL_DB_MIN) / STEP_DB)
    this.#peak = peakOf(LEVEL_DB_MIN + steps * STEP_DB)
    this.#quietestDb = LEVEL_DB_MAX
    this.#frames = 0
  }

  /** The next sample of the noise, uniform between its peaks. */
  next(): number {
    // Marsaglia's xorshift: flat enough for noise, and no secret depends on it.
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return Math.round((this.#state / 0x8000_0000) * this.#peak)
  }
}

function peakOf(levelDb: number): number {
  return FULL_SCALE * 10 ** (levelDb / 20) * Math.sqrt(3)
}
