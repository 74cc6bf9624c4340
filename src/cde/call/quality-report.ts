/** What a leg has measured, in the whole and bounded numbers that cross the wall. */
import type { LegQuality } from '../media/quality.ts'
import type { CallQualityReport, LegQualityReport } from '../../wall/call-quality.ts'

const PACKETS_MAX = 1_000_000_000
const MICROSECONDS_MAX = 10_000_000

export function qualityReport(caller: LegQuality, agent: LegQuality): CallQualityReport {
  return { caller: legReport(caller), agent: legReport(agent) }
}

function legReport(leg: LegQuality): LegQualityReport {
  return {
    packets: count(leg.packets),
    lost: count(leg.lost),
    jitterMicroseconds: microseconds(leg.jitterMs),
    jitterMaxMicroseconds: microseconds(leg.jitterMaxMs),
    sentPackets: count(leg.sentPackets),
    ...(leg.farLost !== undefined && { farLost: count(leg.farLost) }),
    ...(leg.farJitterMs !== undefined && { farJitterMicroseconds: microseconds(leg.farJitterMs) }),
    ...(leg.roundTripMs !== undefined && { roundTripMicroseconds: microseconds(leg.roundTripMs) }),
  }
}

function count(packets: number): number {
  return Math.min(packets, PACKETS_MAX)
}

function microseconds(ms: number): number {
  return Math.min(Math.round(ms * 1_000), MICROSECONDS_MAX)
}
