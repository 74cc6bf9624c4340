/** How much of known keys a recording gives away. Counts only: a finder must not leak. */
import { readFileSync } from 'node:fs'
import { keySymbol } from '../cde/dtmf/key-codes.ts'
import { toBaseRate } from '../cde/media/resample.ts'
import { type Advantage, advantageOf, mostLikelyKey } from '../sim/known-plaintext.ts'
import { UsageError } from './command.ts'
import { checkForLeaks } from './demo/leak-check.ts'

/** One key of the truth: what was pressed, and when in the recording. */
export interface TruthKey {
  readonly key: number
  readonly startMs: number
  readonly endMs: number
}

export interface Judgement {
  readonly tried: number
  /** Keys that decoders heard anywhere; the highest count of any. */
  readonly heardByDecoders: number
  readonly decoders: readonly string[]
  /** The decoder that is told where each key was and guesses 1 of 16. */
  readonly leastSquares: Advantage
}

const KEYS = Array.from({ length: 16 }, (_, key) => keySymbol(key))
const TRUTH_KEYS_MAX = 1_000_000

/** @throws UsageError when the file is no list of `{ "key": "5", "startMs": 1000, "endMs": 1080 }` */
export function readTruth(file: string): TruthKey[] {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    throw new UsageError('the truth cannot be read or is not JSON')
  }
  if (!Array.isArray(json) || json.length > TRUTH_KEYS_MAX) throw new UsageError('the truth is a list of keys')
  return json.map((entry: unknown) => {
    const { key, startMs, endMs } = Object(entry) as Record<'key' | 'startMs' | 'endMs', unknown>
    const code = typeof key === 'string' ? KEYS.indexOf(key) : -1
    if (code === -1 || typeof startMs !== 'number' || typeof endMs !== 'number' || !(endMs > startMs)) {
      throw new UsageError('each key of the truth has "key" (0–9, *, #, A–D), "startMs" and "endMs"')
    }
    return { key: code, startMs, endMs }
  })
}

/** @param channels of the masked recording; the worst channel counts */
export function judge(channels: readonly Int16Array[], rateHz: number, truth: readonly TruthKey[]): Judgement {
  const narrow = channels.map((samples) => toBaseRate(samples, rateHz))
  const checks = narrow.map((samples) => checkForLeaks(samples, ['reporter', 'multimon-ng']))
  const right = narrow.map(
    (samples) =>
      truth.filter(({ key, startMs, endMs }) => {
        const span = samples.subarray(Math.round(startMs * 8), Math.round(endMs * 8))
        return span.length > 0 && mostLikelyKey(span) === key
      }).length,
  )
  return {
    tried: truth.length,
    heardByDecoders: Math.max(0, ...checks.map(({ recovered }) => recovered)),
    decoders: checks[0]?.decoders ?? [],
    leastSquares: advantageOf(Math.max(0, ...right), truth.length),
  }
}
