// MED-09: RTCP ends at each leg.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../lib/random.ts'
import { parseRtcp, writeReport } from './rtcp.ts'
import { RtcpSession } from './rtcp-session.ts'
import { writeRtp } from './rtp.ts'

function rtp(sequence: number, timestamp = sequence * 160, ssrc = 5): Uint8Array {
  return writeRtp({ payloadType: 8, marker: false, sequence, timestamp, ssrc }, new Uint8Array(160))
}

/** The report of a session at the time it is due. */
function nextReport(session: RtcpSession): { bytes: Uint8Array; view: DataView; atMs: number } {
  const atMs = session.nextWakeAtMs()
  assert.ok(atMs !== undefined)
  const bytes = session.wake(atMs)
  assert.ok(bytes !== undefined)
  return { bytes, view: new DataView(bytes.buffer), atMs }
}

test('nothing is due before the first packet; then reports come about every 5 s, never in step', () => {
  const session = new RtcpSession({ random: seededRandom(1) })
  assert.equal(session.nextWakeAtMs(), undefined)
  assert.equal(session.wake(1e9), undefined)
  session.sent(rtp(1), 1_000)
  let beforeMs = 1_000
  for (let i = 0; i < 50; i++) {
    const { atMs } = nextReport(session)
    const waitedMs = atMs - beforeMs
    assert.ok(
      waitedMs >= (i === 0 ? 1_250 : 2_500) && waitedMs <= (i === 0 ? 3_750 : 7_500),
      `report ${i} after ${waitedMs} ms`,
    )
    assert.equal(session.wake(atMs), undefined)
    beforeMs = atMs
  }
})

test('who has sent writes a sender report about its stream, who has not a receiver report', () => {
  const session = new RtcpSession({ random: seededRandom(2) })
  session.sent(rtp(1, 0, 77), 0)
  session.sent(rtp(2, 160, 77), 20)
  const { view, atMs } = nextReport(session)
  assert.equal(view.getUint8(1), 200)
  assert.equal(view.getUint32(4), 77)
  assert.equal(view.getUint32(8), Math.floor(atMs / 1_000))
  assert.equal(view.getUint32(16), 160 + Math.round((atMs - 20) * 8))
  assert.deepEqual([view.getUint32(20), view.getUint32(24)], [2, 320])
  // Nothing was sent since: the next one is a receiver report, still under the stream's SSRC.
  const idle = nextReport(session).view
  assert.deepEqual([idle.getUint8(1), idle.getUint32(4)], [201, 77])
})

test('a receiver report counts loss, wraps and jitter as RFC 3550 A does', () => {
  const session = new RtcpSession({ random: seededRandom(3) })
  // 65,534 … 65,535, 0 … 7 with two lost, one late and one repeated; even pace.
  for (const n of [65_534, 65_535, 65_536, 65_538, 65_537, 65_538, 65_541, 65_543]) {
    session.received(rtp(n & 0xffff, n * 160), n * 20)
  }
  const { view } = nextReport(session)
  assert.equal(view.getUint8(0) & 31, 1)
  assert.equal(view.getUint32(8), 5)
  // Expected 10, received 8: 51/256 of the interval, 2 in all.
  assert.equal(view.getUint32(12), (51 << 24) | 2)
  assert.equal(view.getUint32(16), 65_543 - 65_534 + 65_534)
  assert.equal(view.getUint32(20), 0)
  // No packet since: no loss in the interval, the total stays.
  assert.equal(nextReport(session).view.getUint32(12), 2)
})

test('a late last packet is no gap', () => {
  const session = new RtcpSession({ random: seededRandom(3) })
  for (const n of [1, 2, 4, 3]) session.received(rtp(n), n * 20)
  const { view } = nextReport(session)
  assert.deepEqual([view.getUint32(12), view.getUint32(16)], [0, 4])
})

test('uneven arrival shows as jitter', () => {
  const session = new RtcpSession({ random: seededRandom(4) })
  for (let n = 0; n < 200; n++) session.received(rtp(n), n * 20 + (n % 2) * 10)
  const jitterSamples = nextReport(session).view.getUint32(20)
  // Each packet changes the transit time by 10 ms, 80 samples: the running mean tends to that.
  assert.ok(jitterSamples >= 70 && jitterSamples <= 80, `${jitterSamples}`)
})

test('the time of the peer’s sender report goes back to it; another SSRC’s does not', () => {
  const session = new RtcpSession({ random: seededRandom(5) })
  const sender = { ntpSeconds: 0x1111_2222, ntpFraction: 0x3333_4444, timestamp: 0, packets: 1, octets: 1 }
  session.received(rtp(1), 0)
  session.receive(writeReport(5, 'peer', sender, []), 10)
  const { view, atMs } = nextReport(session)
  assert.equal(view.getUint32(24), 0x2222_3333)
  assert.equal(view.getUint32(28), Math.round((atMs - 10) * 65.536))
  session.receive(writeReport(6, 'other', sender, []), atMs)
  assert.equal(nextReport(session).view.getUint32(24), 0)
})

test('whatever the peer sends is counted by kind and answered with nothing', () => {
  const session = new RtcpSession({ random: seededRandom(6) })
  for (const type of [200, 201, 203, 204, 205, 207, 192])
    session.receive(Uint8Array.of(0x80, type, 0, 1, 0, 0, 0, 7), 0)
  session.receive(Uint8Array.of(1, 2, 3), 0)
  assert.equal(session.nextWakeAtMs(), undefined)
  assert.deepEqual(session.counters(), {
    rtcp_received_sr: 1,
    rtcp_received_rr: 1,
    rtcp_received_bye: 1,
    rtcp_received_app: 1,
    rtcp_received_feedback: 1,
    rtcp_received_xr: 1,
    rtcp_received_unknown: 1,
    rtcp_refused: 1,
  })
})

test('each leg has its own CNAME, of letters only', () => {
  const random = seededRandom(7)
  const names = [0, 1].map(() => {
    const session = new RtcpSession({ random })
    session.sent(rtp(1), 0)
    const { bytes } = nextReport(session)
    assert.notEqual(typeof parseRtcp(bytes), 'string')
    return /[A-Z]{36}/.exec(Buffer.from(bytes).toString('latin1'))?.[0]
  })
  assert.ok(names[0] !== undefined && names[1] !== undefined && names[0] !== names[1])
})

test('what crossed in the kernel is in the reports and in the quality of both legs', () => {
  const session = new RtcpSession({ random: seededRandom(5) })
  session.sentRtp(9, 160, 160, 0)
  session.sentElsewhere(99, 99 * 160)
  session.receivedRtp({ payloadType: 8, marker: false, sequence: 1, timestamp: 160, ssrc: 8 }, 0)
  session.receivedElsewhere(126, 2_500)
  session.receivedRtp({ payloadType: 8, marker: false, sequence: 128, timestamp: 128 * 160, ssrc: 8 }, 2_540)
  assert.equal(session.receivedAtMs, 2_540)
  const { packets, lost, sentPackets } = session.quality()
  assert.deepEqual({ packets, lost, sentPackets }, { packets: 128, lost: 0, sentPackets: 100 })
  const report = session.wake(session.nextWakeAtMs() ?? 0) ?? new Uint8Array()
  const senderPackets = new DataView(report.buffer, report.byteOffset).getUint32(20)
  assert.equal(senderPackets, 100)
})
