import assert from 'node:assert/strict'
import { test } from 'node:test'
import { srtpLimits } from '../../../lib/limits.ts'
import { seededRandom } from '../../../lib/random.ts'
import { writeReport } from '../rtcp.ts'
import { writeRtp } from '../rtp.ts'
import { LegSrtp, type SrtpAgreement } from './leg-srtp.ts'
import { MasterKey } from './master-key.ts'
import { type Suite, suites } from './suites.ts'

const random = seededRandom(3)
const [suite, otherSuite] = suites
assert.ok(suite && otherSuite)

const packet = (sequence: number): Uint8Array =>
  writeRtp({ payloadType: 8, marker: false, sequence, timestamp: 0, ssrc: 7 }, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))

function keyed(use: Suite = suite as Suite) {
  const [a, b] = [MasterKey.random(use, random), MasterKey.random(use, random)]
  const peer = (master: MasterKey) => [{ master, mki: new Uint8Array(), lifetimePackets: 2 ** 48 }]
  const ours: SrtpAgreement = { suite: use, own: a, peer: peer(b) }
  const theirs: SrtpAgreement = { suite: use, own: b, peer: peer(a) }
  return { ours, theirs }
}

function secure({ ours, theirs }: ReturnType<typeof keyed>): { here: LegSrtp; there: LegSrtp } {
  const [here, there] = [new LegSrtp(), new LegSrtp()]
  here.agree(ours, 0)
  there.agree(theirs, 0)
  return { here, there }
}

function sent(leg: LegSrtp, sequence: number): Uint8Array {
  const sealed = leg.sealRtp(packet(sequence))
  assert.ok(typeof sealed !== 'string', String(sealed))
  return sealed.slice()
}

test('in the clear packets pass as they are', () => {
  const leg = new LegSrtp()
  const plain = packet(1)
  assert.equal(leg.sealRtp(plain), plain)
  assert.equal(leg.openRtp(plain, 0), plain)
  leg.agree(undefined, 0)
  assert.equal(leg.secure, false)
})

test('both ways, RTP and RTCP; what is sent is a copy, what is received is read in place', () => {
  const { here, there } = secure(keyed())
  const plain = packet(1)
  const sealed = here.sealRtp(plain)
  assert.ok(typeof sealed !== 'string')
  assert.deepEqual(plain, packet(1))
  const opened = there.openRtp(sealed, 0)
  assert.deepEqual(opened, plain)
  assert.equal(opened.buffer, sealed.buffer)
  const report = writeReport(7, 'c', undefined, [])
  const sealedReport = there.sealRtcp(report)
  assert.ok(typeof sealedReport !== 'string')
  assert.deepEqual(here.openRtcp(sealedReport, 0), report)
})

test('once secure, a leg takes nothing in the clear and goes back to nothing in the clear', () => {
  const { here } = secure(keyed())
  here.agree(undefined, 0)
  assert.equal(here.secure, true)
  assert.equal(typeof here.openRtp(packet(1), 0), 'string')
  assert.equal(typeof here.openRtcp(writeReport(7, 'c', undefined, []), 0), 'string')
  assert.notDeepEqual(here.sealRtp(packet(1)), packet(1))
  assert.ok((here.counters()['srtp_short'] ?? 0) + (here.counters()['srtp_auth_failed'] ?? 0) >= 2)
})

test('the same keys again change nothing: replays stay replays and the rollover goes on', () => {
  const keys = keyed()
  const { here, there } = secure(keys)
  const first = sent(there, 40_000)
  here.openRtp(first.slice(), 0)
  for (const sequence of [65_000, 20]) here.openRtp(sent(there, sequence), 0)
  here.agree({ ...keys.ours }, 10)
  there.agree({ ...keys.theirs }, 10)
  assert.equal(typeof here.openRtp(first.slice(), 20), 'string')
  assert.deepEqual(here.openRtp(sent(there, 21), 20), packet(21))
})

test('after a new key the old one counts for two seconds and no longer', () => {
  const before = keyed()
  const { here, there } = secure(before)
  here.openRtp(sent(there, 1), 0)
  const crossing = [2, 3, 4].map((sequence) => sent(there, sequence))
  const after = keyed(otherSuite)
  here.agree(after.ours, 1_000)
  there.agree(after.theirs, 1_000)
  assert.deepEqual(here.openRtp(crossing[0] as Uint8Array, 1_001), packet(2))
  assert.deepEqual(here.openRtp(sent(there, 5), 1_001), packet(5))
  assert.deepEqual(here.openRtp(crossing[1] as Uint8Array, 1_000 + srtpLimits.oldKeyMs - 1), packet(3))
  assert.equal(typeof here.openRtp(crossing[2] as Uint8Array, 1_000 + srtpLimits.oldKeyMs), 'string')
})

test('under a new key a peer may go on with its rollover counter or begin again', () => {
  const turn = [40_000, 65_000, 20]
  // Goes on: the same sender object has no way to do so, so the turn is walked through before the receiver listens.
  for (const goesOn of [true, false]) {
    const { here, there } = secure(keyed())
    for (const sequence of turn) here.openRtp(sent(there, sequence), 0)
    const after = keyed()
    here.agree(after.ours, 10)
    const anew = new LegSrtp()
    anew.agree(after.theirs, 10)
    if (goesOn) for (const sequence of turn) sent(anew, sequence)
    assert.deepEqual(here.openRtp(sent(anew, 30), 20), packet(30), `goes on: ${goesOn}`)
    assert.deepEqual(here.openRtp(sent(anew, 31), 20), packet(31), `goes on: ${goesOn}`)
  }
})

test('a closed leg passes nothing, whatever comes', () => {
  const keys = keyed()
  const { here, there } = secure(keys)
  const packetOfPeer = sent(there, 1)
  here.close()
  here.agree(keys.ours, 0)
  assert.equal(here.openRtp(packetOfPeer, 0), 'closed')
  assert.equal(here.sealRtp(packet(1)), 'closed')
  assert.equal(here.sealRtcp(packet(1)), 'closed')
  const neverSecure = new LegSrtp()
  neverSecure.close()
  assert.equal(neverSecure.sealRtp(packet(1)), 'closed')
})
