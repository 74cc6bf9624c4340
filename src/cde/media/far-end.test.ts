// RFC 3550 6.4.1: the round trip, and what the peer says of our stream.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import { mediaLimits } from '../../lib/limits.ts'
import { FarEnd } from './far-end.ts'
import { type ReportBlock, writeReport } from './rtcp.ts'
import { RtcpSession } from './rtcp-session.ts'
import { writeRtp } from './rtp.ts'

const block: ReportBlock = {
  ssrc: 1,
  fractionLost: 0,
  lostPackets: 0,
  highestSequence: 0,
  jitterSamples: 0,
  lastReport: 0,
  sinceLastReport: 0,
}

function rtp(n: number, ssrc: number): Uint8Array {
  return writeRtp(
    { payloadType: 8, marker: false, sequence: n & 0xffff, timestamp: n * 160, ssrc },
    new Uint8Array(160),
  )
}

test('two legs on a slow and lossy line learn its round trip and what the other side lost of their stream', () => {
  const random = seededRandom(21)
  const [near, far] = [new RtcpSession({ random }), new RtcpSession({ random })]
  const [thereMs, backMs] = [37, 58]
  const onTheWay: { atMs: number; arrive: () => void }[] = []
  let lost = 0
  // The far side's clock began long before: times are compared by the reports only.
  const farStartMs = 1_000_000
  for (let nowMs = 0; nowMs < 120_000; nowMs++) {
    if (nowMs % 20 === 0) {
      const n = nowMs / 20
      near.sent(rtp(n, 0xaaaa_aaaa), nowMs)
      if (n > 0 && randomUnit(random) < 0.05) lost++
      else {
        const atMs = nowMs + thereMs
        onTheWay.push({ atMs, arrive: () => far.received(rtp(n, 0xaaaa_aaaa), farStartMs + atMs) })
      }
      far.sent(rtp(n, 0xbbbb_bbbb), farStartMs + nowMs)
      const atMs = nowMs + backMs
      onTheWay.push({ atMs, arrive: () => near.received(rtp(n, 0xbbbb_bbbb), atMs) })
    }
    const report = near.wake(nowMs)
    if (report !== undefined) {
      const atMs = nowMs + thereMs
      onTheWay.push({ atMs, arrive: () => far.receive(report, farStartMs + atMs) })
    }
    const answer = far.wake(farStartMs + nowMs)
    if (answer !== undefined) {
      const atMs = nowMs + backMs
      onTheWay.push({ atMs, arrive: () => near.receive(answer, atMs) })
    }
    for (const { arrive } of onTheWay.filter(({ atMs }) => atMs === nowMs)) arrive()
    onTheWay.splice(0, onTheWay.length, ...onTheWay.filter(({ atMs }) => atMs > nowMs))
  }
  const quality = near.quality()
  const roundTripMs = quality.roundTripMs ?? assert.fail()
  assert.ok(Math.abs(roundTripMs - (thereMs + backMs)) < 0.1, `${roundTripMs}`)
  assert.ok(Math.abs((far.quality().roundTripMs ?? 0) - (thereMs + backMs)) < 0.1)
  // The far side has told all but what was lost after its last report.
  const farLost = quality.farLost ?? assert.fail()
  assert.equal(far.quality().lost, lost)
  assert.ok(farLost <= lost && farLost >= lost - 25, `${farLost} of ${lost}`)
  assert.equal(quality.farJitterMs, 0)
  assert.equal(quality.sentPackets, 6_000)
})

test('what is said of another source, or about reports that were never ours, measures nothing', () => {
  const session = new RtcpSession({ random: seededRandom(22) })
  session.sent(rtp(1, 77), 0)
  session.receive(writeReport(9, 'peer', undefined, [{ ...block, ssrc: 78, lostPackets: 5 }]), 1_000)
  assert.equal(session.quality().farLost, undefined)

  const farEnd = new FarEnd()
  for (const lastReport of [0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1]) {
    farEnd.report({ ...block, lastReport, lostPackets: -4, jitterSamples: 80 }, mediaLimits.roundTripMsMax + 60_000, 8)
  }
  assert.deepEqual(farEnd.totals(), { farLost: 0, farJitterMs: 10 })
})

test('the round trip goes on when the time of the reports wraps', () => {
  const farEnd = new FarEnd()
  // 2^32 units of 2^-16 s are 18 h 12 min 16 s.
  const wrapMs = 2 ** 32 / 65.536
  const lastReport = 2 ** 32 - 65_536
  farEnd.report({ ...block, lastReport, sinceLastReport: 65_536 + 32_768 }, wrapMs + 600, 8)
  assert.ok(Math.abs((farEnd.totals().roundTripMs ?? 0) - 100) < 0.1)
})
