import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaLimits } from '../../lib/limits.ts'
import { parseRtp, writeRtp } from './rtp.ts'

const header = [0x80, 0x88, 0x12, 0x34, 0, 0, 0, 5, 0xde, 0xad, 0xbe, 0xef]

function packet(first: number, ...rest: readonly number[]): Uint8Array {
  return Uint8Array.from([first, ...header.slice(1), ...rest])
}

test('what is written is read again at the edges of every field', () => {
  for (const fields of [
    { payloadType: 0, marker: false, sequence: 0, timestamp: 0, ssrc: 0 },
    { payloadType: 63, marker: true, sequence: 65_535, timestamp: 0xffff_ffff, ssrc: 0xffff_ffff },
    { payloadType: 127, marker: true, sequence: 1, timestamp: 2, ssrc: 3 },
  ]) {
    const payload = Uint8Array.of(1, 2, 3)
    assert.deepEqual(parseRtp(writeRtp(fields, payload)), { ...fields, payload })
  }
})

test('numbers beyond their field wrap', () => {
  const read = parseRtp(
    writeRtp(
      { payloadType: 8, marker: false, sequence: 65_536, timestamp: 2 ** 32 + 7, ssrc: 2 ** 32 + 9 },
      new Uint8Array(0),
    ),
  )
  assert.ok(typeof read !== 'string')
  assert.deepEqual([read.sequence, read.timestamp, read.ssrc], [0, 7, 9])
})

test('CSRC list, extension and padding are no part of the payload', () => {
  const full = packet(0xb2, ...[1, 1, 1, 1, 2, 2, 2, 2], ...[0xbe, 0xde, 0, 1, 9, 9, 9, 9], ...[7, 8], ...[0, 0, 3])
  const read = parseRtp(full)
  assert.ok(typeof read !== 'string')
  assert.deepEqual([...read.payload], [7, 8])
})

test('an empty payload is a packet, with or without padding', () => {
  assert.deepEqual([...payloadOf(packet(0x80))], [])
  assert.deepEqual([...payloadOf(packet(0xa0, 0, 0, 3))], [])
})

test('a view into a larger buffer is read at its own offset', () => {
  const buffer = new Uint8Array(100)
  buffer.set(packet(0x80, 42), 17)
  assert.deepEqual([...payloadOf(buffer.subarray(17, 30))], [42])
})

test('what is not a whole RTP packet is refused with a word', () => {
  assert.equal(parseRtp(new Uint8Array(11)), 'short')
  assert.equal(parseRtp(new Uint8Array(mediaLimits.packetOctetsMax + 1)), 'too-long')
  assert.equal(parseRtp(packet(0x40)), 'version')
  // STUN (RFC 5389) begins with two zero bits.
  assert.equal(parseRtp(packet(0x00)), 'version')
  assert.equal(parseRtp(Uint8Array.from([0x80, 200, ...header.slice(2)])), 'rtcp')
  assert.equal(parseRtp(packet(0x81, 1, 1, 1)), 'csrc-past-end')
  assert.equal(parseRtp(packet(0x90, 0xbe, 0xde, 0)), 'extension-past-end')
  assert.equal(parseRtp(packet(0x90, 0xbe, 0xde, 0, 2, 1, 1, 1, 1)), 'extension-past-end')
  assert.equal(parseRtp(packet(0xa0)), 'padding-past-end')
  assert.equal(parseRtp(packet(0xa0, 1, 1, 0)), 'padding-past-end')
  assert.equal(parseRtp(packet(0xa0, 1, 1, 4)), 'padding-past-end')
})

function payloadOf(datagram: Uint8Array): Uint8Array {
  const read = parseRtp(datagram)
  assert.ok(typeof read !== 'string', String(read))
  return read.payload
}
