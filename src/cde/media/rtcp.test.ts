import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaLimits } from '../../lib/limits.ts'
import { parseRtcp, type ReportBlock, type SenderInfo, writeReport } from './rtcp.ts'

const sender: SenderInfo = { ntpSeconds: 0x0102_0304, ntpFraction: 0x0506_0708, timestamp: 9, packets: 10, octets: 11 }
const block: ReportBlock = {
  ssrc: 0xaaaa_aaaa,
  fractionLost: 255,
  lostPackets: -2,
  highestSequence: 0x0001_fffe,
  jitterSamples: 12,
  lastReport: 13,
  sinceLastReport: 14,
}

test('a sender report is laid out as in RFC 3550 6.4.1, followed by a CNAME', () => {
  const bytes = writeReport(0xbbbb_bbbb, 'name', sender, [block])
  const hex = Buffer.from(bytes).toString('hex')
  const words = [
    ...['81c8000c', 'bbbbbbbb', '01020304', '05060708', '00000009', '0000000a', '0000000b'],
    ...['aaaaaaaa', 'fffffffe', '0001fffe', '0000000c', '0000000d', '0000000e'],
    ...['81ca0003', 'bbbbbbbb', '01046e61', '6d650000'],
  ]
  assert.equal(hex, words.join(''))
  assert.deepEqual(parseRtcp(bytes), [
    { kind: 'sr', ssrc: 0xbbbb_bbbb, ntpMiddle: 0x0304_0506, blocks: [block] },
    { kind: 'sdes', ssrc: 0xbbbb_bbbb, ntpMiddle: undefined, blocks: [] },
  ])
})

test('report blocks come back as they were written, with and without sender information', () => {
  const blocks = [block, { ...block, ssrc: 1, lostPackets: -0x80_0000 }, { ...block, ssrc: 2, lostPackets: 0x7f_ffff }]
  for (const info of [sender, undefined]) {
    const packets = parseRtcp(writeReport(1, 'name', info, blocks))
    assert.ok(typeof packets !== 'string')
    assert.deepEqual(packets[0]?.blocks, blocks)
  }
})

test('a report that announces more blocks than it has is read as far as it goes', () => {
  const bytes = writeReport(1, 'name', undefined, [block])
  bytes[0] = 0x80 | 31
  const packets = parseRtcp(bytes)
  assert.ok(typeof packets !== 'string')
  assert.deepEqual(packets[0]?.blocks, [block])
  // Nothing but a header, and a sender report cut inside its sender information.
  for (const octets of [4, 8, 12]) {
    const cut = Uint8Array.from({ length: octets }, (_, i) => [0x9f, 200, 0, octets / 4 - 1][i] ?? 7)
    assert.deepEqual((parseRtcp(cut) as { blocks: readonly unknown[] }[])[0]?.blocks, [])
  }
})

test('without sender information it is a receiver report; CNAMEs of every length end on a boundary with a zero octet', () => {
  for (const cname of ['a', 'ab', 'abc', 'abcd', 'abcde', 'x'.repeat(255)]) {
    const bytes = writeReport(1, cname, undefined, [])
    assert.equal(bytes.length % 4, 0)
    assert.equal(bytes.at(-1), 0)
    assert.deepEqual(
      (parseRtcp(bytes) as { kind: string }[]).map(({ kind }) => kind),
      ['rr', 'sdes'],
    )
  }
})

test('every kind of packet is told by its type', () => {
  const packets = [200, 201, 202, 203, 204, 205, 206, 207, 195].map((type) => [0x80, type, 0, 1, 0, 0, 0, 7])
  const read = parseRtcp(Uint8Array.from(packets.flat()))
  assert.ok(typeof read !== 'string')
  assert.deepEqual(
    read.map(({ kind }) => kind),
    ['sr', 'rr', 'sdes', 'bye', 'app', 'feedback', 'feedback', 'xr', 'unknown'],
  )
  assert.deepEqual(parseRtcp(Uint8Array.of(0x80, 203, 0, 0)), [
    { kind: 'bye', ssrc: undefined, ntpMiddle: undefined, blocks: [] },
  ])
})

test('what is not whole RTCP is refused with a word', () => {
  assert.equal(parseRtcp(new Uint8Array(0)), 'short')
  assert.equal(parseRtcp(Uint8Array.of(0x80, 200, 0)), 'short')
  assert.equal(parseRtcp(Uint8Array.of(0x00, 200, 0, 0)), 'version')
  assert.equal(parseRtcp(Uint8Array.of(0x80, 8, 0, 0)), 'not-rtcp')
  assert.equal(parseRtcp(Uint8Array.of(0x80, 200, 0, 1, 0, 0, 0)), 'length-past-end')
  assert.equal(parseRtcp(Uint8Array.of(0x80, 203, 0, 0, 1)), 'short')
  assert.equal(parseRtcp(new Uint8Array(mediaLimits.packetOctetsMax + 1)), 'too-long')
  const many = Array.from({ length: mediaLimits.rtcpPacketsPerDatagramMax + 1 }, () => [0x80, 203, 0, 0])
  assert.equal(parseRtcp(Uint8Array.from(many.flat())), 'too-many-packets')
})
