import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeG711 } from '../cde/media/g711.ts'
import { writeRtp } from '../cde/media/rtp.ts'
import { seededRandom } from '../lib/random.ts'
import { FRAME_SAMPLES } from './audio-source.ts'
import { RtpReceiver } from './rtp-receiver.ts'
import { eventPayload } from './tones.ts'

const formats = [
  { payloadType: 8, codec: 'PCMA', clockHz: 8_000 },
  { payloadType: 0, codec: 'PCMU', clockHz: 8_000 },
  { payloadType: 96, codec: 'telephone-event', clockHz: 8_000 },
] as const

function rtp(payloadType: number, timestamp: number, payload: Uint8Array): Uint8Array {
  return writeRtp({ payloadType, marker: false, sequence: timestamp / FRAME_SAMPLES, timestamp, ssrc: 9 }, payload)
}

test('both laws are decoded onto one time line', () => {
  const receiver = new RtpReceiver(() => {})
  receiver.setFormats(formats)
  const loud = new Int16Array(FRAME_SAMPLES).fill(8_000)
  receiver.receive(rtp(8, 0, encodeG711('PCMA', loud)), 20)
  receiver.receive(rtp(0, 320, encodeG711('PCMU', loud)), 60)
  const recording = receiver.recording()
  assert.equal(recording?.startedAtMs, 0)
  assert.equal(recording?.samples.length, 480)
  assert.ok(Math.abs((recording?.samples[10] ?? 0) - 8_000) < 300)
  assert.equal(recording?.samples[200], 0)
  assert.ok(Math.abs((recording?.samples[400] ?? 0) - 8_000) < 300)
})

test('event packets are handed out, not heard, and unknown types and noise are counted', () => {
  let events = 0
  const receiver = new RtpReceiver(() => events++)
  receiver.setFormats(formats)
  receiver.receive(rtp(96, 0, eventPayload(1, false, 10, 160)), 0)
  receiver.receive(rtp(101, 0, eventPayload(1, false, 10, 160)), 0)
  receiver.receive(new Uint8Array(3), 0)
  assert.equal(events, 1)
  assert.equal(receiver.recording(), undefined)
  assert.deepEqual(receiver.counters(), { audioPackets: 0, eventPackets: 1, otherPackets: 1, refusedPackets: 1 })
})

test('random datagrams never throw', () => {
  const seed = 5
  const random = seededRandom(seed)
  const receiver = new RtpReceiver(() => {})
  receiver.setFormats(formats)
  for (let i = 0; i < 3_000; i++) {
    const [length = 0, version = 0] = random(2)
    const datagram = random(length)
    if (datagram.length > 1) datagram.set([0x80 | (version & 0x3f), version & 1 ? 8 : 96])
    assert.doesNotThrow(() => receiver.receive(datagram, i), `seed ${seed}, datagram ${i}`)
    receiver.nextLiveFrame()
  }
})
