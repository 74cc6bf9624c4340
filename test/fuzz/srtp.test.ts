import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSdp } from '../../src/cde/media/sdp.ts'
import { parseCryptoLine, writeCryptoLine } from '../../src/cde/media/srtp/crypto-line.ts'
import { LegSecurity } from '../../src/cde/media/srtp/leg-security.ts'
import { LegSrtp, type SrtpAgreement } from '../../src/cde/media/srtp/leg-srtp.ts'
import { MasterKey } from '../../src/cde/media/srtp/master-key.ts'
import { suites } from '../../src/cde/media/srtp/suites.ts'
import { writeReport } from '../../src/cde/media/rtcp.ts'
import { writeRtp } from '../../src/cde/media/rtp.ts'
import { seededRandom } from '../../src/lib/random.ts'
import { mutate } from './mutate.ts'

const SEED = 20_264
const KEY = 'd0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj'
const lines = [
  `1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:4;inline:${KEY}|2^20|2:4 KDR=0 WSH=64`,
  `2 AES_CM_128_HMAC_SHA1_32 inline:${KEY}|1048576 -x`,
]

test('mutated crypto lines are read or refused; what is read is written again the same', () => {
  const random = seededRandom(SEED)
  for (let run = 0; run < 20_000; run++) {
    const text = Buffer.from(mutate(Buffer.from(lines[run % 2] ?? ''), random)).toString('latin1')
    const line = parseCryptoLine(text)
    if (typeof line === 'string') continue
    const again = parseCryptoLine(writeCryptoLine(line))
    assert.deepEqual(again, line, `seed ${SEED} run ${run}`)
  }
})

test('mutated descriptions with keys never throw, and never lead a secure leg back to RTP in the clear', () => {
  const random = seededRandom(SEED + 1)
  const body = Buffer.from(
    `v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/SAVP 8\r\na=crypto:${lines[0]}\r\na=crypto:${lines[1]}\r\n` +
      'm=audio 4002 RTP/AVP 8\r\n',
  )
  const leg = new LegSecurity({ policy: 'mirrored', keysAllowed: true, random })
  let secure = false
  for (let run = 0; run < 5_000; run++) {
    const sdp = parseSdp(mutate(body, random))
    if (typeof sdp === 'string') continue
    const read = run % 2 === 0 ? leg.theirOffer(sdp) : leg.theirAnswer(sdp)
    if (run % 4 === 0) leg.ownAnswer(read)
    if (run % 8 === 1) leg.ownOffer(read)
    assert.ok(!secure || leg.agreement !== undefined, `seed ${SEED + 1} run ${run}`)
    secure ||= leg.agreement !== undefined
  }
  assert.ok(secure)
})

test('mutated SRTP and SRTCP packets are refused, never throw, and never come out as something else', () => {
  const random = seededRandom(SEED + 2)
  for (const suite of suites) {
    const [a, b] = [MasterKey.random(suite, random), MasterKey.random(suite, random)]
    const key = (master: MasterKey) => [{ master, mki: new Uint8Array(), lifetimePackets: 2 ** 48 }]
    const ours: SrtpAgreement = { suite, own: a, peer: key(b) }
    const [here, there] = [new LegSrtp(), new LegSrtp()]
    here.agree(ours, 0)
    there.agree({ suite, own: b, peer: key(a) }, 0)
    for (let run = 0; run < 2_000; run++) {
      const facts = `seed ${SEED + 2} ${suite.name} run ${run}`
      const rtp = writeRtp({ payloadType: 8, marker: false, sequence: run, timestamp: run, ssrc: 9 }, random(20))
      const [sealed, report] = [here.sealRtp(rtp), here.sealRtcp(writeReport(9, 'c', undefined, []))]
      assert.ok(typeof sealed !== 'string' && typeof report !== 'string', facts)
      const damaged = mutate(sealed, random)
      const opened = there.openRtp(damaged, run)
      // A damage may have left the packet as it was; a tag of 32 bits is guessed once in four thousand million.
      if (typeof opened !== 'string') assert.deepEqual(opened.slice(), rtp, facts)
      else assert.deepEqual(there.openRtp(sealed, run), rtp, facts)
      there.openRtcp(mutate(report, random), run)
      there.openRtcp(random(run % 60), run)
      there.openRtp(random(run % 60), run)
    }
  }
})
