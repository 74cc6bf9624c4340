/**
 * Call quality against an independent reader: a leg's packets, as they are on the wire at our ports, go into a pcap file; tshark
 * reads our sender and receiver reports, and works out loss, jitter and round trip from the packets by itself. The network between
 * is seeded and keeps its own books.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import test from 'node:test'
import { MediaPorts } from '../../src/cde/call/media-ports.ts'
import { PortPool } from '../../src/cde/media/ports.ts'
import { RtcpSession } from '../../src/cde/media/rtcp-session.ts'
import { randomUnit, seededRandom } from '../../src/lib/random.ts'
import type { CallQualityReport } from '../../src/wall/call-quality.ts'
import { missing } from '../support/have.ts'
import { MediaCall, rtcpOf } from '../support/media-call.ts'
import { MemoryPorts } from '../support/memory-ports.ts'
import { type PcapPacket, writePcap } from '../support/pcap.ts'
import { mustRun } from '../support/processes.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

const CALL_MS = 60_000
const THERE_MS = 41
const BACK_MS = 24
const LOSS = 0.04
const JITTER_MS = 18

interface Flight {
  readonly atMs: number
  readonly arrive: () => void
}

/** One call of a minute on a bad line; the caller's phone writes RTCP too. */
async function badLine(seed: number) {
  let nowMs = 0
  const random = seededRandom(seed)
  const network = new MemoryPorts()
  const ports = new MediaPorts('192.0.2.1', new PortPool(10_000, 10_003, random), network, () => nowMs)
  let quality: CallQualityReport | undefined
  const onEvent = (event: { type: string; quality?: CallQualityReport }): void =>
    void (quality = event.quality ?? quality)
  const call = await MediaCall.open({ network, ports, random, nowMs: () => nowMs, onEvent })
  call.agree(0)
  const phone = new RtcpSession({ random })
  const { caller, agent } = call.speakers
  const { port } = call.media.addresses.caller
  const wire: PcapPacket[] = []
  const flights: Flight[] = []
  let lost = 0
  let lostBack = 0
  const capture = (datagram: Uint8Array, from: number, to: number): void =>
    void wire.push({ atMicros: Math.round(nowMs * 1_000), rtp: datagram.slice(), ports: [from, to] })
  const towardsUs = (datagram: Uint8Array, rtcp: boolean, delayMs: number): void => {
    const from = rtcp ? rtcpOf(caller.address) : caller.address
    const to = rtcp ? port + 1 : port
    const arrive = (): void => {
      capture(datagram, from.port, to)
      network.arrive(to, datagram, from)
    }
    flights.push({ atMs: nowMs + delayMs, arrive })
  }
  network.onSent = (from, to, octets) => {
    if (to.host !== caller.address.host) return
    const datagram = octets.slice()
    capture(datagram, from.port, to.port)
    const isRtcp = from.port === port + 1
    if (!isRtcp && nowMs > 1_000 && nowMs < CALL_MS - 12_000 && randomUnit(random) < LOSS) lostBack++
    else {
      const arrive = isRtcp ? () => phone.receive(datagram, nowMs) : () => phone.received(datagram, nowMs)
      flights.push({ atMs: nowMs + THERE_MS, arrive })
    }
  }
  for (let ms = 0; ms < CALL_MS; ms++) {
    nowMs = ms
    if (ms % 20 === 0) {
      caller.step()
      agent.step()
      const packet = caller.packet(new Uint8Array(160))
      phone.sent(packet, nowMs)
      if (ms > 1_000 && ms < CALL_MS - 1_000 && randomUnit(random) < LOSS) lost++
      else towardsUs(packet, false, BACK_MS + randomUnit(random) * JITTER_MS)
      network.arrive(call.media.addresses.agent.port, agent.packet(new Uint8Array(160)), agent.address)
    }
    const report = phone.wake(nowMs)
    if (report !== undefined) towardsUs(report, true, BACK_MS)
    for (const flight of flights.filter(({ atMs }) => atMs < ms + 1).sort((a, b) => a.atMs - b.atMs)) {
      nowMs = flight.atMs
      flights.splice(flights.indexOf(flight), 1)
      flight.arrive()
    }
    nowMs = ms + 1
    call.media.wake(nowMs)
  }
  call.media.close(nowMs)
  assert.ok(quality !== undefined)
  return { wire, quality: quality.caller, lost, lostBack, port, callerPort: caller.address.port }
}

type Frame = Readonly<Record<string, readonly string[] | undefined>>

/** The values of some fields of all RTCP frames. */
async function rtcpFields(file: string, rtcpPort: number, fields: readonly string[]): Promise<Frame[]> {
  const output = await mustRun(
    'tshark',
    [
      ...['-r', file, '-d', `udp.port==${rtcpPort},rtcp`, '-Y', 'rtcp', '-T', 'fields', '-E', 'separator=|'],
      ...['-o', 'rtcp.show_roundtrip_calculation:TRUE', '-o', 'rtcp.roundtrip_min_threshhold:0'],
      ...fields.flatMap((field) => ['-e', field]),
    ],
    { timeoutMs: 60_000 },
  )
  const lines = output.toString('utf8').trimEnd().split('\n')
  return lines.map((line) => {
    const values = line.split('|').map((value) => (value === '' ? undefined : value.split(',')))
    return Object.fromEntries(fields.map((field, i) => [field, values[i]]))
  })
}

function near(actual: number, wanted: number, within: number, what: string): void {
  assert.ok(Math.abs(actual - wanted) <= within, `${what}: ${actual}, wanted ${wanted}`)
}

for (const seed of [71, 72]) {
  test(`tshark reads our reports, and measures the same loss, jitter and round trip, seed ${seed}`, {
    skip: missing('tshark'),
  }, async () => {
    await using folder = await temporaryFolder('tshark')
    const { wire, quality, lost, lostBack, port, callerPort } = await badLine(seed)
    const file = folder.file('leg.pcap')
    await writeFile(file, writePcap(wire))

    // What the network knows.
    assert.deepEqual([quality.lost, quality.packets], [lost, CALL_MS / 20 - lost - 1])
    near(quality.jitterMicroseconds / 1_000, JITTER_MS / 3, 0.4, 'jitter by the law of two even delays')
    near((quality.roundTripMicroseconds ?? 0) / 1_000, THERE_MS + BACK_MS, 1.1, 'round trip')
    assert.equal(quality.farLost, lostBack)

    // What tshark makes of the packets. `Mean Jitter` is the mean of RFC 3550 A.8's running estimate.
    const streams = await mustRun('tshark', ['-r', file, '-d', `udp.port==${port},rtp`, '-q', '-z', 'rtp,streams'], {
      timeoutMs: 60_000,
    })
    const line = streams
      .toString('utf8')
      .split('\n')
      .find((text) => text.includes(` ${callerPort} `) && text.includes(` ${port} `) && text.includes('g711A'))
    const [, seenPackets, seenLost] = /g711A\s+(\d+)\s+(-?\d+) \(/.exec(line ?? '') ?? assert.fail(streams.toString())
    assert.deepEqual([Number(seenPackets), Number(seenLost)], [quality.packets, lost])
    const [, meanJitter, maxJitter] =
      /g711A\s+\d+\s+-?\d+ \([^)]*\)(?:\s+-?[\d.]+){3}\s+[\d.]+\s+([\d.]+)\s+([\d.]+)/.exec(line ?? '') ??
      assert.fail(line)
    near(Number(meanJitter), quality.jitterMicroseconds / 1_000, 0.4, 'mean jitter')
    near(Number(maxJitter), quality.jitterMaxMicroseconds / 1_000, 0.2, 'worst jitter')

    // What tshark reads in our reports, and the round trip that it works out of the peer's.
    const frames = await rtcpFields(file, port + 1, [
      ...['udp.srcport', 'rtcp.pt', 'rtcp.ssrc.cum_nr', 'rtcp.ssrc.jitter', 'rtcp.sdes.type'],
      ...['rtcp.roundtrip-delay', '_ws.malformed', 'rtcp.length_check'],
    ])
    assert.ok(frames.length > 15, `${frames.length} reports`)
    for (const frame of frames) {
      assert.equal(frame['_ws.malformed'], undefined)
      assert.deepEqual(frame['rtcp.length_check'], ['1'])
      assert.deepEqual(frame['rtcp.pt'], ['200', '202'], 'a sender report, then a source description')
      assert.ok(frame['rtcp.sdes.type']?.includes('1'), 'with a CNAME')
    }
    const ours = frames.filter((frame) => frame['udp.srcport']?.[0] === String(port + 1))
    const last = ours.at(-1) ?? assert.fail('no report of ours')
    const lostByThen = Number(last['rtcp.ssrc.cum_nr']?.[0])
    assert.ok(lostByThen <= lost && lostByThen > lost / 2, `${lostByThen} of ${lost}`)
    near(Number(last['rtcp.ssrc.jitter']?.[0]) / 8, JITTER_MS / 3, 4, 'jitter in the last report')
    // The wire is looked at here, where the peer's reports have made the whole way and ours none.
    const theirs = frames.filter((frame) => frame['udp.srcport']?.[0] !== String(port + 1))
    const roundTrips = theirs.flatMap((frame) => frame['rtcp.roundtrip-delay'] ?? []).map(Number)
    assert.ok(roundTrips.length > 5, `${roundTrips.length} round trips`)
    for (const roundTripMs of roundTrips) near(roundTripMs, THERE_MS + BACK_MS, 2, 'round trip seen by tshark')
  })
}
