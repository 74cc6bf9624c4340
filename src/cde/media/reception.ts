import { mediaLimits } from '../../lib/limits.ts'
import type { ReportBlock } from './rtcp.ts'
import type { RtpFields } from './rtp.ts'
import { sequenceStep } from './stream-continuity.ts'

const CLOCK_PER_MS = 8

/**
 * What one leg knows of the stream it receives, for its receiver reports: RFC 3550 A.1 (sequence), A.3 (loss) and A.8
 * (jitter). One source at a time; a new SSRC, or a jump, begins anew.
 */
export class Reception {
  #ssrc: number | undefined
  #baseSequence = 0
  /** Highest number seen, wraps added; grows beyond 16 bits */
  #highestSequence = 0
  #received = 0
  #transitSamples = 0
  #jitterSamples = 0
  #atLastReport = { expected: 0, received: 0 }
  #senderReport: { ssrc: number; ntpMiddle: number; atMs: number } | undefined

  receive(rtp: RtpFields, nowMs: number): void {
    const step = sequenceStep(this.#highestSequence & 0xffff, rtp.sequence)
    const transitSamples = (Math.round(nowMs * CLOCK_PER_MS) - rtp.timestamp) | 0
    if (rtp.ssrc !== this.#ssrc || Math.abs(step) > mediaLimits.sequenceJumpMax) this.#begin(rtp, transitSamples)
    else if (step > 0) this.#highestSequence += step
    this.#received++
    // RFC 3550 A.8: a running mean over about 16 packets of how much the transit time changes.
    const change = Math.abs((transitSamples - this.#transitSamples) | 0)
    this.#jitterSamples += (change - this.#jitterSamples) / 16
    this.#transitSamples = transitSamples
  }

  /** A sender report of the peer: its time goes back in our next report. */
  senderReport(ssrc: number, ntpMiddle: number, nowMs: number): void {
    this.#senderReport = { ssrc, ntpMiddle, atMs: nowMs }
  }

  /** The report since the last one; undefined before the first packet. */
  report(nowMs: number): ReportBlock | undefined {
    if (this.#ssrc === undefined) return undefined
    const expected = this.#highestSequence - this.#baseSequence + 1
    const expectedNow = expected - this.#atLastReport.expected
    const lostNow = expectedNow - (this.#received - this.#atLastReport.received)
    this.#atLastReport = { expected, received: this.#received }
    const heard = this.#senderReport?.ssrc === this.#ssrc ? this.#senderReport : undefined
    return {
      ssrc: this.#ssrc,
      fractionLost: lostNow <= 0 ? 0 : Math.min(255, Math.floor((lostNow * 256) / expectedNow)),
      lostPackets: Math.max(-0x80_0000, Math.min(0x7f_ffff, expected - this.#received)),
      highestSequence: this.#highestSequence >>> 0,
      jitterSamples: Math.floor(this.#jitterSamples),
      lastReport: heard?.ntpMiddle ?? 0,
      sinceLastReport: heard === undefined ? 0 : Math.round((nowMs - heard.atMs) * 65.536),
    }
  }

  #begin(rtp: RtpFields, transitSamples: number): void {
    this.#ssrc = rtp.ssrc
    this.#baseSequence = rtp.sequence
    this.#highestSequence = rtp.sequence
    this.#received = 0
    this.#transitSamples = transitSamples
    this.#jitterSamples = 0
    this.#atLastReport = { expected: 0, received: 0 }
  }
}
