/** Histograms of call quality, one value per leg when its call has ended. Two labels of two words each: nothing of a call is in them. */
import { Histogram, type Registry } from 'prom-client'
import type { CallQualityView, LegQualityView } from './calls/quality.ts'

const RATIOS = [0, 0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5]
const JITTER_S = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2]
const ROUND_TRIP_S = [0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 1, 2]

export class QualityMetrics {
  readonly #loss: Histogram<'leg' | 'direction'>
  readonly #jitter: Histogram<'leg' | 'direction'>
  readonly #roundTrip: Histogram<'leg'>

  constructor(registry: Registry) {
    const registers = [registry]
    const both: ('leg' | 'direction')[] = ['leg', 'direction']
    this.#loss = new Histogram({
      name: 'tonewall_call_loss_ratio',
      help: 'Packets lost of those expected, by leg: received by us, or sent as the other end reports it.',
      labelNames: both,
      buckets: RATIOS,
      registers,
    })
    this.#jitter = new Histogram({
      name: 'tonewall_call_jitter_seconds',
      help: 'Mean interarrival jitter (RFC 3550) of a call, by leg: received by us, or sent as the other end reports it.',
      labelNames: both,
      buckets: JITTER_S,
      registers,
    })
    this.#roundTrip = new Histogram({
      name: 'tonewall_call_round_trip_seconds',
      help: 'Mean round trip of a call as RTCP measures it, by leg.',
      labelNames: ['leg'],
      buckets: ROUND_TRIP_S,
      registers,
    })
  }

  observe({ caller, agent }: CallQualityView): void {
    this.#observeLeg('caller', caller)
    this.#observeLeg('agent', agent)
  }

  #observeLeg(leg: 'caller' | 'agent', quality: LegQualityView): void {
    const { packets, lossRatio, jitterMs, farLossRatio, farJitterMs, roundTripMs } = quality
    // A leg that heard nothing has no quality; its silence is not the best one.
    if (packets > 0) {
      this.#loss.observe({ leg, direction: 'received' }, lossRatio)
      this.#jitter.observe({ leg, direction: 'received' }, jitterMs / 1_000)
    }
    if (farLossRatio !== undefined) this.#loss.observe({ leg, direction: 'sent' }, farLossRatio)
    if (farJitterMs !== undefined) this.#jitter.observe({ leg, direction: 'sent' }, farJitterMs / 1_000)
    if (roundTripMs !== undefined) this.#roundTrip.observe({ leg }, roundTripMs / 1_000)
  }
}
