// sip.md 6.1: the RTPbleed class of attacks; MED-04 and MED-13.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaLimits } from '../../lib/limits.ts'
import { writeRtp } from './rtp.ts'
import { SourceLock } from './source-lock.ts'

const peer = { host: '192.0.2.1', port: 4_000 }
const wrongPort = { host: '192.0.2.1', port: 4_002 }
const attacker = { host: '203.0.113.66', port: 4_000 }
const natted = { host: '198.51.100.7', port: 61_000 }
const payloadTypes = new Set([8, 101])

function rtp(sequence: number, ssrc = 1, payloadType = 8): Uint8Array {
  return writeRtp({ payloadType, marker: false, sequence, timestamp: 0, ssrc }, new Uint8Array(160))
}

function natLock(): SourceLock {
  const lock = new SourceLock()
  lock.agree({ remote: peer, payloadTypes, learnFrom: natted.host })
  return lock
}

test('before an address is agreed nobody is heard and nothing is sent', () => {
  const lock = new SourceLock()
  assert.equal(lock.accepts(peer, 0, rtp(1)), false)
  assert.equal(lock.destination, undefined)
  assert.equal(lock.acceptedAtMs, undefined)
})

test('a second sender before, during and after the first packet is dropped, counted, and moves nothing', () => {
  const lock = new SourceLock()
  lock.agree({ remote: peer, payloadTypes })
  const attack = (): void => {
    for (const from of [attacker, wrongPort]) assert.equal(lock.accepts(from, 0, rtp(1)), false)
  }
  attack()
  assert.equal(lock.accepts(peer, 5, rtp(1)), true)
  attack()
  assert.equal(lock.accepts(peer, 25, rtp(2)), true)
  attack()
  assert.deepEqual(lock.destination, peer)
  assert.deepEqual(lock.counters(), { source_wrong: 6, source_implausible: 0 })
  assert.equal(lock.acceptedAtMs, 25)
})

test('behind NAT the source is learned once, from the signalling’s host only', () => {
  const lock = natLock()
  assert.deepEqual(lock.destination, peer)
  assert.equal(lock.accepts(attacker, 0, rtp(1)), false)
  assert.equal(lock.accepts(natted, 10, rtp(1)), true)
  assert.deepEqual(lock.destination, natted)
  // Learned is learned: not even the same host may move it, nor is what the SDP said accepted any more.
  assert.equal(lock.accepts({ ...natted, port: 61_002 }, 20, rtp(2)), false)
  assert.equal(lock.accepts(peer, 20, rtp(2)), false)
  assert.equal(lock.accepts(natted, 30, rtp(2)), true)
})

test('an attacker’s packets do not use up the learning of the real source', () => {
  const lock = natLock()
  for (let i = 0; i < 100; i++) assert.equal(lock.accepts(attacker, i * 10, rtp(i)), false)
  assert.equal(lock.accepts(natted, 1_000, rtp(1)), true)
})

test('learning needs an agreed payload type, and ends after the first packets or 500 ms', () => {
  const byType = natLock()
  assert.equal(byType.accepts(natted, 0, rtp(1, 1, 18)), false)
  assert.equal(byType.accepts(natted, 0, Uint8Array.of(0, 1, 2)), false)
  assert.deepEqual(byType.destination, peer)
  assert.equal(byType.accepts(natted, 0, rtp(2)), true)

  const byCount = natLock()
  for (let i = 0; i < mediaLimits.learnPacketsMax; i++) byCount.accepts(natted, 0, rtp(i, 1, 18))
  assert.equal(byCount.accepts(natted, 0, rtp(9)), false)

  const byTime = natLock()
  byTime.accepts(natted, 0, rtp(1, 1, 18))
  assert.equal(byTime.accepts(natted, mediaLimits.learnMs + 1, rtp(2)), false)
  assert.deepEqual(byTime.destination, peer)
})

test('a source that is where its SDP says ends the learning', () => {
  const lock = natLock()
  assert.equal(lock.accepts(peer, 0, rtp(1)), true)
  assert.equal(lock.accepts(natted, 10, rtp(2)), false)
})

test('the next offer/answer with another address learns anew, the same address does not', () => {
  const lock = natLock()
  lock.accepts(natted, 0, rtp(1))
  lock.agree({ remote: peer, payloadTypes, learnFrom: natted.host })
  assert.deepEqual(lock.destination, natted)
  assert.equal(lock.accepts({ ...natted, port: 61_002 }, 20, rtp(2)), false)
  const moved = { host: '192.0.2.1', port: 5_000 }
  lock.agree({ remote: moved, payloadTypes, learnFrom: natted.host })
  assert.deepEqual(lock.destination, moved)
  assert.equal(lock.accepts({ ...natted, port: 61_002 }, 40, rtp(3)), true)
})

test('while armed nothing is learned: arming ends a learning, and a new address counts only as its SDP says', () => {
  const lock = natLock()
  lock.setArmed(true)
  assert.equal(lock.accepts(natted, 0, rtp(1)), false)
  const moved = { host: '192.0.2.1', port: 5_000 }
  lock.agree({ remote: moved, payloadTypes, learnFrom: natted.host })
  assert.equal(lock.accepts(natted, 20, rtp(1)), false)
  assert.equal(lock.accepts(moved, 20, rtp(1)), true)
})

test('RTCP is held to its own address in the same way', () => {
  const lock = new SourceLock()
  lock.agree({ remote: { ...peer, port: 4_001 } })
  assert.equal(lock.accepts(peer, 0), false)
  assert.equal(lock.accepts({ ...attacker, port: 4_001 }, 0), false)
  assert.equal(lock.accepts({ ...peer, port: 4_001 }, 0), true)
})

test('while an offer is open both addresses are heard and only the agreed one is served', () => {
  const lock = new SourceLock()
  const moved = { host: '192.0.2.1', port: 5_000 }
  lock.agree({ remote: peer, payloadTypes })
  lock.propose(moved)
  assert.equal(lock.accepts(moved, 0, rtp(1)), true)
  assert.equal(lock.accepts(peer, 0, rtp(2)), true)
  assert.deepEqual(lock.destination, peer)
  lock.withdraw()
  assert.equal(lock.accepts(moved, 0, rtp(3)), false)
  lock.propose(moved)
  lock.agree({ remote: moved, payloadTypes })
  assert.equal(lock.accepts(peer, 0, rtp(4)), false)
  assert.deepEqual(lock.destination, moved)
})

test('a hold by 0.0.0.0 stops our sending; the source it had stays the only one heard, and resume serves it again', () => {
  const lock = new SourceLock()
  const nobody = { host: '0.0.0.0', port: 4_000 }
  lock.agree({ remote: peer, payloadTypes })
  lock.propose(nobody)
  lock.agree({ remote: nobody, payloadTypes })
  assert.equal(lock.destination, undefined)
  assert.equal(lock.accepts(peer, 0, rtp(1)), true)
  assert.equal(lock.accepts(nobody, 0, rtp(2)), false)
  assert.equal(lock.accepts(attacker, 0, rtp(2)), false)
  lock.agree({ remote: peer, payloadTypes })
  assert.deepEqual(lock.destination, peer)
})

/** Whether packets of the agreed source are heard, one after the other. */
function listener() {
  const lock = new SourceLock()
  lock.agree({ remote: peer, payloadTypes })
  const heard = (atMs: number, sequence: number, ssrc = 1): boolean => lock.accepts(peer, atMs, rtp(sequence, ssrc))
  return { lock, heard }
}

test('a new SSRC or a jump counts from its second packet in a row, a stray packet never', () => {
  const { lock, heard } = listener()
  assert.deepEqual(
    [65_534, 65_535, 0, 0, 1_000].map((sequence) => heard(0, sequence)),
    Array(5).fill(true),
  )
  // Stray packets of another stream, each alone, between those of the real one.
  assert.deepEqual([heard(60, 7, 2), heard(60, 1_001), heard(120, 8, 2), heard(120, 1_002)], [false, true, false, true])
  assert.deepEqual([heard(180, 500, 3), heard(180, 501, 4), heard(180, 502, 3)], [false, false, false])
  // The same stray packet twice is still one.
  assert.deepEqual([heard(180, 900, 6), heard(180, 900, 6)], [false, false])
  // A restart of the real sender, and a jump within its SSRC.
  assert.deepEqual([heard(180, 9_000, 5), heard(200, 9_001, 5), heard(220, 9_002, 5)], [false, true, true])
  assert.deepEqual([heard(240, 30_000, 5), heard(260, 30_002, 5), heard(280, 30_003, 5)], [false, true, true])
  assert.equal(lock.counters()['source_implausible'], 9)
})

test('a sender who forges the address is not heard beside one who is alive, however much he sends', () => {
  const { heard } = listener()
  for (let n = 0; n < 500; n++) {
    assert.equal(heard(n * 20, n), true)
    for (let forged = 0; forged < 10; forged++) assert.equal(heard(n * 20 + forged, n * 10 + forged, 66), false)
  }
})

test('a forger who got in while the sender was late is out with its next packet, and takes its place only when it is gone', () => {
  const { heard } = listener()
  assert.equal(heard(0, 1), true)
  assert.deepEqual([heard(40, 70, 66), heard(41, 71, 66), heard(42, 72, 66)], [false, true, true])
  assert.equal(heard(45, 2), true)
  assert.deepEqual([heard(46, 73, 66), heard(47, 74, 66)], [false, false])
  // The sender changes its SSRC for good: what was the stream for so long is forgotten after a second.
  assert.equal(heard(80, 5, 9), false)
  for (let n = 0; n < 60; n++) assert.equal(heard(100 + n * 20, 6 + n, 9), true)
  assert.equal(heard(1_290, 3), false)
  assert.equal(heard(1_300, 66, 9), true)
})

test('a sender who was silent goes on wherever its numbers stand', () => {
  const { heard } = listener()
  assert.equal(heard(0, 1), true)
  assert.equal(heard(mediaLimits.streamGoneMs, 20_000, 66), false)
  assert.equal(heard(mediaLimits.streamGoneMs, 30_000), true)
})
