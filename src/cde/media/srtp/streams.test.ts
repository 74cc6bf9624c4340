// RFC 3711 3.3: what a receiver believes, over loss, reorder, turns of the sequence number, replays and forgeries.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaLimits, srtpLimits } from '../../../lib/limits.ts'
import { randomUnit, seededRandom } from '../../../lib/random.ts'
import { writeRtp } from '../rtp.ts'
import { writeReport } from '../rtcp.ts'
import { HmacSha1 } from './hmac-sha1.ts'
import { deriveSessionKeys } from './key-derivation.ts'
import { MasterKey } from './master-key.ts'
import { type PeerKey, SrtpReceiver } from './srtp-receiver.ts'
import { SrtpSender } from './srtp-sender.ts'
import { type Suite, suites } from './suites.ts'

const SEED = 4_568
const random = seededRandom(SEED)
const SSRC = 0x1234_5678

function peerKey(master: MasterKey, mki: readonly number[] = [], lifetimePackets = 2 ** 48): PeerKey {
  return { master, mki: Uint8Array.from(mki), lifetimePackets }
}

function pair(suite: Suite) {
  const master = MasterKey.random(suite, random)
  return { master, sender: new SrtpSender(suite, master), receiver: new SrtpReceiver(suite, [peerKey(master)]) }
}

function rtp(sequence: number, ssrc = SSRC): Uint8Array {
  return writeRtp({ payloadType: 8, marker: false, sequence, timestamp: sequence * 160, ssrc }, random(160))
}

function sealed(sender: SrtpSender, plain: Uint8Array): Uint8Array {
  const packet = new Uint8Array(plain.length + sender.rtpOverheadOctets)
  packet.set(plain)
  const length = sender.protectRtp(packet, plain.length)
  assert.equal(length, packet.length)
  return packet
}

const open = (receiver: SrtpReceiver, packet: Uint8Array): unknown => {
  const copy = packet.slice()
  const opened = receiver.unprotectRtp(copy, copy.length)
  return typeof opened === 'string' ? opened : copy.subarray(0, opened)
}

for (const suite of suites) {
  test(`${suite.name}: what is protected is another payload of the expected length, and comes back`, () => {
    const { sender, receiver } = pair(suite)
    for (const octets of [0, 1, 15, 16, 17, 160, 320, 1_400]) {
      const plain = writeRtp(
        { payloadType: 8, marker: true, sequence: octets, timestamp: 0, ssrc: SSRC },
        random(octets),
      )
      const packet = sealed(sender, plain)
      assert.equal(packet.length, plain.length + suite.rtpTagOctets)
      assert.deepEqual(packet.subarray(0, 12), plain.subarray(0, 12))
      if (octets >= 15) assert.notDeepEqual(packet.subarray(12, plain.length), plain.subarray(12))
      assert.deepEqual(open(receiver, packet), plain)
    }
  })

  test(`${suite.name}: CSRC list, extension and padding are authenticated and come back`, () => {
    const { sender, receiver } = pair(suite)
    const plain = Uint8Array.from([
      ...[0xb1, 0x88, 0, 9, 0, 0, 0, 0, 1, 2, 3, 4, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 0x10, 0x55, 0, 0],
      ...random(20),
      ...[0, 0, 0, 4],
    ])
    const packet = sealed(sender, plain)
    assert.deepEqual(packet.subarray(0, 24), plain.subarray(0, 24))
    for (const at of [13, 21]) {
      const forged = packet.slice()
      forged[at] = (forged[at] ?? 0) ^ 1
      assert.equal(open(receiver, forged), 'auth-failed')
    }
    assert.deepEqual(open(receiver, packet), plain)
  })

  test(`${suite.name}: a changed bit anywhere is refused, changes nothing, and leaves no trace in the receiver`, () => {
    const { sender, receiver } = pair(suite)
    const plain = rtp(100)
    const packet = sealed(sender, plain)
    for (let at = 1; at < packet.length; at++) {
      const forged = packet.slice()
      forged[at] = (forged[at] ?? 0) ^ 0x10
      const before = forged.slice()
      const refusal = receiver.unprotectRtp(forged, forged.length)
      assert.ok(refusal === 'auth-failed', `octet ${at}: ${refusal}`)
      assert.deepEqual(forged, before)
    }
    assert.equal(receiver.highest().size, 0)
    assert.deepEqual(open(receiver, packet), plain)
  })

  test(`${suite.name}: RTCP is encrypted past its eighth octet, and replays and forgeries are refused`, () => {
    const { sender, receiver } = pair(suite)
    const plain = writeReport(SSRC, 'cname', undefined, [])
    const seal = (): Uint8Array => {
      const packet = new Uint8Array(plain.length + sender.rtcpOverheadOctets)
      packet.set(plain)
      assert.equal(sender.protectRtcp(packet, plain.length), packet.length)
      return packet
    }
    const openRtcp = (packet: Uint8Array): unknown => {
      const copy = packet.slice()
      const opened = receiver.unprotectRtcp(copy, copy.length)
      return typeof opened === 'string' ? opened : copy.subarray(0, opened)
    }
    const first = seal()
    const second = seal()
    assert.deepEqual(first.subarray(0, 8), plain.subarray(0, 8))
    assert.notDeepEqual(first.subarray(8, plain.length), second.subarray(8, plain.length))
    for (let at = 0; at < first.length; at++) {
      const forged = first.slice()
      forged[at] = (forged[at] ?? 0) ^ 0x80
      assert.ok(['auth-failed', 'unencrypted'].includes(String(openRtcp(forged))), `octet ${at}`)
    }
    assert.deepEqual(openRtcp(second), plain)
    assert.deepEqual(openRtcp(first), plain)
    assert.equal(openRtcp(first), 'replayed')
    assert.equal(openRtcp(first.subarray(0, 12)), 'short')
  })

  test(`${suite.name}: three turns of the sequence number with loss and reorder, each packet once`, () => {
    const { sender, receiver } = pair(suite)
    const late: { packet: Uint8Array; plain: Uint8Array }[] = []
    // Steps of 500 reach the turns quickly; around them every number is sent.
    for (let index = 65_000; index < 3 * 65_536; index += (index + 300) % 65_536 < 600 ? 1 : 500) {
      const plain = rtp(index & 0xffff)
      const packet = sealed(sender, plain)
      const luck = randomUnit(random)
      if (luck < 0.1) continue
      if (luck < 0.2) late.push({ packet, plain })
      else assert.deepEqual(open(receiver, packet), plain, `seed ${SEED} index ${index}`)
      if (late.length === 3) {
        for (const held of late.splice(0)) {
          const opened = open(receiver, held.packet)
          if (opened !== 'too-old') assert.deepEqual(opened, held.plain, `seed ${SEED} index ${index}`)
          if (opened !== 'too-old') assert.equal(open(receiver, held.packet), 'replayed')
        }
      }
    }
    assert.ok([...receiver.highest().values()].every((highest) => highest > 2.9 * 65_536))
  })
}

const [suite] = suites
assert.ok(suite)

test('a packet behind the window is refused, the oldest inside it is taken', () => {
  const { sender, receiver } = pair(suite)
  const packets = Array.from({ length: 129 }, (_, i) => sealed(sender, rtp(i)))
  for (const packet of packets.slice(2)) assert.notEqual(typeof open(receiver, packet), 'string')
  assert.notEqual(typeof open(receiver, packets[1] as Uint8Array), 'string')
  assert.equal(open(receiver, packets[0] as Uint8Array), 'too-old')
})

test('an old packet of another turn is not taken for a new one of this', () => {
  const { sender, receiver } = pair(suite)
  const first = sealed(sender, rtp(60_000))
  for (const sequence of [60_000, 65_500, 20, 20_000, 40_000, 59_990]) {
    const packet = sequence === 60_000 ? first : sealed(sender, rtp(sequence))
    assert.notEqual(typeof open(receiver, packet), 'string')
  }
  // 60,000 would be plausible as the next number of the second turn; its tag says that it is of the first.
  assert.equal(open(receiver, first), 'auth-failed')
})

test('before the first turn there is nothing: a number from beyond is refused', () => {
  const { sender, receiver } = pair(suite)
  const old = sealed(pair(suite).sender, rtp(65_500))
  open(receiver, sealed(sender, rtp(5)))
  assert.equal(open(receiver, old), 'too-old')
})

test('a new SSRC begins at rollover 0 while the old one keeps its own', () => {
  const { sender, receiver, master } = pair(suite)
  for (const sequence of [40_000, 65_000, 10, 20_000]) open(receiver, sealed(sender, rtp(sequence)))
  const plain = rtp(300, 99)
  assert.deepEqual(open(receiver, sealed(new SrtpSender(suite, master), plain)), plain)
  const goingOn = rtp(20_001)
  assert.deepEqual(open(receiver, sealed(sender, goingOn)), goingOn)
})

test('forged sources are not remembered, real ones are bounded', () => {
  const { sender, receiver } = pair(suite)
  for (let ssrc = 0; ssrc < 1_000; ssrc++) {
    assert.equal(open(receiver, sealed(pair(suite).sender, rtp(1, ssrc))), 'auth-failed')
    if (ssrc > 3) break
  }
  assert.equal(receiver.highest().size, 0)
  for (let ssrc = 0; ssrc < srtpLimits.sourcesMax; ssrc++) open(receiver, sealed(sender, rtp(1, ssrc)))
  assert.equal(receiver.highest().size, srtpLimits.sourcesMax)
  const packet = rtp(1, 5_000)
  assert.equal(sender.protectRtp(packet, packet.length - 10), 'too-many-sources')
})

test('the sender never uses an index twice, and sends a late packet in its place', () => {
  const { sender, receiver } = pair(suite)
  for (const sequence of [10, 12]) open(receiver, sealed(sender, rtp(sequence)))
  const late = rtp(11)
  assert.deepEqual(open(receiver, sealed(sender, late)), late)
  for (const sequence of [10, 11, 12]) {
    const again = new Uint8Array(200)
    again.set(rtp(sequence))
    assert.equal(sender.protectRtp(again, 172), 'replayed')
  }
})

test('what has no room, is no RTP or is longer than any packet is refused by the sender', () => {
  const { sender } = pair(suite)
  assert.equal(sender.protectRtp(rtp(1), 172), 'too-long')
  assert.equal(sender.protectRtp(new Uint8Array(40), 20), 'not-rtp')
  assert.equal(sender.protectRtp(rtp(1), 11), 'short')
  assert.equal(sender.protectRtp(new Uint8Array(4_000).fill(0x80), mediaLimits.packetOctetsMax + 1), 'too-long')
  assert.equal(sender.protectRtcp(new Uint8Array(20), 7), 'short')
  assert.equal(sender.protectRtcp(new Uint8Array(20), 20), 'too-long')
})

test('SRTCP that is signed but not encrypted is refused: that was never agreed', () => {
  const { master, receiver } = pair(suite)
  const plain = writeReport(SSRC, 'cname', undefined, [])
  // The E bit is 0, the index 1 (RFC 3711 3.4).
  const signed = Uint8Array.from([...plain, 0, 0, 0, 1])
  const { authKey } = deriveSessionKeys(master, suite, 'rtcp')
  const tag = new HmacSha1(authKey).sign(signed, signed.length, undefined)
  const packet = Uint8Array.from([...signed, ...tag.subarray(0, 10)])
  assert.equal(receiver.unprotectRtcp(packet, packet.length), 'unencrypted')
})

/** As a sender with an MKI: ours sends none, so it is put where the suite wants it. */
function withMki(packet: Uint8Array, { aead, rtpTagOctets }: Suite, mki: readonly number[]): Uint8Array {
  const at = aead ? packet.length : packet.length - rtpTagOctets
  return Uint8Array.from([...packet.subarray(0, at), ...mki, ...packet.subarray(at)])
}

test('of several keys the MKI says which; an unknown one and a used-up one are refused', () => {
  for (const each of suites) {
    const masters = [MasterKey.random(each, random), MasterKey.random(each, random)] as const
    const receiver = new SrtpReceiver(each, [peerKey(masters[0], [0, 1]), peerKey(masters[1], [0, 2], 2)])
    const senders = masters.map((master) => new SrtpSender(each, master))
    const from = (n: 0 | 1, sequence: number, mki: readonly number[]): unknown => {
      const plain = rtp(sequence)
      const opened = open(receiver, withMki(sealed(senders[n] as SrtpSender, plain), each, mki))
      if (opened instanceof Uint8Array) assert.deepEqual(opened, plain)
      return typeof opened
    }
    const facts = each.name
    assert.equal(from(0, 1, [0, 1]), 'object', facts)
    assert.equal(from(1, 2, [0, 2]), 'object', facts)
    const lost = withMki(sealed(senders[0] as SrtpSender, rtp(3)), each, [0, 3])
    assert.equal(open(receiver, lost), 'mki-unknown', facts)
    assert.equal(from(1, 4, [0, 2]), 'object', facts)
    assert.equal(open(receiver, withMki(sealed(senders[1] as SrtpSender, rtp(5)), each, [0, 2])), 'key-used-up', facts)
    assert.equal(open(receiver, Uint8Array.of(0x80)), 'short', facts)
  }
})
