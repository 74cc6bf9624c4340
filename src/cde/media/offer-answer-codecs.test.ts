// Which codecs are negotiated: the default, what a setting adds, and what the two sides are told of each other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AudioCodec, defaultCodecs } from './audio-formats.ts'
import { readAudio } from './audio-session.ts'
import { type LocalMedia, ownOffer, relayAnswer, relayOffer } from './offer-answer.ts'
import { parseSdp, type Sdp, serializeSdp } from './sdp.ts'

const all: readonly AudioCodec[] = ['opus', 'G722', 'PCMA', 'PCMU', 'CN', 'telephone-event']
const plain: LocalMedia = { address: { host: '192.0.2.10', port: 30_000 }, sessionId: 7, version: 1 }
const local: LocalMedia = { ...plain, codecs: all }

function sdp(...lines: readonly string[]): Sdp {
  const head = ['v=0', 'o=- 1 1 IN IP4 198.51.100.1', 's=-', 'c=IN IP4 198.51.100.1', 't=0 0']
  const parsed = parseSdp(new TextEncoder().encode([...head, ...lines, ''].join('\r\n')))
  assert.ok(typeof parsed !== 'string')
  return parsed
}

/** The audio section as text lines, without the address. */
const audio = (description: Sdp | 'no-common-codec'): string[] => {
  assert.ok(typeof description !== 'string')
  const lines = new TextDecoder().decode(serializeSdp(description)).trim().split('\r\n')
  return lines.slice(lines.findIndex((line) => line.startsWith('m=')))
}

const browser = sdp(
  'm=audio 4000 RTP/AVP 111 9 0 13 110 126',
  'a=rtpmap:111 OPUS/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1;maxplaybackrate=16000',
  'a=rtpmap:110 telephone-event/48000',
  'a=rtpmap:126 telephone-event/8000',
)

test('by default nothing is seen but G.711 and events: what the masked line cannot carry is never agreed on', () => {
  assert.deepEqual(defaultCodecs, ['PCMA', 'PCMU', 'telephone-event'])
  const session = readAudio(browser)
  assert.ok(typeof session !== 'string')
  assert.deepEqual(
    session.formats.map(({ payloadType }) => payloadType),
    [0, 110, 126],
  )
  assert.deepEqual(audio(relayOffer(browser, plain)).slice(0, 1), ['m=audio 30000 RTP/AVP 0 110 126'])
  assert.equal(readAudio(sdp('m=audio 4000 RTP/AVP 9 13')), 'no-common-codec')
})

test('with the wide-band codecs allowed, all formats are read with the clock of their timestamps', () => {
  const session = readAudio(browser, all)
  assert.ok(typeof session !== 'string')
  assert.deepEqual(
    session.formats.map(({ payloadType, codec, clockHz }) => `${payloadType} ${codec} ${clockHz}`),
    [
      '111 opus 48000',
      '9 G722 8000',
      '0 PCMU 8000',
      '13 CN 8000',
      '110 telephone-event 48000',
      '126 telephone-event 8000',
    ],
  )
  for (const wrong of ['opus/48000', 'opus/16000/2', 'G722/16000', 'PCMA/8000/2', 'CN/0']) {
    assert.equal(readAudio(sdp('m=audio 4000 RTP/AVP 96', `a=rtpmap:96 ${wrong}`), all), 'no-common-codec', wrong)
  }
})

test('an offer goes on with its codecs, and with FEC and DTX refused whether it spoke of them or not', () => {
  assert.deepEqual(audio(relayOffer(browser, local)), [
    'm=audio 30000 RTP/AVP 111 9 0 13 110 126',
    'a=rtpmap:111 OPUS/48000/2',
    'a=rtpmap:110 telephone-event/48000',
    'a=rtpmap:126 telephone-event/8000',
    'a=fmtp:111 maxplaybackrate=16000;useinbandfec=0;usedtx=0;stereo=0',
    'a=sendrecv',
  ])
  const bare = sdp('m=audio 4000 RTP/AVP 111 8', 'a=rtpmap:111 opus/48000/2')
  assert.ok(audio(relayOffer(bare, local)).includes('a=fmtp:111 useinbandfec=0;usedtx=0;stereo=0'))
})

test('both have the codec: the answer names it under the number of the offer, and nothing is transcoded', () => {
  const answer = sdp(
    'm=audio 5000 RTP/AVP 96 100',
    'a=rtpmap:96 opus/48000/2',
    'a=fmtp:96 useinbandfec=1',
    'a=rtpmap:100 telephone-event/48000',
  )
  assert.deepEqual(audio(relayAnswer(browser, answer, local)), [
    'm=audio 30000 RTP/AVP 111 110',
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:110 telephone-event/48000',
    'a=fmtp:111 useinbandfec=0;usedtx=0;stereo=0',
    'a=sendrecv',
  ])
})

test('a side without G.711 is offered on together with G.711, and its answer keeps its own codec and events', () => {
  const offer = sdp('m=audio 4000 RTP/AVP 111 110', 'a=rtpmap:111 opus/48000/2', 'a=rtpmap:110 telephone-event/48000')
  const onward = relayOffer(offer, local)
  assert.deepEqual(audio(onward), [
    'm=audio 30000 RTP/AVP 111 110 8 0 101',
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:110 telephone-event/48000',
    'a=fmtp:111 useinbandfec=0;usedtx=0;stereo=0',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=sendrecv',
  ])
  const answer = sdp('m=audio 5000 RTP/AVP 8 101', 'a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15')
  assert.deepEqual(audio(relayAnswer(offer, answer, local)), [
    'm=audio 30000 RTP/AVP 111 110',
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:110 telephone-event/48000',
    'a=fmtp:110 0-15',
    'a=sendrecv',
  ])
  assert.equal(audio(relayOffer(browser, local))[0], 'm=audio 30000 RTP/AVP 111 9 0 13 110 126')
})

test('our own offer names what is allowed, with events at the clock of each codec', () => {
  assert.deepEqual(audio(ownOffer(local, 'sendrecv')), [
    'm=audio 30000 RTP/AVP 111 9 8 0 101 110',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 useinbandfec=0;usedtx=0;stereo=0',
    'a=rtpmap:9 G722/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    'a=rtpmap:110 telephone-event/48000',
    'a=fmtp:110 0-15',
    'a=ptime:20',
    'a=sendrecv',
  ])
  assert.equal(audio(ownOffer(plain, 'sendrecv'))[0], 'm=audio 30000 RTP/AVP 8 0 101')
})
