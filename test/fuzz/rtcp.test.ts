import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRtcp, writeReport } from '../../src/cde/media/rtcp.ts'
import { RtcpSession } from '../../src/cde/media/rtcp-session.ts'
import { seededRandom } from '../../src/lib/random.ts'
import { mutate } from './mutate.ts'

const SEED = 20_262
const RUNS = 30_000

const block = {
  ssrc: 7,
  fractionLost: 1,
  lostPackets: -1,
  highestSequence: 70_000,
  jitterSamples: 3,
  lastReport: 5,
  sinceLastReport: 6,
}
const sender = { ntpSeconds: 1, ntpFraction: 2, timestamp: 3, packets: 4, octets: 5 }
const report = writeReport(9, 'someone', sender, [block])

test('mutated compound packets are read or refused, and a session that gets them still writes valid reports', () => {
  const random = seededRandom(SEED)
  const session = new RtcpSession({ random })
  for (let run = 0; run < RUNS; run++) {
    const datagram = mutate(report, random)
    parseRtcp(datagram)
    session.receive(datagram, run)
    session.received(datagram, run)
    session.sent(datagram, run)
    const written = session.wake(run)
    if (written !== undefined) assert.notEqual(typeof parseRtcp(written), 'string', `seed ${SEED} run ${run}`)
  }
})
