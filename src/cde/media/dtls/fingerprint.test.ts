import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dtlsLimits } from '../../../lib/limits.ts'
import { parseSdp, type Sdp } from '../sdp.ts'
import { fingerprintsOf, parseFingerprint, writeFingerprint } from './fingerprint.ts'
import { datagramsOf, isDtls } from './records.ts'

const colons = (octets: number, pair = 'AB'): string => Array.from({ length: octets }, () => pair).join(':')

function described(...lines: readonly string[]): Sdp {
  const sdp = parseSdp(Buffer.from(['v=0', ...lines, ''].join('\n')))
  return typeof sdp === 'string' ? assert.fail(sdp) : sdp
}

function read(...lines: readonly string[]) {
  const sdp = described(...lines)
  return fingerprintsOf(sdp, sdp.media[0] ?? assert.fail())
}

test('a fingerprint is read in either case and written as RFC 8122 wants it', () => {
  const read = parseFingerprint(`SHA-256 ${colons(32, 'ab')}`) ?? assert.fail()
  assert.deepEqual(read, { hash: 'sha-256', hex: 'ab'.repeat(32) })
  assert.equal(writeFingerprint(read), `sha-256 ${colons(32)}`)
})

test('a weak hash, a wrong length and what is no fingerprint are none', () => {
  const bad = [`sha-1 ${colons(20)}`, `md5 ${colons(16)}`, `sha-256 ${colons(31)}`, `sha-256 ${colons(64)}`]
  for (const value of [...bad, '', 'sha-256', `sha-256 ${colons(32)} more`, `sha-256 ${colons(31)}:`, 'sha-256 zz']) {
    assert.equal(parseFingerprint(value), undefined, value)
  }
})

test('those of the media line go before those of the session, and the strongest hash alone counts', () => {
  const weak = `a=fingerprint:sha-256 ${colons(32, '11')}`
  const strong = `a=fingerprint:sha-512 ${colons(64, '22')}`
  const line = 'm=audio 4000 UDP/TLS/RTP/SAVP 8'
  assert.deepEqual(read(weak, line), [{ hash: 'sha-256', hex: '11'.repeat(32) }])
  assert.deepEqual(read(weak, line, strong), [{ hash: 'sha-512', hex: '22'.repeat(64) }])
  assert.deepEqual(read(line, weak, strong), [{ hash: 'sha-512', hex: '22'.repeat(64) }])
  const many = Array.from({ length: 50 }, () => weak)
  assert.equal(read(line, ...many).length, dtlsLimits.fingerprintsMax)
})

test('DTLS is told from RTP, RTCP, STUN and TURN by its first octet', () => {
  for (const [first, expected] of [
    [0, false],
    [19, false],
    [20, true],
    [22, true],
    [63, true],
    [64, false],
    [128, false],
    [200, false],
  ] as const) {
    assert.equal(isDtls(Uint8Array.of(first, 1)), expected, String(first))
  }
  assert.equal(isDtls(new Uint8Array()), false)
})

test('a row of records is sent in datagrams of whole records, and half a record is not sent', () => {
  const record = (octets: number): Uint8Array => {
    const made = new Uint8Array(13 + octets)
    made.set([22, 254, 253])
    made.set([octets >> 8, octets & 0xff], 11)
    return made
  }
  const row = Buffer.concat([
    record(400),
    record(400),
    record(400),
    record(1_500),
    record(7),
    record(7).subarray(0, 15),
  ])
  const lengths = datagramsOf(row, 1_200).map(({ length }) => length)
  assert.deepEqual(lengths, [826, 413, 1_513, 20])
  assert.deepEqual(datagramsOf(new Uint8Array(), 1_200), [])
  assert.deepEqual(datagramsOf(row.subarray(0, 12), 1_200), [])
})
