// SIP-06 (hold), SIP-08 (version), SIP-25 (topology), SIP-31 (extra media lines), SIP-36 (renumbering).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAudio } from './audio-session.ts'
import { ownOffer, relayAnswer, relayOffer, sameButOrigin } from './offer-answer.ts'
import { parseSdp, type Sdp, serializeSdp } from './sdp.ts'

const local = { address: { host: '192.0.2.9', port: 30_000 }, sessionId: 77, version: 3 }

function description(...lines: readonly string[]): Sdp {
  const sdp = parseSdp(Buffer.from(`v=0\n${lines.join('\n')}\n`, 'latin1'))
  assert.ok(typeof sdp !== 'string', `refused: ${String(sdp)}`)
  return sdp
}

const linesOf = (sdp: Sdp | 'no-common-codec'): string[] => {
  assert.ok(typeof sdp !== 'string')
  return Buffer.from(serializeSdp(sdp)).toString('latin1').trimEnd().split('\r\n')
}

const mediaLinesOf = (sdp: Sdp | 'no-common-codec'): string[] => linesOf(sdp).filter((line) => line.startsWith('m='))

const callerOffer = description(
  'o=alice 1 1 IN IP4 10.1.1.1',
  's=call',
  'i=note',
  'c=IN IP4 10.1.1.1',
  'b=AS:80',
  'b=RR:0',
  't=0 0',
  'a=ice-lite',
  'a=tool:phone',
  'm=video 6000 RTP/AVP 31',
  'a=rtpmap:31 H261/90000',
  'm=audio 4000 RTP/AVPF 96 8 0 101 13',
  'c=IN IP4 10.1.1.2',
  'a=rtpmap:96 opus/48000/2',
  'a=fmtp:96 useinbandfec=1',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'a=silenceSupp:off - - - -',
  'a=ptime:20',
  'a=rtcp:4005 IN IP4 10.1.1.3',
  'a=rtcp-mux',
  'a=rtcp-fb:* nack',
  'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'a=ssrc:1 cname:x',
  'a=candidate:1 1 UDP 1 10.1.1.4 4000 typ host',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc',
  'a=sendrecv',
  'm=audio 5000 RTP/AVP 0',
  'm=message 2855 TCP/MSRP *',
)

test('an offer is relayed with our address and origin, formats we know, and nothing that belongs to one hop', () => {
  assert.deepEqual(linesOf(relayOffer(callerOffer, local)), [
    'v=0',
    'o=- 77 3 IN IP4 192.0.2.9',
    's=call',
    'i=note',
    'c=IN IP4 192.0.2.9',
    'b=AS:80',
    't=0 0',
    'a=tool:phone',
    'm=video 0 RTP/AVP 31',
    'm=audio 30000 RTP/AVP 8 0 101',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=silenceSupp:off - - - -',
    'a=ptime:20',
    'a=sendrecv',
    'm=audio 0 RTP/AVP 0',
    'm=message 0 TCP/MSRP *',
  ])
})

test('none of the peer’s addresses is left in what is relayed', () => {
  assert.doesNotMatch(linesOf(relayOffer(callerOffer, local)).join('\n'), /10\.1\.1\./)
})

test('an answer keeps number, order and transports of the offer’s media lines, and its payload numbers', () => {
  // The agent side renumbers telephone-event, prefers µ-law, and answers only the lines it was offered.
  const answer = description(
    'o=bob 5 5 IN IP4 10.2.2.2',
    's=-',
    'c=IN IP4 10.2.2.2',
    't=0 0',
    'a=tool:pbx',
    'm=video 0 RTP/AVP 31',
    'm=audio 7000 RTP/AVP 0 8 97',
    'a=rtpmap:97 telephone-event/8000',
    'a=fmtp:97 0-15',
    'a=ptime:30',
    'm=audio 0 RTP/AVP 0',
    'm=message 0 TCP/MSRP *',
  )
  assert.deepEqual(linesOf(relayAnswer(callerOffer, answer, local)), [
    'v=0',
    'o=- 77 3 IN IP4 192.0.2.9',
    's=-',
    'c=IN IP4 192.0.2.9',
    't=0 0',
    'a=tool:pbx',
    'm=video 0 RTP/AVP 31',
    'm=audio 30000 RTP/AVPF 0 8 101',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    'a=ptime:30',
    'a=sendrecv',
    'm=audio 0 RTP/AVP 0',
    'm=message 0 TCP/MSRP *',
  ])
})

test('an answer with fewer media lines than the offer is filled up', () => {
  const relayed = relayAnswer(callerOffer, description('c=IN IP4 10.2.2.2', 'm=audio 7000 RTP/AVP 8'), local)
  assert.deepEqual(mediaLinesOf(relayed), [
    'm=video 0 RTP/AVP 31',
    'm=audio 30000 RTP/AVPF 8',
    'm=audio 0 RTP/AVP 0',
    'm=message 0 TCP/MSRP *',
  ])
})

test('telephone-event that only one side has is left out; on another clock each side keeps its own', () => {
  const offer = description('c=IN IP4 10.1.1.1', 'm=audio 4000 RTP/AVP 8 100', 'a=rtpmap:100 telephone-event/48000')
  const without = linesOf(relayAnswer(offer, description('c=IN IP4 10.2.2.2', 'm=audio 7000 RTP/AVP 8'), local))
  assert.ok(without.includes('m=audio 30000 RTP/AVP 8'))
  assert.doesNotMatch(without.join('\n'), /telephone-event/)
  const answer = description('c=IN IP4 10.2.2.2', 'm=audio 7000 RTP/AVP 8 101', 'a=rtpmap:101 telephone-event/8000')
  const lines = linesOf(relayAnswer(offer, answer, local))
  assert.ok(lines.includes('m=audio 30000 RTP/AVP 8 100'))
  assert.ok(lines.includes('a=rtpmap:100 telephone-event/48000'))
})

test('an answer in the other law is answered in the offer’s, for the relay transcodes', () => {
  const offer = description('c=IN IP4 10.1.1.1', 'm=audio 4000 RTP/AVP 118', 'a=rtpmap:118 PCMA/8000')
  const answer = description('c=IN IP4 10.2.2.2', 'm=audio 7000 RTP/AVP 0')
  const lines = linesOf(relayAnswer(offer, answer, local))
  assert.ok(lines.includes('m=audio 30000 RTP/AVP 118'))
  assert.ok(lines.includes('a=rtpmap:118 PCMA/8000'))
})

test('an answer without usable audio is none', () => {
  for (const lines of [
    ['c=IN IP4 10.2.2.2', 'm=audio 0 RTP/AVP 8'],
    ['c=IN IP4 10.2.2.2', 'm=audio 7000 RTP/AVP 18'],
    ['c=IN IP4 10.2.2.2'],
  ]) {
    assert.equal(relayAnswer(callerOffer, description(...lines), local), 'no-common-codec')
  }
})

test('hold is passed on with a real address and an explicit direction, whatever its spelling', () => {
  const held = (host: string, direction: string): string[] =>
    linesOf(relayOffer(description(`c=IN IP4 ${host}`, 'a=sendrecv', 'm=audio 4000 RTP/AVP 0', direction), local))
  for (const [host, stated, expected] of [
    ['0.0.0.0', 'a=sendrecv', 'a=sendonly'],
    ['0.0.0.0', 'a=inactive', 'a=inactive'],
    ['10.1.1.1', 'a=sendonly', 'a=sendonly'],
    ['10.1.1.1', 'a=inactive', 'a=inactive'],
  ] as const) {
    const lines = held(host, stated)
    assert.deepEqual(
      lines.filter((line) => /^a=(send|recv|inactive)/.test(line)),
      [expected],
    )
    assert.ok(lines.includes('c=IN IP4 192.0.2.9'))
  }
})

test('an answer never sends or receives against the offer', () => {
  const agreed = (offered: string, answered: string): unknown => {
    const offer = description('c=IN IP4 10.1.1.1', 'm=audio 4000 RTP/AVP 0', `a=${offered}`)
    const answer = description('c=IN IP4 10.2.2.2', 'm=audio 7000 RTP/AVP 0', `a=${answered}`)
    return linesOf(relayAnswer(offer, answer, local)).at(-1)
  }
  assert.equal(agreed('sendrecv', 'sendrecv'), 'a=sendrecv')
  assert.equal(agreed('sendonly', 'sendrecv'), 'a=recvonly')
  assert.equal(agreed('sendonly', 'recvonly'), 'a=recvonly')
  assert.equal(agreed('recvonly', 'sendrecv'), 'a=sendonly')
  assert.equal(agreed('inactive', 'sendrecv'), 'a=inactive')
  assert.equal(agreed('sendrecv', 'inactive'), 'a=inactive')
})

test('our own offer reads as what we can do, and as an answer fits any offer', () => {
  const own = ownOffer({ ...local, address: { host: '2001:db8::9', port: 30_002 } }, 'inactive')
  const lines = linesOf(own)
  assert.ok(lines.includes('c=IN IP6 2001:db8::9'))
  const audio = readAudio(own)
  assert.ok(typeof audio !== 'string')
  assert.deepEqual(
    audio.formats.map(({ payloadType, codec }) => `${payloadType} ${codec}`),
    ['8 PCMA', '0 PCMU', '101 telephone-event'],
  )
  assert.equal(audio.direction, 'inactive')
  assert.equal(mediaLinesOf(relayAnswer(callerOffer, own, local)).length, 4)
})

test('missing s=, t= and o= are put in at their place', () => {
  const offer = description('a=tool:x', 'm=audio 4000 RTP/AVP 0', 'c=IN IP4 10.1.1.1')
  assert.deepEqual(linesOf(relayOffer(offer, local)).slice(0, 6), [
    'v=0',
    'o=- 77 3 IN IP4 192.0.2.9',
    's=-',
    'c=IN IP4 192.0.2.9',
    't=0 0',
    'a=tool:x',
  ])
})

test('200 attributes pass in their order', () => {
  const attributes = Array.from({ length: 200 }, (_, i) => `a=x-${i}:${i}`)
  const offer = description('c=IN IP4 10.1.1.1', 'm=audio 4000 RTP/AVP 0', ...attributes)
  assert.deepEqual(
    linesOf(relayOffer(offer, local)).filter((line) => line.startsWith('a=x-')),
    attributes,
  )
})

test('a new version alone is no change; anything else is', () => {
  const relayed = relayOffer(callerOffer, local)
  assert.equal(sameButOrigin(relayed, relayOffer(callerOffer, { ...local, version: 4 })), true)
  const moved = { ...local, address: { ...local.address, port: 30_002 } }
  assert.equal(sameButOrigin(relayed, relayOffer(callerOffer, moved)), false)
})
