import { sipLimits } from '../../lib/limits.ts'

interface Bucket {
  tokens: number
  filledAtMs: number
}

/**
 * A token bucket of new calls for each source host, so that no source takes all there is. It has a bounded memory: the host
 * that was quiet for longest is forgotten, and begins anew with a full bucket.
 */
export class SourceRate {
  /** The quietest first: a map keeps the order in which its keys came. */
  readonly #buckets = new Map<string, Bucket>()

  get size(): number {
    return this.#buckets.size
  }

  /** @returns false when this host has begun too many calls lately */
  takes(host: string, nowMs: number): boolean {
    const { newCallsPerSourcePerS, newCallsPerSourceBurst, callSourcesMax } = sipLimits
    const bucket = this.#buckets.get(host) ?? { tokens: newCallsPerSourceBurst, filledAtMs: nowMs }
    const grown = ((nowMs - bucket.filledAtMs) / 1_000) * newCallsPerSourcePerS
    bucket.tokens = Math.min(newCallsPerSourceBurst, bucket.tokens + grown)
    bucket.filledAtMs = nowMs
    this.#buckets.delete(host)
    this.#buckets.set(host, bucket)
    const [quietest] = this.#buckets.keys()
    if (this.#buckets.size > callSourcesMax && quietest !== undefined) this.#buckets.delete(quietest)
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }
}
