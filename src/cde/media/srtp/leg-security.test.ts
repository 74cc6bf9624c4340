// RFC 4568 5.1 (offer and answer), 7 (what the keys travel in), RFC 8643 (keys in RTP/AVP), and new keys in a re-INVITE.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../../lib/random.ts'
import { audioIndex, readAudio } from '../audio-session.ts'
import { attributeValues, parseSdp, type Sdp } from '../sdp.ts'
import { parseCryptoLine } from './crypto-line.ts'
import { LegSecurity, type SrtpPolicy } from './leg-security.ts'
import { LegSrtp } from './leg-srtp.ts'

const KEY = 'd0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj'
const OTHER_KEY = 'NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj'
const random = seededRandom(6)

const security = (policy: SrtpPolicy, keysAllowed = true): LegSecurity =>
  new LegSecurity({ policy, keysAllowed, random })

function sdp(transport: string, ...lines: readonly string[]): Sdp {
  const media = [`m=audio 4000 ${transport} 8`, ...lines]
  const parsed = parseSdp(Buffer.from(`v=0\nc=IN IP4 192.0.2.1\n${media.join('\n')}\n`))
  assert.ok(typeof parsed !== 'string')
  return parsed
}

const crypto = (tag: number, suite = 'AES_CM_128_HMAC_SHA1_80', key = KEY, more = ''): string =>
  `a=crypto:${tag} ${suite} inline:${key}${more}`
const linesOf = (described: Sdp): string[] =>
  attributeValues(described.media[audioIndex(described)]?.lines ?? [], 'crypto')
const transportOf = (described: Sdp): string => described.media[audioIndex(described)]?.description.transport ?? 'none'
const agreedSuite = (leg: LegSecurity): string | undefined => leg.agreement?.suite.name
const isRefused = (read: Sdp): boolean => typeof readAudio(read) === 'string'

test('the first usable line of an offer is answered with its tag and a key of our own', () => {
  const leg = security('mirrored')
  const offer = sdp(
    'RTP/SAVP',
    crypto(4, 'F8_128_HMAC_SHA1_80'),
    crypto(5, 'AES_CM_128_HMAC_SHA1_80', KEY, ' UNENCRYPTED_SRTP'),
    crypto(6, 'AES_CM_128_HMAC_SHA1_32'),
    crypto(7),
  )
  const read = leg.theirOffer(offer)
  assert.deepEqual(linesOf(read), [])
  assert.equal(agreedSuite(leg), undefined)
  const [line, ...more] = linesOf(leg.ownAnswer(sdp('RTP/SAVP')))
  assert.match(line ?? '', /^6 AES_CM_128_HMAC_SHA1_32 inline:[A-Za-z0-9+/]{40}$/)
  assert.deepEqual(more, [])
  assert.equal(line?.includes(KEY), false)
  assert.equal(agreedSuite(leg), 'AES_CM_128_HMAC_SHA1_32')
  // RFC 4568 6.1: our key is ours alone: another leg draws another.
  const other = security('mirrored')
  other.theirOffer(offer)
  assert.notDeepEqual(linesOf(other.ownAnswer(sdp('RTP/SAVP'))), [line])
})

test('RTP/AVP with keys is answered with keys, and without keys in the clear', () => {
  const leg = security('mirrored')
  leg.theirOffer(sdp('RTP/AVP', crypto(1)))
  const answer = leg.ownAnswer(sdp('RTP/AVP'))
  assert.equal(transportOf(answer), 'RTP/AVP')
  assert.equal(linesOf(answer).length, 1)
  const clear = security('mirrored')
  clear.theirOffer(sdp('RTP/AVP'))
  assert.deepEqual(clear.ownAnswer(sdp('RTP/AVP')), sdp('RTP/AVP'))
  assert.equal(clear.agreement, undefined)
})

test('RTP/SAVP without a usable key is refused; an RTP/AVP line beside it is taken', () => {
  for (const lines of [[], [crypto(1, 'F8_128_HMAC_SHA1_80')], [crypto(1, undefined, KEY, ' UNENCRYPTED_SRTCP')]]) {
    assert.ok(isRefused(security('mirrored').theirOffer(sdp('RTP/SAVP', ...lines))))
  }
  const both = sdp('RTP/SAVP', 'm=audio 5000 RTP/AVP 8')
  const audio = readAudio(security('mirrored').theirOffer(both))
  assert.ok(typeof audio !== 'string')
  assert.equal(audio.remote.port, 5_000)
})

test('keys are refused where they may not travel, or where SRTP is off', () => {
  for (const leg of [security('mirrored', false), security('off'), security('required', false)]) {
    assert.ok(isRefused(leg.theirOffer(sdp('RTP/SAVP', crypto(1)))))
  }
  const ignoring = security('mirrored', false)
  assert.equal(isRefused(ignoring.theirOffer(sdp('RTP/AVP', crypto(1)))), false)
  ignoring.ownAnswer(sdp('RTP/AVP'))
  assert.equal(ignoring.agreement, undefined)
  // No keys, and no line in the clear either.
  const offer = security('required', false).ownOffer(sdp('RTP/AVP'))
  assert.deepEqual([transportOf(offer), ...linesOf(offer)], ['RTP/SAVP'])
})

test('our offer has a line for each suite with keys of their own, on the transport of the policy', () => {
  assert.deepEqual(security('off').ownOffer(sdp('RTP/AVP')), sdp('RTP/AVP'))
  assert.deepEqual(security('mirrored').ownOffer(sdp('RTP/AVP')), sdp('RTP/AVP'))
  for (const [policy, transport] of [
    ['offered', 'RTP/AVP'],
    ['required', 'RTP/SAVP'],
  ] as const) {
    const leg = security(policy)
    const offer = leg.ownOffer(sdp('RTP/AVP'))
    assert.equal(transportOf(offer), transport)
    const lines = linesOf(offer).map((value) => parseCryptoLine(value))
    assert.deepEqual(
      lines.map((line) => (typeof line === 'string' ? line : `${line.tag} ${line.suite}`)),
      ['1 AES_CM_128_HMAC_SHA1_80', '2 AEAD_AES_256_GCM', '3 AEAD_AES_128_GCM', '4 AES_CM_128_HMAC_SHA1_32'],
    )
    assert.equal(new Set(lines.map((line) => (typeof line === 'string' ? '' : String(line.keys[0]?.octets)))).size, 4)
    // The same offer again is the same: nothing has changed (SIP-08).
    assert.deepEqual(leg.ownOffer(sdp('RTP/AVP')), offer)
  }
})

test('an answer must repeat tag and suite of one of our lines', () => {
  const answered = (...lines: readonly string[]): LegSecurity => {
    const leg = security('required')
    leg.ownOffer(sdp('RTP/AVP'))
    const read = leg.theirAnswer(sdp('RTP/SAVP', ...lines))
    assert.equal(isRefused(read), leg.agreement === undefined)
    return leg
  }
  assert.equal(answered(crypto(1)).agreement?.suite.name, 'AES_CM_128_HMAC_SHA1_80')
  assert.equal(answered(crypto(4, 'AES_CM_128_HMAC_SHA1_32')).agreement?.suite.name, 'AES_CM_128_HMAC_SHA1_32')
  assert.equal(answered(crypto(2)).agreement, undefined)
  assert.equal(answered(crypto(9)).agreement, undefined)
  assert.equal(answered(crypto(1, undefined, KEY, ' UNENCRYPTED_SRTP')).agreement, undefined)
  assert.equal(answered().agreement, undefined)
})

test('an answer in the clear is taken where SRTP was offered, and refused where it is required', () => {
  const offered = security('offered')
  offered.ownOffer(sdp('RTP/AVP'))
  assert.equal(isRefused(offered.theirAnswer(sdp('RTP/AVP'))), false)
  assert.equal(offered.agreement, undefined)
  const required = security('required')
  required.ownOffer(sdp('RTP/AVP'))
  assert.ok(isRefused(required.theirAnswer(sdp('RTP/AVP'))))
})

test('a secure leg takes no description in the clear any more, and goes on offering its own keys', () => {
  for (const transport of ['RTP/SAVP', 'RTP/AVP']) {
    const leg = security('mirrored')
    leg.theirOffer(sdp(transport, crypto(3)))
    const [line] = linesOf(leg.ownAnswer(sdp(transport)))
    assert.ok(isRefused(leg.theirOffer(sdp('RTP/AVP'))))
    assert.ok(isRefused(leg.theirOffer(sdp('RTP/SAVP'))))
    const offer = leg.ownOffer(sdp('RTP/AVP'))
    assert.equal(transportOf(offer), transport)
    assert.equal(linesOf(offer)[0]?.split(' ')[2], line?.split(' ')[2])
    assert.ok(isRefused(leg.theirAnswer(sdp(transport))))
  }
})

test('the same key again changes nothing; a new key brings a new one of ours, which the refused offer does not', () => {
  const leg = security('mirrored')
  leg.theirOffer(sdp('RTP/SAVP', crypto(1)))
  const first = leg.ownAnswer(sdp('RTP/SAVP'))
  const before = leg.agreement
  leg.theirOffer(sdp('RTP/SAVP', crypto(1)))
  assert.deepEqual(leg.ownAnswer(sdp('RTP/SAVP')), first)
  assert.equal(leg.agreement?.own, before?.own)
  assert.equal(leg.agreement?.peer, before?.peer)
  // Offered, but refused on the other side of the call: nothing was agreed.
  leg.theirOffer(sdp('RTP/SAVP', crypto(1, undefined, OTHER_KEY)))
  assert.equal(leg.agreement?.peer, before?.peer)
  leg.theirOffer(sdp('RTP/SAVP', crypto(1, undefined, OTHER_KEY)))
  assert.notDeepEqual(leg.ownAnswer(sdp('RTP/SAVP')), first)
  assert.notEqual(leg.agreement?.own, before?.own)
  assert.notEqual(leg.agreement?.peer, before?.peer)
})

test('two legs that speak to each other hear each other', () => {
  const [here, there] = [security('required'), security('mirrored')]
  there.theirOffer(here.ownOffer(sdp('RTP/AVP')))
  here.theirAnswer(there.ownAnswer(sdp('RTP/SAVP')))
  const [a, b] = [new LegSrtp(), new LegSrtp()]
  a.agree(here.agreement, 0)
  b.agree(there.agreement, 0)
  const packet = Uint8Array.of(0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 1, 2, 3, 4)
  const sealed = a.sealRtp(packet)
  assert.ok(typeof sealed !== 'string')
  assert.deepEqual(b.openRtp(sealed, 0), packet)
})

test('at the end no key is left', () => {
  const leg = security('mirrored')
  leg.theirOffer(sdp('RTP/SAVP', crypto(1)))
  leg.ownAnswer(sdp('RTP/SAVP'))
  const { own, peer } = leg.agreement ?? assert.fail()
  leg.wipe()
  assert.equal(leg.agreement, undefined)
  for (const master of [own, ...peer.map((key) => key.master)]) {
    assert.ok(master.concatenated.every((octet) => octet === 0))
  }
})
