import assert from 'node:assert/strict'
import { test } from 'node:test'
import { audioIndex } from '../../src/cde/media/audio-session.ts'
import { DtlsAssociation } from '../../src/cde/media/dtls/association.ts'
import { fingerprintOf, makeIdentity } from '../../src/cde/media/dtls/certificate.ts'
import { openContext } from '../../src/cde/media/dtls/context.ts'
import { parseFingerprint, writeFingerprint } from '../../src/cde/media/dtls/fingerprint.ts'
import { parseSdp } from '../../src/cde/media/sdp.ts'
import { LegSecurity } from '../../src/cde/media/srtp/leg-security.ts'
import { seededRandom } from '../../src/lib/random.ts'
import { below, mutate } from './mutate.ts'

const SEED = 20_265
const NOW_MS = Date.UTC(2026, 10, 22)
const fingerprint = `sha-256 ${Array.from({ length: 32 }, (_, i) => (i + 160).toString(16).toUpperCase()).join(':')}`

test('mutated fingerprints are read or refused; what is read is written again the same', () => {
  const random = seededRandom(SEED)
  for (let run = 0; run < 20_000; run++) {
    const text = Buffer.from(mutate(Buffer.from(fingerprint), random)).toString('latin1')
    const read = parseFingerprint(text)
    if (read !== undefined) assert.deepEqual(parseFingerprint(writeFingerprint(read)), read, `seed ${SEED} run ${run}`)
  }
})

test('mutated descriptions with DTLS never throw, and never lead a leg that has it to anything else', () => {
  const random = seededRandom(SEED + 1)
  const dtls = fingerprintOf(makeIdentity(random, NOW_MS))
  const body = Buffer.from(
    `v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 UDP/TLS/RTP/SAVP 8\r\na=setup:actpass\r\na=fingerprint:${fingerprint}\r\n` +
      'a=rtcp-mux\r\na=tls-id:abc3de65cddef001be82\r\nm=audio 4002 RTP/AVP 8\r\n',
  )
  const leg = new LegSecurity({ policy: 'mirrored', keysAllowed: true, random, dtls })
  let agreed = 0
  for (let run = 0; run < 5_000; run++) {
    const sdp = parseSdp(mutate(body, random))
    if (typeof sdp === 'string') continue
    const read = run % 2 === 0 ? leg.theirOffer(sdp) : leg.theirAnswer(sdp)
    if (run % 4 === 0) leg.ownAnswer(read)
    if (run % 8 === 1) leg.ownOffer(read)
    if (leg.dtls !== undefined) agreed++
    const facts = `seed ${SEED + 1} run ${run}`
    assert.ok(agreed === 0 || leg.dtls !== undefined, facts)
    const audio = read.media[audioIndex(read)]?.description
    const isOpen = audio !== undefined && audio.port !== 0
    if (agreed > 0 && isOpen) assert.match(audio.transport, /^UDP\/TLS\//, facts)
  }
  assert.ok(agreed > 1_000)
})

test('handshakes whose datagrams are mutated, doubled and lost end with the same keys on both sides, or with none', () => {
  const random = seededRandom(SEED + 2)
  const [here, there] = [makeIdentity(random, NOW_MS), makeIdentity(random, NOW_MS)]
  const known = fingerprintOf(there)
  const contexts = [openContext(here) ?? assert.fail(), openContext(there) ?? assert.fail()] as const
  const onWay = (datagram: Uint8Array): readonly Uint8Array[] => {
    switch (below(5, random)) {
      case 0:
        return [mutate(datagram, random)]
      case 1:
        return [mutate(datagram, random), datagram]
      case 2:
        return [datagram, mutate(datagram, random), datagram]
      default:
        return [datagram]
    }
  }
  let keyed = 0
  for (let run = 0; run < 1_000; run++) {
    const client = new DtlsAssociation(contexts[0], 'client')
    const server = new DtlsAssociation(contexts[1], 'server')
    let up = client.start()
    for (let round = 0; round < 10 && up.length > 0; round++) {
      const down = up.flatMap(onWay).flatMap((datagram) => server.receive(datagram))
      up = down.flatMap(onWay).flatMap((datagram) => client.receive(datagram))
    }
    const [ofClient, ofServer] = [client.exportKeys(), server.exportKeys()]
    if (ofClient !== undefined && ofServer !== undefined) {
      const facts = `seed ${SEED + 2} run ${run}`
      assert.ok(ofClient.own.equals(ofServer.peer) && ofClient.peer.equals(ofServer.own), facts)
      assert.ok(client.isPeer([known]), facts)
      keyed++
    }
    client.close()
    server.close()
  }
  assert.ok(keyed > 100, `${keyed} of 1,000 came through`)
})
