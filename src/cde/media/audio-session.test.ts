// SIP-06 (hold), SIP-36 (SDP variety).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AudioProblem, type AudioSession, readAudio } from './audio-session.ts'
import { parseSdp } from './sdp.ts'

function audioOf(...lines: readonly string[]): AudioSession | AudioProblem {
  const sdp = parseSdp(Buffer.from(`v=0\n${lines.join('\n')}\n`))
  assert.ok(typeof sdp !== 'string', `refused: ${String(sdp)}`)
  return readAudio(sdp)
}

function session(...lines: readonly string[]): AudioSession {
  const audio = audioOf(...lines)
  assert.ok(typeof audio !== 'string', `refused: ${String(audio)}`)
  return audio
}

test('static types without rtpmap, 20 ms and sendrecv are what is meant when nothing is said', () => {
  assert.deepEqual(session('c=IN IP4 192.0.2.1', 'm=audio 4000 RTP/AVP 8 0'), {
    remote: { host: '192.0.2.1', port: 4_000 },
    remoteRtcp: { host: '192.0.2.1', port: 4_001 },
    formats: [
      { payloadType: 8, codec: 'PCMA', clockHz: 8_000 },
      { payloadType: 0, codec: 'PCMU', clockHz: 8_000 },
    ],
    direction: 'sendrecv',
    ptimeMs: 20,
  })
})

test('the address of the media line goes before the session’s; IPv6 is compared in its short form', () => {
  const { remote } = session('c=IN IP4 192.0.2.1', 'm=audio 4000 RTP/AVP 0', 'c=IN IP6 2001:DB8:0::1')
  assert.equal(remote.host, '2001:db8::1')
  assert.equal(session('m=audio 4000 RTP/AVP 0', 'c=IN IP4 192.0.2.3').remote.host, '192.0.2.3')
})

test('several telephone-event clocks, unknown codecs, folded names and renumbered static types are told apart', () => {
  const { formats } = session(
    'c=IN IP4 192.0.2.1',
    'm=audio 4000 RTP/AVP 96 18 0 118 101 100 102 8 101 72',
    'a=rtpmap:96 opus/48000/2',
    'a=rtpmap:118 pcma/8000/1',
    'a=rtpmap:101 TELEPHONE-EVENT/8000',
    'a=rtpmap:101 PCMU/8000',
    'a=rtpmap:100 telephone-event/48000',
    'a=rtpmap:102 PCMU/16000',
    'a=rtpmap:8 G729/8000',
    'a=rtpmap:72 telephone-event/8000',
  )
  assert.deepEqual(
    formats.map(({ payloadType, codec, clockHz }) => `${payloadType} ${codec}/${clockHz}`),
    ['0 PCMU/8000', '118 PCMA/8000', '101 telephone-event/8000', '100 telephone-event/48000'],
  )
})

test('RTCP is where a=rtcp says, else on the next port', () => {
  const base = ['c=IN IP4 192.0.2.1', 'm=audio 4000 RTP/AVP 0']
  assert.deepEqual(session(...base, 'a=rtcp:53020').remoteRtcp, { host: '192.0.2.1', port: 53_020 })
  assert.deepEqual(session(...base, 'a=rtcp:53020 IN IP4 192.0.2.4').remoteRtcp, { host: '192.0.2.4', port: 53_020 })
  for (const nonsense of ['a=rtcp:', 'a=rtcp:0', 'a=rtcp:99999', 'a=rtcp:x', 'a=rtcp:53020 IN IP4 a.example']) {
    assert.equal(session(...base, nonsense).remoteRtcp.host, '192.0.2.1', nonsense)
  }
  assert.equal(session('c=IN IP4 192.0.2.1', 'm=audio 65535 RTP/AVP 0').remoteRtcp.port, 65_535)
})

test('the packet time is taken from 10 to 60 ms, and 20 ms stands for anything else', () => {
  const ptimeMs = (line: string): number => session('c=IN IP4 192.0.2.1', 'm=audio 4000 RTP/AVP 0', line).ptimeMs
  assert.deepEqual(['a=ptime:10', 'a=ptime:60', 'a=ptime:30 '].map(ptimeMs), [10, 60, 30])
  assert.deepEqual(
    ['a=ptime:0', 'a=ptime:-1', 'a=ptime:100', 'a=ptime:', 'a=maxptime:40'].map(ptimeMs),
    [20, 20, 20, 20, 20],
  )
})

test('hold is understood in each of its spellings', () => {
  const direction = (host: string, ...lines: readonly string[]): string =>
    session(`c=IN IP4 ${host}`, 'm=audio 4000 RTP/AVP 0', ...lines).direction
  assert.equal(direction('192.0.2.1', 'a=sendonly'), 'sendonly')
  assert.equal(direction('192.0.2.1', 'a=inactive'), 'inactive')
  assert.equal(direction('192.0.2.1', 'a=recvonly'), 'recvonly')
  assert.equal(direction('0.0.0.0'), 'sendonly')
  assert.equal(direction('0.0.0.0', 'a=sendrecv'), 'sendonly')
  assert.equal(direction('0.0.0.0', 'a=sendonly'), 'sendonly')
  assert.equal(direction('0.0.0.0', 'a=recvonly'), 'inactive')
  assert.equal(direction('0.0.0.0', 'a=inactive'), 'inactive')
  assert.equal(session('c=IN IP6 ::', 'm=audio 4000 RTP/AVP 0').direction, 'sendonly')
  assert.equal(session('c=IN IP6 hold.invalid', 'm=audio 4000 RTP/AVP 0').direction, 'sendonly')
  // The session's attribute counts unless the media line has its own; the first of two counts.
  assert.equal(session('c=IN IP4 192.0.2.1', 'a=inactive', 'm=audio 4000 RTP/AVP 0').direction, 'inactive')
  assert.equal(
    session('c=IN IP4 192.0.2.1', 'a=inactive', 'm=audio 4000 RTP/AVP 0', 'a=sendonly', 'a=sendrecv').direction,
    'sendonly',
  )
})

test('a description without usable audio is refused with the word that says why', () => {
  const address = 'c=IN IP4 192.0.2.1'
  assert.equal(audioOf(address), 'no-audio')
  assert.equal(audioOf(address, 'm=video 4000 RTP/AVP 31'), 'no-audio')
  assert.equal(audioOf(address, 'm=audio 4000 DTLS/SCTP 0'), 'no-audio')
  assert.equal(audioOf(address, 'm=audio 0 RTP/AVP 0'), 'audio-rejected')
  assert.equal(audioOf(address, 'm=audio 4000 RTP/AVP 18 101', 'a=rtpmap:101 telephone-event/8000'), 'no-common-codec')
  assert.equal(audioOf('m=audio 4000 RTP/AVP 0'), 'no-address')
  for (const host of ['a.example', '224.2.1.1/127', 'IN']) {
    assert.equal(audioOf(`c=IN IP4 ${host}`, 'm=audio 4000 RTP/AVP 0'), 'no-address', host)
  }
})

test('of several audio lines the first one in use counts', () => {
  const { remote } = session(
    'c=IN IP4 192.0.2.1',
    'm=audio 0 RTP/AVP 0',
    'm=audio 5000 DTLS/SCTP 0',
    'm=audio 6000 RTP/AVPF 0',
    'm=audio 7000 RTP/AVP 0',
  )
  assert.equal(remote.port, 6_000)
})
