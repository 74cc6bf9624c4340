// SIP-36: the variety that the parser must take.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaLimits } from '../../lib/limits.ts'
import { attributeValues, parseSdp, type Sdp, serializeSdp } from './sdp.ts'

function readable(text: string): Sdp {
  const sdp = parseSdp(Buffer.from(text, 'latin1'))
  assert.ok(typeof sdp !== 'string', `refused: ${String(sdp)}`)
  return sdp
}

const text = (sdp: Sdp): string => Buffer.from(serializeSdp(sdp)).toString('latin1')

const full = [
  'v=0',
  'o=- 1 2 IN IP4 192.0.2.1',
  's= ',
  'i=caf\u00c3\u00a9',
  't=3034423619000000 0',
  'y=what is this',
  'a=group:BUNDLE a',
  'a=group:BUNDLE a',
  'm=audio 4000/2 RTP/AVP 0 8 101',
  'i=a title',
  'c=IN IP6 2001:DB8::1',
  'a=rtpmap:101 telephone-event/8000',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc|2^20|1:4 KDR=1 UNENCRYPTED_SRTCP',
  'a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:def',
  'a=sendrecv ',
  'm=message 2855 TCP/MSRP *',
  '',
].join('\r\n')

test('every line survives in its place: unknown types, duplicates, odd spacing, octets of any encoding', () => {
  assert.equal(text(readable(full)), full)
})

test('lines that end in LF or CR, and blank lines, are read alike and written with CRLF', () => {
  for (const variant of [
    full.replaceAll('\r\n', '\n'),
    full.replaceAll('\r\n', '\r'),
    `${full}\r\n\r\n`,
    full.trimEnd(),
  ]) {
    assert.equal(text(readable(variant)), full)
  }
})

test('a body without s=, t=, o= and c= is read, and so is one with 200 attributes', () => {
  const attributes = Array.from({ length: 200 }, (_, i) => `a=x-${i}:value\r\n`).join('')
  const body = `v=0\r\nm=audio 4000 RTP/AVP 0\r\n${attributes}`
  const sdp = readable(body)
  assert.equal(sdp.media[0]?.lines.length, 200)
  assert.equal(text(sdp), body)
})

test('attributes are found by exact name, in order, bare ones as empty', () => {
  const lines = readable('v=0\na=rtcp:1\na=rtcp-mux\na=rtcp:2 \nb=rtcp:3\na=RTCP:4\n').session
  assert.deepEqual(attributeValues(lines, 'rtcp'), ['1', '2'])
  assert.deepEqual(attributeValues(lines, 'rtcp-mux'), [''])
})

test('what is no description is refused with a word', () => {
  const refusal = (body: string): unknown => parseSdp(Buffer.from(body, 'latin1'))
  assert.equal(refusal(''), 'no-version')
  assert.equal(refusal('o=- 1 1 IN IP4 1.2.3.4\n'), 'no-version')
  assert.equal(refusal('v=0\nno equals sign\n'), 'line-malformed')
  assert.equal(refusal('v=0\n a=indented\n'), 'line-malformed')
  assert.equal(refusal('v=0\na=nul\0\n'), 'line-malformed')
  for (const value of [
    'audio',
    'audio x RTP/AVP 0',
    'audio 65536 RTP/AVP 0',
    'audio 1 RTP/AVP',
    'audio -1 RTP/AVP 0',
    '',
  ]) {
    assert.equal(refusal(`v=0\nm=${value}\n`), 'media-malformed', value)
  }
  assert.equal(refusal(`v=0\nm=audio 1 RTP/AVP${' 0'.repeat(mediaLimits.sdpFormatsMax + 1)}\n`), 'media-malformed')
  assert.equal(refusal(`v=0\n${'m=audio 1 RTP/AVP 0\n'.repeat(mediaLimits.sdpMediaMax + 1)}`), 'too-many-media')
  assert.equal(refusal(`v=0\n${'a=x\n'.repeat(mediaLimits.sdpLinesMax)}`), 'too-many-lines')
  assert.equal(refusal(`v=0\na=${'x'.repeat(mediaLimits.sdpOctetsMax)}`), 'too-long')
})
