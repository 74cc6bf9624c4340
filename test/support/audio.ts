/** Measures on 16-bit samples at 8 kHz. */

export const SAMPLES_PER_MS = 8

export interface Span {
  readonly fromSample: number
  readonly toSample: number
}

/** Root mean square of a span in dB below a full-scale square; −Infinity for silence. */
export function levelDb(samples: Int16Array, span: Span = { fromSample: 0, toSample: samples.length }): number {
  let energy = 0
  for (let i = span.fromSample; i < span.toSample; i++) energy += (samples[i] ?? 0) ** 2
  return 10 * Math.log10(energy / (span.toSample - span.fromSample) / 32_768 ** 2)
}

export interface Alignment {
  /** The span begins in `heard` at `span.fromSample + lagSamples`. */
  readonly lagSamples: number
  /** Normalised correlation at that place, 1 for the same signal. */
  readonly correlation: number
}

const COARSE = 4

/**
 * Where a span of `source` lies in `heard`: the lag with the greatest normalised cross-correlation.
 * Searched on the signal at a quarter of the rate first, then sample by sample around the best place.
 * @param lagMin,lagMax search range in samples
 */
export function align(source: Int16Array, heard: Int16Array, span: Span, lagMin: number, lagMax: number): Alignment {
  const coarseSpan = {
    fromSample: Math.floor(span.fromSample / COARSE),
    toSample: Math.floor(span.toSample / COARSE),
  }
  const coarse = bestLag(
    decimate(source),
    decimate(heard),
    coarseSpan,
    Math.floor(lagMin / COARSE),
    Math.ceil(lagMax / COARSE),
  )
  const around = coarse.lagSamples * COARSE
  return bestLag(source, heard, span, around - 2 * COARSE, around + 2 * COARSE)
}

function bestLag(source: Int16Array, heard: Int16Array, span: Span, lagMin: number, lagMax: number): Alignment {
  let best: Alignment = { lagSamples: lagMin, correlation: -1 }
  for (let lagSamples = lagMin; lagSamples <= lagMax; lagSamples++) {
    const correlation = correlationAt(source, heard, span, lagSamples)
    if (correlation > best.correlation) best = { lagSamples, correlation }
  }
  return best
}

function correlationAt(source: Int16Array, heard: Int16Array, span: Span, lagSamples: number): number {
  let product = 0
  let sourceEnergy = 0
  let heardEnergy = 0
  for (let i = span.fromSample; i < span.toSample; i++) {
    const a = source[i] ?? 0
    const b = heard[i + lagSamples] ?? 0
    product += a * b
    sourceEnergy += a * a
    heardEnergy += b * b
  }
  return sourceEnergy === 0 || heardEnergy === 0 ? 0 : product / Math.sqrt(sourceEnergy * heardEnergy)
}

function decimate(samples: Int16Array): Int16Array {
  return Int16Array.from({ length: Math.floor(samples.length / COARSE) }, (_, i) => {
    let sum = 0
    for (let k = 0; k < COARSE; k++) sum += samples[i * COARSE + k] ?? 0
    return sum / COARSE
  })
}

export interface SpeechHeard extends Alignment {
  /** Level in `heard` minus level in `source`, dB. */
  readonly differenceDb: number
}

/** Finds a span of the source in the recording and compares the levels there. */
export function compareSpan(
  source: Int16Array,
  heard: Int16Array,
  span: Span,
  lagMin: number,
  lagMax: number,
): SpeechHeard {
  const alignment = align(source, heard, span, lagMin, lagMax)
  const there = {
    fromSample: span.fromSample + alignment.lagSamples,
    toSample: span.toSample + alignment.lagSamples,
  }
  return { ...alignment, differenceDb: levelDb(heard, there) - levelDb(source, span) }
}
