// RFC 3550 A.3 and A.8: what a leg says of its stream is what the network did to it. The network here is seeded, and keeps
// its own books: it knows what it lost, and how late each packet was.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RandomBytes, randomUnit, seededRandom } from '../../lib/random.ts'
import { Reception } from './reception.ts'
import type { RtpFields } from './rtp.ts'

interface Arrival {
  readonly rtp: RtpFields
  readonly atMs: number
}

interface Path {
  readonly loss: number
  readonly jitterMs: number
  readonly twice: number
}

function rtp(n: number, ssrc = 5, perPacket = 160): RtpFields {
  return { payloadType: 8, marker: false, sequence: n & 0xffff, timestamp: (n * perPacket) >>> 0, ssrc }
}

/** `count` packets, one each 20 ms from `fromMs`. The first and the last always arrive: loss at an end cannot be seen. */
function send(count: number, fromMs: number, ssrc: number, path: Path, random: RandomBytes) {
  const arrivals: Arrival[] = []
  let lost = 0
  let repeated = 0
  for (let n = 0; n < count; n++) {
    const isEnd = n === 0 || n === count - 1
    if (!isEnd && randomUnit(random) < path.loss) {
      lost++
      continue
    }
    const atMs = fromMs + n * 20 + randomUnit(random) * path.jitterMs
    arrivals.push({ rtp: rtp(65_000 + n, ssrc), atMs })
    if (randomUnit(random) >= path.twice) continue
    repeated++
    arrivals.push({ rtp: rtp(65_000 + n, ssrc), atMs: atMs + 1 })
  }
  return { arrivals: arrivals.toSorted((a, b) => a.atMs - b.atMs), lost, repeated }
}

/** RFC 3550 A.8 as it is printed there, on the times that the network knows. */
function jitterOf(arrivals: readonly Arrival[]): { running: number; mean: number; max: number } {
  let running = 0
  let max = 0
  const changes: number[] = []
  for (const [index, { rtp: now, atMs }] of arrivals.entries()) {
    const before = arrivals[index - 1]
    if (before === undefined) continue
    const d = atMs - before.atMs - ((now.timestamp - before.rtp.timestamp) | 0) / 8
    running += (Math.abs(d) - running) / 16
    max = Math.max(max, running)
    changes.push(Math.abs(d))
  }
  return { running, mean: changes.reduce((a, b) => a + b, 0) / changes.length, max }
}

function near(actual: number, wanted: number, within: number, what: string): void {
  assert.ok(Math.abs(actual - wanted) <= within, `${what}: ${actual}, wanted ${wanted}`)
}

test('loss and jitter are what the network did', () => {
  for (const [seed, path] of [
    { loss: 0, jitterMs: 0, twice: 0 },
    { loss: 0.01, jitterMs: 5, twice: 0 },
    { loss: 0.1, jitterMs: 15, twice: 0 },
    { loss: 0.3, jitterMs: 60, twice: 0 },
  ].entries()) {
    const random = seededRandom(seed)
    const { arrivals, lost } = send(4_000, 500, 5, path, random)
    const reception = new Reception()
    for (const { rtp: packet, atMs } of arrivals) reception.receive(packet, atMs, 8)
    const truth = jitterOf(arrivals)
    const totals = reception.totals()
    const what = `seed ${seed}`
    assert.equal(totals.lost, lost, what)
    assert.equal(totals.packets, arrivals.length, what)
    // A packet's arrival is rounded to one sample, an eighth of a millisecond.
    near(totals.jitterMs, truth.mean, 0.1, `${what} mean`)
    near(totals.jitterMaxMs, truth.max, 0.13, `${what} max`)
    const report = reception.report(200_000) ?? assert.fail()
    near(report.jitterSamples / 8, truth.running, 0.25, `${what} running`)
    assert.equal(report.lostPackets, lost, what)
    assert.equal(report.fractionLost, Math.floor((lost * 256) / 4_000), what)
    // Two delays, both even over the same width, differ by a third of it on average (Laplace's triangle): the law, not our sums.
    if (path.loss === 0.1) near(totals.jitterMs, path.jitterMs / 3, 0.3, `${what} law`)
  }
})

test('repeated packets hide loss in the report, as the RFC has it, and never make it negative in the totals', () => {
  const random = seededRandom(11)
  const { arrivals, lost, repeated } = send(1_000, 0, 5, { loss: 0.02, jitterMs: 0, twice: 0.2 }, random)
  const reception = new Reception()
  for (const { rtp: packet, atMs } of arrivals) reception.receive(packet, atMs, 8)
  assert.equal(reception.report(30_000)?.lostPackets, lost - repeated)
  assert.equal(reception.totals().lost, 0)
})

test('totals go on over sources that change and start again; the gap between two sources is no loss', () => {
  const random = seededRandom(12)
  const reception = new Reception()
  let lost = 0
  let packets = 0
  for (let source = 0; source < 10; source++) {
    // Two in a row have the same SSRC and jump in their numbers.
    const sent = send(500, source * 60_000, 100 + (source >> 1), { loss: 0.05, jitterMs: 8, twice: 0 }, random)
    for (const { rtp: packet, atMs } of sent.arrivals) {
      const sequence = (packet.sequence + source * 20_000) & 0xffff
      reception.receive({ ...packet, sequence }, atMs, 8)
    }
    lost += sent.lost
    packets += sent.arrivals.length
  }
  const totals = reception.totals()
  assert.deepEqual([totals.packets, totals.lost], [packets, lost])
  assert.ok(totals.jitterMaxMs < 8, `${totals.jitterMaxMs}`)
})

test('packets that crossed elsewhere count, and what of them is missing is lost', () => {
  const reception = new Reception()
  for (let n = 0; n < 100; n++) reception.receive(rtp(n), n * 20, 8)
  reception.wentElsewhere(700)
  reception.wentElsewhere(97)
  for (let n = 900; n < 1_000; n++) reception.receive(rtp(n), n * 20, 8)
  const { packets, lost, jitterMs } = reception.totals()
  assert.deepEqual([packets, lost, jitterMs], [997, 3, 0])
  assert.equal(reception.report(20_000)?.lostPackets, 3)
})

test('of packets that crossed elsewhere the loss is known by those that are seen in between', () => {
  const random = seededRandom(13)
  const path = { loss: 0.04, jitterMs: 12, twice: 0 }
  const { arrivals, lost } = send(20_000, 0, 5, path, random)
  const reception = new Reception()
  let elsewhere = 0
  for (const [index, { rtp: packet, atMs }] of arrivals.entries()) {
    const isSeen = index < 100 || packet.sequence % 128 === 0 || index > arrivals.length - 50
    // They are counted at any time, and told at once: those behind the newest number that was seen hide no loss before it.
    const lostBefore = reception.totals().lost
    reception.wentElsewhere(isSeen ? 0 : 1)
    assert.equal(reception.totals().lost, lostBefore)
    if (isSeen) reception.receive(packet, atMs, 8)
    else elsewhere++
  }
  const { packets, lost: told, jitterMs } = reception.totals()
  assert.ok(elsewhere > 18_000)
  assert.deepEqual([packets, told], [arrivals.length, lost], 'seed 13')
  near(jitterMs, path.jitterMs / 3, 0.8, 'jitter of a packet in 128')
})

test('events, which keep the time of their beginning, are no jitter; nor are holds; 48 kHz is measured in its own clock', () => {
  const reception = new Reception()
  for (let n = 0; n < 200; n++) {
    const isEvent = n % 50 > 40
    const timestamp = isEvent ? (n - (n % 50) + 41) * 160 : n * 160
    reception.receive({ ...rtp(n), timestamp, payloadType: isEvent ? 101 : 8 }, n * 20, isEvent ? 0 : 8)
  }
  assert.equal(reception.totals().jitterMs, 0)
  // Nothing for a minute; the source's clock stood still meanwhile.
  for (let n = 200; n < 300; n++) reception.receive(rtp(n), n * 20 + 60_000, 8)
  assert.equal(reception.totals().jitterMaxMs, 0)

  const wide = new Reception()
  for (let n = 0; n < 400; n++) wide.receive(rtp(n, 5, 960), n * 20 + (n % 2) * 10, 48)
  near(wide.totals().jitterMs, 10, 0.1, 'wide')
  near((wide.report(9_000)?.jitterSamples ?? 0) / 48, 10, 0.1, 'wide report')
})
