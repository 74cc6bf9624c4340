import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dtlsLimits } from '../../../lib/limits.ts'
import { seededRandom } from '../../../lib/random.ts'
import type { SrtpAgreement } from '../srtp/leg-srtp.ts'
import { DtlsAssociation, type DtlsRole } from './association.ts'
import { fingerprintOf, makeIdentity } from './certificate.ts'
import { openContext } from './context.ts'
import type { Fingerprint } from './fingerprint.ts'
import { LegDtls } from './leg-dtls.ts'
import type { DtlsTerms } from './terms.ts'

const random = seededRandom(5_763)
const PEER = { host: '192.0.2.7', port: 4_000 }
const NOW_MS = Date.UTC(2026, 10, 22)

class End {
  readonly fingerprint: Fingerprint
  readonly sent: Uint8Array[] = []
  readonly keys: SrtpAgreement[] = []
  readonly leg: LegDtls
  begun = 0

  constructor() {
    const identity = makeIdentity(random, NOW_MS)
    this.fingerprint = fingerprintOf(identity)
    const context = openContext(identity) ?? assert.fail()
    this.leg = new LegDtls({
      associate: (role) => {
        this.begun++
        return new DtlsAssociation(context, role)
      },
      send: (datagram) => this.sent.push(datagram),
      onKeys: (agreement) => this.keys.push(agreement),
    })
  }

  agree(role: DtlsRole, peer: Fingerprint, association = 1, nowMs = 0): void {
    const terms: DtlsTerms = { association, role, fingerprints: [peer], isMuxed: true }
    this.leg.agree(terms, PEER, nowMs)
  }

  take(): readonly Uint8Array[] {
    return this.sent.splice(0)
  }
}

/** Until neither end has anything to say. */
function carry(a: End, b: End, nowMs = 0): void {
  for (let round = 0; round < 40 && a.sent.length + b.sent.length > 0; round++) {
    for (const datagram of a.take()) b.leg.receive(datagram, nowMs)
    for (const datagram of b.take()) a.leg.receive(datagram, nowMs)
  }
}

function assertSameKeys(a: End, b: End): void {
  const [ofA, ofB] = [a.keys.at(-1) ?? assert.fail('no keys'), b.keys.at(-1) ?? assert.fail('no keys')]
  assert.ok(ofA.peer[0]?.master.equals(ofB.own) && ofB.peer[0]?.master.equals(ofA.own))
}

test('two ends that know each other by their fingerprints have keys, once', () => {
  const [a, b] = [new End(), new End()]
  a.agree('client', b.fingerprint)
  b.agree('server', a.fingerprint)
  carry(a, b)
  assertSameKeys(a, b)
  assert.deepEqual([a.keys.length, b.keys.length], [1, 1])
  assert.equal(a.leg.counters()['dtls_keyed'], 1)
})

test('a peer with another certificate than SDP said gets no keys, however often it tries', () => {
  const [a, b, other] = [new End(), new End(), new End()]
  a.agree('client', other.fingerprint)
  b.agree('server', a.fingerprint)
  for (let tries = 0; tries < 3 * dtlsLimits.attemptsMax; tries++) {
    const nowMs = tries * dtlsLimits.handshakeMsMax
    carry(a, b, nowMs)
    b.agree('server', a.fingerprint, tries + 2, nowMs)
    a.leg.wake(nowMs)
  }
  assert.equal(a.keys.length, 0, 'keys of a stranger')
  assert.equal(a.begun, dtlsLimits.attemptsMax)
  assert.ok((a.leg.counters()['dtls_failed_fingerprint'] ?? 0) > 1)
})

test('a moment of forged alerts and broken records does not end the call', () => {
  const fatal = Uint8Array.of(21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40)
  const broken = Uint8Array.of(22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 99, 1, 2, 3)
  for (const role of ['client', 'server'] as const) {
    const [a, b] = [new End(), new End()]
    a.agree(role, b.fingerprint)
    for (let i = 0; i < 2 * dtlsLimits.attemptsMax; i++) {
      a.leg.receive(fatal, 100 + i)
      a.leg.receive(broken, 100 + i)
    }
    a.take()
    const nowMs = 2 * dtlsLimits.attemptEveryMs
    b.agree(role === 'client' ? 'server' : 'client', a.fingerprint, 1, nowMs)
    a.leg.wake(nowMs)
    carry(a, b, nowMs)
    assertSameKeys(a, b)
  }
})

test('a handshake that comes before the answer is heard as soon as the answer is here, from the address in it only', () => {
  for (const [from, isHeard] of [
    [PEER, true],
    [{ ...PEER, port: 4_002 }, false],
  ] as const) {
    const [a, b] = [new End(), new End()]
    a.agree('client', b.fingerprint)
    for (const datagram of a.take()) b.leg.cameEarly(datagram, from)
    for (let i = 0; i < 1_000; i++) b.leg.cameEarly(random(100), from)
    b.agree('server', a.fingerprint)
    carry(a, b)
    assert.deepEqual([a.keys.length, b.keys.length], isHeard ? [1, 1] : [0, 0])
  }
})

test('a stranger who answers first does not keep the right peer out', () => {
  const [a, right, stranger] = [new End(), new End(), new End()]
  a.agree('client', right.fingerprint)
  stranger.agree('server', a.fingerprint)
  carry(a, stranger)
  right.agree('server', a.fingerprint)
  a.leg.wake(0)
  // The handshake that followed the stranger's was told to him; the peer hears it when it is sent again.
  a.leg.wake(dtlsLimits.handshakeMsMax)
  stranger.take()
  carry(a, right, dtlsLimits.handshakeMsMax)
  assert.equal(a.keys.length, 1)
  assertSameKeys(a, right)
})

test('both ends as clients give up after so many tries of so long', () => {
  const [a, b] = [new End(), new End()]
  a.agree('client', b.fingerprint)
  b.agree('client', a.fingerprint)
  for (let nowMs = 0; nowMs < 20 * dtlsLimits.handshakeMsMax; nowMs += 1_000) {
    carry(a, b, nowMs)
    a.leg.wake(nowMs)
    b.leg.wake(nowMs)
  }
  assert.deepEqual([a.keys.length, b.keys.length], [0, 0])
  assert.deepEqual([a.begun <= dtlsLimits.attemptsMax, b.begun <= dtlsLimits.attemptsMax], [true, true])
})

test('the same terms again go on with the same keys, and new ones bring new keys', () => {
  const [a, b] = [new End(), new End()]
  a.agree('client', b.fingerprint)
  b.agree('server', a.fingerprint)
  carry(a, b)
  a.agree('client', b.fingerprint)
  a.leg.agree(undefined, PEER, 10)
  assert.equal(a.begun, 1)
  assert.equal(a.sent.length, 0)
  const before = a.keys[0]?.own.concatenated.slice() ?? assert.fail()
  a.agree('client', b.fingerprint, 2, 20)
  b.agree('server', a.fingerprint, 2, 20)
  carry(a, b, 20)
  assertSameKeys(a, b)
  assert.equal(a.keys.length, 2)
  assert.notDeepEqual(a.keys[1]?.own.concatenated.slice(), before)
})

test('an old handshake played again neither ends a call nor gives other keys', () => {
  const [a, b] = [new End(), new End()]
  const recorded: Uint8Array[] = []
  a.agree('client', b.fingerprint)
  b.agree('server', a.fingerprint)
  for (let round = 0; round < 10; round++) {
    recorded.push(...a.sent, ...b.sent)
    for (const datagram of a.take()) b.leg.receive(datagram, 0)
    recorded.push(...b.sent)
    for (const datagram of b.take()) a.leg.receive(datagram, 0)
  }
  for (const datagram of recorded) b.leg.receive(datagram, 5_000)
  assert.deepEqual([a.keys.length, b.keys.length, b.begun], [1, 1, 1])
  assertSameKeys(a, b)
})

test('a flood of datagrams is not given to OpenSSL, and a handshake begins in the next second', () => {
  const [a, b] = [new End(), new End()]
  b.agree('server', a.fingerprint)
  const extra = 10_000
  for (let i = 0; i < extra; i++) b.leg.receive(Uint8Array.of(22, 254, 253, ...random(20)), 100)
  assert.equal(b.leg.counters()['dtls_flooded'], extra - dtlsLimits.datagramsPerSecondMax)
  a.agree('client', b.fingerprint, 1, 1_200)
  carry(a, b, 1_200)
  assertSameKeys(a, b)
})

test('without OpenSSL there are never keys, and nothing is sent', () => {
  const sent: Uint8Array[] = []
  const leg = new LegDtls({
    associate: undefined,
    send: (datagram) => sent.push(datagram),
    onKeys: () => assert.fail('keys out of nothing'),
  })
  leg.agree({ association: 1, role: 'client', fingerprints: [], isMuxed: false }, PEER, 0)
  leg.receive(Uint8Array.of(22, 254, 253), 0)
  leg.wake(1_000)
  leg.close()
  assert.deepEqual(sent, [])
})

test('closing wipes the keys, and a handshake under way comes to nothing', () => {
  const [a, b] = [new End(), new End()]
  a.agree('client', b.fingerprint)
  b.agree('server', a.fingerprint)
  carry(a, b)
  a.leg.close()
  const { own, peer } = a.keys[0] ?? assert.fail()
  for (const key of [own, ...peer.map(({ master }) => master)]) {
    assert.ok(
      key.concatenated.every((octet) => octet === 0),
      'a key was left',
    )
  }
  const c = new End()
  c.agree('client', b.fingerprint)
  c.leg.close()
  b.agree('server', c.fingerprint, 2)
  carry(c, b)
  assert.equal(c.keys.length, 0)
})
