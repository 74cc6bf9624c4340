/** Call quality as the API, the events and the metrics show it. */
import type { CallQualityReport, LegQualityReport } from '../../wall/call-quality.ts'

/** One leg. Ratios are of what should have come, 0 to 1. */
export interface LegQualityView {
  packets: number
  lost: number
  lossRatio: number
  jitterMs: number
  jitterMaxMs: number
  sentPackets: number
  /** What the other end reports of what we sent. */
  farLost?: number
  farLossRatio?: number
  farJitterMs?: number
  roundTripMs?: number
}

export interface CallQualityView {
  caller: LegQualityView
  agent: LegQualityView
}

export function callQualityView({ caller, agent }: CallQualityReport): CallQualityView {
  return { caller: legView(caller), agent: legView(agent) }
}

function legView(leg: LegQualityReport): LegQualityView {
  const { packets, lost, sentPackets, farLost } = leg
  return {
    packets,
    lost,
    lossRatio: ratio(lost, packets + lost),
    jitterMs: leg.jitterMicroseconds / 1_000,
    jitterMaxMs: leg.jitterMaxMicroseconds / 1_000,
    sentPackets,
    // The peer's word is its own: it may say that it lost more than was ever sent.
    ...(farLost !== undefined && { farLost, farLossRatio: ratio(Math.min(farLost, sentPackets), sentPackets) }),
    ...(leg.farJitterMicroseconds !== undefined && { farJitterMs: leg.farJitterMicroseconds / 1_000 }),
    ...(leg.roundTripMicroseconds !== undefined && { roundTripMs: leg.roundTripMicroseconds / 1_000 }),
  }
}

/** To four places. */
function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 10_000
}
