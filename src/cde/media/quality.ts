/** What one leg's call quality is made of. Only counts and times: nothing of what was said. */
import type { FarEndTotals } from './far-end.ts'
import type { ReceptionTotals } from './reception.ts'

/** The leg in both directions: what we received, and what the peer reports of what we sent. */
export interface LegQuality extends ReceptionTotals, FarEndTotals {
  /** RTP packets that we sent on this leg. */
  readonly sentPackets: number
}
