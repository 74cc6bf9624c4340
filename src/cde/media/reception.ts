import { mediaLimits } from '../../lib/limits.ts'
import type { ReportBlock } from './rtcp.ts'
import type { RtpFields } from './rtp.ts'
import { sequenceStep } from './stream-continuity.ts'

/** All that came in on a leg, over all its sources. */
export interface ReceptionTotals {
  readonly packets: number
  /** Sum over the sources of what each did not deliver (RFC 3550 A.3); duplicates never make it negative. */
  readonly lost: number
  /** Mean over all packets of how much the transit time changed: what RFC 3550 A.8 estimates. */
  readonly jitterMs: number
  /** The worst that the running estimate of A.8 ever was. */
  readonly jitterMaxMs: number
}

/**
 * What one leg knows of the stream it receives, for its receiver reports: RFC 3550 A.1 (sequence), A.3 (loss) and A.8
 * (jitter). One source at a time; a new SSRC, or a jump, begins anew, and only the totals go on.
 */
export class Reception {
  #ssrc: number | undefined
  #baseSequence = 0
  /** Highest number seen, wraps added; grows beyond 16 bits */
  #highestSequence = 0
  #received = 0
  /** Received elsewhere since the newest number that was seen. */
  #unplaced = 0
  #perMs = 0
  #transitSamples = 0
  #jitterMs = 0
  #jitterMaxMs = 0
  #changes = 0
  #changedMs = 0
  #atLastReport = { expected: 0, received: 0 }
  #senderReport: { ssrc: number; ntpMiddle: number; atMs: number } | undefined
  /** Of the sources before this one. */
  readonly #earlier = { packets: 0, lost: 0 }

  /** @param perMs units of the packet's timestamp in a millisecond; 0 when it does not tell when the packet was sent */
  receive(rtp: RtpFields, nowMs: number, perMs: number): void {
    const step = sequenceStep(this.#highestSequence & 0xffff, rtp.sequence)
    if (rtp.ssrc !== this.#ssrc || Math.abs(step) > mediaLimits.sequenceJumpMax) this.#begin(rtp)
    else if (step > 0) this.#highestSequence += step
    this.#received += 1 + this.#unplaced
    this.#unplaced = 0
    if (perMs > 0) this.#measure(rtp.timestamp, nowMs, perMs)
  }

  /**
   * So many packets of the stream went another way, unseen. They count; the next number that is seen tells what is missing of
   * them, so it must be told before that packet.
   */
  wentElsewhere(packets: number): void {
    this.#unplaced += packets
  }

  /** A sender report of the peer: its time goes back in our next report. */
  senderReport(ssrc: number, ntpMiddle: number, nowMs: number): void {
    this.#senderReport = { ssrc, ntpMiddle, atMs: nowMs }
  }

  /** The report since the last one; undefined before the first packet. */
  report(nowMs: number): ReportBlock | undefined {
    if (this.#ssrc === undefined) return undefined
    const expected = this.#expected()
    const expectedNow = expected - this.#atLastReport.expected
    const lostNow = expectedNow - (this.#received - this.#atLastReport.received)
    this.#atLastReport = { expected, received: this.#received }
    const heard = this.#senderReport?.ssrc === this.#ssrc ? this.#senderReport : undefined
    return {
      ssrc: this.#ssrc,
      fractionLost: lostNow <= 0 ? 0 : Math.min(255, Math.floor((lostNow * 256) / expectedNow)),
      lostPackets: Math.max(-0x80_0000, Math.min(0x7f_ffff, expected - this.#received)),
      highestSequence: this.#highestSequence >>> 0,
      jitterSamples: Math.floor(this.#jitterMs * this.#perMs),
      lastReport: heard?.ntpMiddle ?? 0,
      sinceLastReport: heard === undefined ? 0 : Math.round((nowMs - heard.atMs) * 65.536),
    }
  }

  totals(): ReceptionTotals {
    return {
      packets: this.#earlier.packets + this.#received + this.#unplaced,
      lost: this.#earlier.lost + this.#lost(),
      jitterMs: this.#changes === 0 ? 0 : this.#changedMs / this.#changes,
      jitterMaxMs: this.#jitterMaxMs,
    }
  }

  #measure(timestamp: number, nowMs: number, perMs: number): void {
    const transitSamples = (Math.round(nowMs * perMs) - timestamp) | 0
    const changeMs = Math.abs((transitSamples - this.#transitSamples) | 0) / perMs
    const isFirst = this.#perMs !== perMs
    this.#perMs = perMs
    this.#transitSamples = transitSamples
    // A source that was held or set its clock anew has moved its timestamps; no network does that.
    if (isFirst || changeMs > mediaLimits.transitChangeMsMax) return
    // RFC 3550 A.8: a running mean over about 16 packets of how much the transit time changes.
    this.#jitterMs += (changeMs - this.#jitterMs) / 16
    this.#jitterMaxMs = Math.max(this.#jitterMaxMs, this.#jitterMs)
    this.#changedMs += changeMs
    this.#changes++
  }

  #begin(rtp: RtpFields): void {
    this.#end()
    this.#ssrc = rtp.ssrc
    this.#baseSequence = rtp.sequence
    this.#highestSequence = rtp.sequence
    this.#received = 0
    this.#perMs = 0
    this.#jitterMs = 0
    this.#atLastReport = { expected: 0, received: 0 }
  }

  /** What the source has delivered goes into the totals. */
  #end(): void {
    this.#earlier.packets += this.#received + this.#unplaced
    this.#unplaced = 0
    this.#earlier.lost += this.#lost()
  }

  #expected(): number {
    return this.#ssrc === undefined ? 0 : this.#highestSequence - this.#baseSequence + 1
  }

  #lost(): number {
    return Math.max(0, this.#expected() - this.#received)
  }
}
