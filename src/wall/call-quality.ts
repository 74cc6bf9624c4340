/** Call quality as it crosses the wall: part of its message list. Whole numbers, bounded, with nothing of what was said in them. */
import { z } from 'zod'

const packets = z.number().int().min(0).max(1_000_000_000)
const microseconds = z.number().int().min(0).max(10_000_000)

/** One leg, both ways (RFC 3550 6.4.1). What begins with `far` its peer reports of what we sent. */
export const legQuality = z.strictObject({
  packets,
  lost: packets,
  /** Mean over the call. */
  jitterMicroseconds: microseconds,
  /** The worst value of the running estimate of RFC 3550 A.8. */
  jitterMaxMicroseconds: microseconds,
  sentPackets: packets,
  farLost: packets.optional(),
  farJitterMicroseconds: microseconds.optional(),
  roundTripMicroseconds: microseconds.optional(),
})
export type LegQualityReport = z.infer<typeof legQuality>

export const callQuality = z.strictObject({ caller: legQuality, agent: legQuality })
export type CallQualityReport = z.infer<typeof callQuality>
