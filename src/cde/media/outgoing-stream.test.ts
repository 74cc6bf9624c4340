import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../lib/random.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import { parseRtp, type RtpPacket } from './rtp.ts'

const payload = Uint8Array.of(1)
const read = (packet: Uint8Array): RtpPacket => parseRtp(packet) as RtpPacket
// Octets 4–5 are the first sequence number, 6–9 the first timestamp, just before it wraps.
const drawn = () => Uint8Array.of(1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0)

/** Its next sequence number is 65,535. */
function nearWrap(): OutgoingStream {
  const stream = new OutgoingStream(drawn)
  stream.placed(8, payload, { sequence: 0x8000, timestampSamples: 0 }, false)
  return stream
}

test('a stream begins in the lower half of the sequence numbers', () => {
  assert.equal(read(new OutgoingStream(drawn).next(8, payload, 160)).sequence, 0x7fff)
})

test('sequence and timestamp continue through their wraps under one SSRC', () => {
  const stream = nearWrap()
  const packets = [stream.next(8, payload, 160), stream.next(8, payload, 160), stream.next(0, payload, 160, true)].map(
    read,
  )
  assert.deepEqual(
    packets.map(({ ssrc, sequence, timestamp, marker }) => [ssrc, sequence, timestamp, marker]),
    [
      [0x0102_0304, 65_535, 0xffff_fff0, false],
      [0x0102_0304, 0, 144, false],
      [0x0102_0304, 1, 304, true],
    ],
  )
})

test('the packets of an event share a timestamp, and skipped time moves it without a sequence number', () => {
  const stream = new OutgoingStream(seededRandom(1))
  const start = stream.timestamp
  const first = read(stream.next(101, payload, 0, true))
  const second = read(stream.next(101, payload, 0))
  stream.skip(800)
  const audio = read(stream.next(8, payload, 160))
  assert.deepEqual([first.timestamp, second.timestamp, audio.timestamp], [start, start, (start + 800) >>> 0])
  assert.equal((audio.sequence - first.sequence) & 0xffff, 2)
})

test('a placed packet keeps gaps, and a late one takes its old place without moving the stream', () => {
  const stream = nearWrap()
  const at = (sequence: number, timestampSamples: number): number[] => {
    const { sequence: number, timestamp } = read(stream.placed(8, payload, { sequence, timestampSamples }, false))
    return [number, timestamp]
  }
  assert.deepEqual(at(1, 0), [65_535, 0xffff_fff0])
  // Two packets lost, then one of them late, then the stream goes on.
  assert.deepEqual(at(3, 480), [2, 464])
  assert.deepEqual(at(-1, -160), [1, 304])
  assert.deepEqual(at(1, 160), [3, 624])
})

test('two streams differ in all three numbers', () => {
  const random = seededRandom(7)
  const [a, b] = [new OutgoingStream(random), new OutgoingStream(random)].map((s) => read(s.next(8, payload, 160)))
  assert.notEqual(a?.ssrc, b?.ssrc)
  assert.notEqual(a?.sequence, b?.sequence)
  assert.notEqual(a?.timestamp, b?.timestamp)
})
