import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAudio } from '../../src/cde/media/audio-session.ts'
import { ownOffer, relayAnswer, relayOffer } from '../../src/cde/media/offer-answer.ts'
import { parseSdp, serializeSdp } from '../../src/cde/media/sdp.ts'
import { seededRandom } from '../../src/lib/random.ts'
import { mutate } from './mutate.ts'

const SEED = 20_263
const RUNS = 6_000

const valid = Buffer.from(
  `v=0
o=alice 2890844526 2890844526 IN IP6 2001:db8::1
s=-
c=IN IP6 2001:db8::1
t=0 0
m=audio 49170/2 RTP/AVPF 96 8 0 101
a=rtpmap:96 opus/48000/2
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=rtcp:53020 IN IP6 2001:db8::2
a=ptime:30
a=sendonly
m=video 0 RTP/AVP 31
m=audio 50000 RTP/SAVP 0
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c29tZXRoaW5n
`,
)
const local = { address: { host: '192.0.2.9', port: 30_000 }, sessionId: 1, version: 2 }

test('mutated descriptions are read or refused; what is relayed reads again, with as many lines and none of their addresses', () => {
  const random = seededRandom(SEED)
  for (let run = 0; run < RUNS; run++) {
    const sdp = parseSdp(mutate(valid, random))
    if (typeof sdp === 'string') continue
    const where = `seed ${SEED} run ${run}`
    assert.deepEqual(parseSdp(serializeSdp(sdp)), sdp, where)
    const audio = readAudio(sdp)
    const answered = relayAnswer(sdp, ownOffer(local, 'sendrecv'), local)
    assert.equal(typeof answered === 'string', typeof audio === 'string', where)
    for (const relayed of [relayOffer(sdp, local), answered]) {
      if (typeof relayed === 'string') continue
      const again = parseSdp(serializeSdp(relayed))
      assert.deepEqual(again, relayed, where)
      assert.equal(relayed.media.length, sdp.media.length, where)
      if (typeof audio === 'string') continue
      const ours = readAudio(relayed)
      assert.ok(typeof ours !== 'string', `${where}: ${String(ours)}`)
      assert.deepEqual(ours.remote, local.address, where)
    }
  }
})
