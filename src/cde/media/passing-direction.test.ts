// MED-01, MED-02, MED-04, MED-05, MED-17, MED-18 for the direction that is not masked.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../lib/random.ts'
import type { AudioFormat } from './audio-session.ts'
import { opusDuration48k } from './codecs/opus/packet.ts'
import { decodeG711, transcodeG711 } from './g711.ts'
import { PassingDirection } from './passing-direction.ts'
import { parseRtp, type RtpFields, type RtpPacket, writeRtp } from './rtp.ts'

const pcma: AudioFormat = { payloadType: 8, codec: 'PCMA', clockHz: 8_000 }
const pcmu: AudioFormat = { payloadType: 0, codec: 'PCMU', clockHz: 8_000 }
const event = (payloadType: number, clockHz = 8_000): AudioFormat => ({
  payloadType,
  codec: 'telephone-event',
  clockHz,
})
const speech = Uint8Array.from({ length: 160 }, (_, i) => i)

function passing(agent: readonly AudioFormat[], caller: readonly AudioFormat[]): PassingDirection {
  const direction = new PassingDirection({ random: seededRandom(3) })
  direction.setFormats(agent, caller)
  return direction
}

/** Sends the n-th 20 ms packet of a stream, with changes, and reads what comes out. */
function send(
  direction: PassingDirection,
  n: number,
  changes: Partial<RtpFields> & { payload?: Uint8Array; nowMs?: number } = {},
): RtpPacket | undefined {
  const { payload = speech, nowMs = n * 20, ...fields } = changes
  const base = { payloadType: 8, marker: false, sequence: (65_530 + n) & 0xffff, timestamp: n * 160, ssrc: 9 }
  const out = direction.receive(writeRtp({ ...base, ...fields }, payload), nowMs)
  return out === undefined ? undefined : (parseRtp(out) as RtpPacket)
}

/** 16 bits as two octets. */
const units = (count: number): number[] => [count >> 8, count & 0xff]
const readOpusDuration = (payload: Uint8Array = new Uint8Array(0)): number =>
  opusDuration48k(payload, 0, payload.length)

/** Sequence and timestamp of `packet`, counted from `first`. */
const place = (packet: RtpPacket | undefined, first: RtpPacket | undefined): [number, number] => [
  ((packet?.sequence ?? 0) - (first?.sequence ?? 0)) & 0xffff,
  ((packet?.timestamp ?? 0) - (first?.timestamp ?? 0)) >>> 0,
]

test('audio goes on in our own stream, in the codec that both have', () => {
  const direction = passing([pcma, pcmu], [pcmu, { ...pcma, payloadType: 118 }])
  const first = send(direction, 0)
  const second = send(direction, 1)
  assert.deepEqual(first?.payload, speech)
  assert.deepEqual([first?.payloadType, first?.marker, second?.marker], [118, true, false])
  assert.notEqual(first?.ssrc, 9)
  assert.equal(second?.ssrc, first?.ssrc)
  assert.deepEqual(place(second, first), [1, 160])
})

test('where the sides differ, A-law and µ-law are transcoded', () => {
  assert.deepEqual(send(passing([pcma], [pcmu]), 0)?.payload, transcodeG711(speech, 'PCMA', 'PCMU'))
  const packet = send(passing([pcmu], [pcma]), 0, { payloadType: 0 })
  assert.deepEqual(packet?.payload, transcodeG711(speech, 'PCMU', 'PCMA'))
})

test('loss stays visible, a late packet takes its old place, a repeated one its own, through the wrap of the sequence', () => {
  const direction = passing([pcma], [pcma])
  const first = send(direction, 0)
  assert.deepEqual(place(send(direction, 9), first), [9, 1_440])
  assert.deepEqual(place(send(direction, 8, { nowMs: 181 }), first), [8, 1_280])
  assert.deepEqual(place(send(direction, 9, { nowMs: 182 }), first), [9, 1_440])
  assert.deepEqual(place(send(direction, 10), first), [10, 1_600])
})

test('a silence of ten minutes without packets keeps its length', () => {
  const direction = passing([pcma], [pcma])
  const first = send(direction, 0)
  const after = send(direction, 1, { timestamp: 600_000 * 8, nowMs: 600_000, marker: true })
  assert.deepEqual(place(after, first), [1, 4_800_000])
  assert.equal(after?.marker, true)
})

test('a source that is silent without hold gets a frame of silence every 15 s, and goes on as if there had been none', () => {
  const direction = passing([pcma], [pcmu])
  assert.equal(direction.nextWakeAtMs(), undefined)
  assert.equal(direction.wake(1e6), undefined)
  const first = send(direction, 0)
  assert.equal(direction.wake(14_999), undefined)
  for (const nowMs of [15_000, 30_000]) {
    assert.equal(direction.nextWakeAtMs(), nowMs)
    const frame = parseRtp(direction.wake(nowMs) ?? new Uint8Array(0)) as RtpPacket
    assert.deepEqual(place(frame, first), [nowMs / 15_000, nowMs * 8])
    assert.deepEqual(frame.payload, new Uint8Array(160).fill(0xff))
  }
  const after = send(direction, 1, { timestamp: 40_000 * 8, nowMs: 40_000, marker: true })
  assert.deepEqual(place(after, first), [3, 320_000])
})

test('a new SSRC, a jump of the sequence and a jump of the timestamp all continue our stream by the clock', () => {
  const direction = passing([pcma], [pcma])
  const first = send(direction, 0)
  const other = send(direction, 1, { ssrc: 10, sequence: 40_000, timestamp: 0xdead_0000 })
  assert.deepEqual(place(other, first), [1, 160])
  assert.equal(other?.marker, true)
  assert.deepEqual(place(send(direction, 2, { ssrc: 10, sequence: 3, timestamp: 0xdead_00a0 }), first), [2, 320])
  assert.deepEqual(place(send(direction, 3, { ssrc: 10, sequence: 4, timestamp: 5 }), first), [3, 480])
  assert.deepEqual(place(send(direction, 4, { ssrc: 10, sequence: 5, timestamp: 165 }), first), [4, 640])
  assert.equal(direction.counters()['passing_restarts'], 3)
})

test('a new SSRC that happens to count on, and a timestamp that goes back, are restarts too', () => {
  const direction = passing([pcma], [pcma])
  const first = send(direction, 0)
  assert.deepEqual(place(send(direction, 1, { ssrc: 10, timestamp: 5_000 }), first), [1, 160])
  assert.deepEqual(place(send(direction, 2, { ssrc: 10, timestamp: 5_160 - 10_000 }), first), [2, 320])
  assert.equal(direction.counters()['passing_restarts'], 2)
})

test('an event keeps its octets and shared timestamp under the caller’s number; audio goes on after it', () => {
  const direction = passing([pcma, event(101)], [pcma, event(96)])
  const first = send(direction, 0)
  const octets = Uint8Array.of(11, 10, 0, 160)
  const start = send(direction, 1, { payloadType: 101, payload: octets, marker: true })
  const update = send(direction, 2, { payloadType: 101, payload: octets, timestamp: 160 })
  assert.deepEqual([start?.payloadType, start?.marker, start?.payload], [96, true, octets])
  assert.deepEqual(place(start, first), [1, 160])
  assert.deepEqual(place(update, first), [2, 160])
  // A key held for 8 s: the timestamp stands still all the while, then catches up at once.
  const later = send(direction, 3, { timestamp: 160 + 64_000, nowMs: 60 })
  assert.deepEqual(place(later, first), [3, 64_160])
  assert.equal(direction.counters()['passing_restarts'], 0)
})

test('an event that the caller’s side cannot take is dropped', () => {
  const direction = passing([pcma, event(101)], [pcma])
  assert.equal(send(direction, 0, { payloadType: 101, payload: Uint8Array.of(1, 10, 0, 160) }), undefined)
  assert.equal(direction.counters()['passing_no_format'], 1)
})

test('an event on another clock than the caller’s is converted, and the audio around it stays in step', () => {
  const direction = passing([opus, event(110, 48_000)], [pcma, event(101)])
  const silence = Uint8Array.of(0x48)
  const first = send(direction, 0, { payloadType: 111, payload: silence, timestamp: 0 })
  const pressed = [1, 2, 3].map((n) =>
    send(direction, n, {
      payloadType: 110,
      timestamp: 960,
      marker: n === 1,
      payload: Uint8Array.of(1, n === 3 ? 0x8a : 10, ...units(n * 960)),
    }),
  )
  assert.deepEqual(
    pressed.map((packet) => packet?.payloadType),
    [101, 101, 101],
  )
  assert.deepEqual(
    pressed.map((packet) => place(packet, first)),
    [
      [1, 160],
      [2, 160],
      [3, 160],
    ],
  )
  assert.deepEqual(
    pressed.map((packet) => [...(packet?.payload.subarray(2) ?? [])]),
    [units(160), units(320), units(480)],
  )
  const after = send(direction, 4, { payloadType: 111, payload: silence, timestamp: 4 * 960 })
  assert.deepEqual(place(after, first), [4, 640])
  direction.close()
})

test('unknown types, RTCP, STUN, mislabelled events and empty payloads do not cross, and are counted', () => {
  const direction = passing([pcma, event(101)], [pcma, event(101)])
  assert.equal(send(direction, 0, { payloadType: 13 }), undefined)
  assert.equal(direction.receive(Uint8Array.from([0x80, 200, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), 0), undefined)
  assert.equal(direction.receive(new Uint8Array(20), 0), undefined)
  assert.equal(send(direction, 0, { payload: Uint8Array.of(1, 10, 0, 160) }), undefined)
  assert.equal(send(direction, 0, { payload: new Uint8Array(0) }), undefined)
  assert.equal(send(direction, 0, { payloadType: 101, payload: speech.subarray(0, 5) }), undefined)
  assert.deepEqual(direction.counters(), {
    passing_passed: 0,
    passing_not_rtp: 2,
    passing_unknown_type: 1,
    passing_no_format: 0,
    passing_suspect_payload: 3,
    passing_not_decodable: 0,
    passing_late_event: 0,
    passing_restarts: 0,
  })
})

test('header extension, CSRC list and padding stay behind', () => {
  const direction = passing([pcma], [pcma])
  const dressed = [0xb1, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 1, 1, 1, 1, 0xbe, 0xde, 0, 1, 0x10, 0x7f, 0, 0]
  const out = direction.receive(Uint8Array.from([...dressed, ...speech, 0, 0, 3]), 0)
  assert.equal(out?.length, 12 + speech.length)
  assert.equal(out?.[0], 0x80)
})

test('before formats are agreed nothing passes, and new formats keep the stream', () => {
  const direction = new PassingDirection({ random: seededRandom(3) })
  assert.equal(send(direction, 0), undefined)
  direction.setFormats([pcma], [pcma])
  const first = send(direction, 1)
  direction.setFormats([pcmu], [pcma])
  const second = send(direction, 2, { payloadType: 0 })
  assert.equal(second?.ssrc, first?.ssrc)
  assert.deepEqual(place(second, first), [1, 160])
})

const g722: AudioFormat = { payloadType: 9, codec: 'G722', clockHz: 8_000 }
const opus: AudioFormat = { payloadType: 111, codec: 'opus', clockHz: 48_000 }
const noise: AudioFormat = { payloadType: 13, codec: 'CN', clockHz: 8_000 }

test('codecs with memory cross untouched where both sides have them, comfort noise and events of their clock with them', () => {
  const direction = passing([opus, event(110, 48_000)], [g722, { ...opus, payloadType: 96 }, event(97, 48_000)])
  const packet = Uint8Array.of(0x48, 1, 2, 3, 4, 5)
  const first = send(direction, 0, { payloadType: 111, payload: packet })
  const second = send(direction, 1, { payloadType: 111, payload: packet, timestamp: 960 })
  assert.deepEqual([first?.payloadType, first?.payload, second?.payload], [96, packet, packet])
  assert.deepEqual(place(second, first), [1, 960])
  const wide = passing([g722, noise], [g722, noise])
  assert.deepEqual(send(wide, 0, { payloadType: 9 })?.payload, speech)
  assert.deepEqual(send(wide, 1, { payloadType: 13, payload: Uint8Array.of(60, 1, 2, 3) })?.payload.length, 4)
})

test('comfort noise for a caller who does not know it fills the pause at its level, until speech is back or for a minute', () => {
  for (const [codec, octets, clockPerMs] of [
    [pcma, 160, 8],
    [g722, 160, 8],
    [opus, 80, 48],
  ] as const) {
    const direction = passing([pcmu, noise], [codec])
    const first = send(direction, 0, { payloadType: 0 })
    const began = send(direction, 1, { payloadType: 13, payload: Uint8Array.of(50, 9, 9) })
    const pause = [began, ...Array.from({ length: 50 }, (_, n) => filled(direction, (n + 2) * 20))]
    for (const [n, packet] of pause.entries()) {
      assert.deepEqual([packet?.payloadType, packet?.payload.length], [codec.payloadType, octets])
      assert.deepEqual(place(packet, first), [n + 1, (n + 1) * 20 * clockPerMs])
    }
    if (codec === pcma) {
      const sound = pause.flatMap((packet) => [...decodeG711('PCMA', packet?.payload ?? new Uint8Array(0))])
      const rms = Math.sqrt(sound.reduce((sum, sample) => sum + sample ** 2, 0) / sound.length)
      assert.ok(Math.abs(20 * Math.log10(rms / 32_768) + 50) < 1, `${rms}`)
    }
    const speaks = send(direction, 2, { payloadType: 0, timestamp: 60 * 160, nowMs: 60 * 20 })
    assert.deepEqual(place(speaks, first), [52, 60 * 20 * clockPerMs])
    assert.equal(direction.wake(60 * 20 + 20), undefined)
    send(direction, 3, { payloadType: 13, payload: Uint8Array.of(60), timestamp: 61 * 160, nowMs: 1_220 })
    let atMs = direction.nextWakeAtMs() ?? 0
    for (; direction.wake(atMs) !== undefined && atMs < 70_000; atMs += 20);
    assert.equal(atMs, 1_220 + 60_000)
    direction.close()
  }
})

/** The frame that is due. */
function filled(direction: PassingDirection, atMs: number): RtpPacket | undefined {
  assert.equal(direction.nextWakeAtMs(), atMs)
  const frame = direction.wake(atMs)
  return frame === undefined ? undefined : (parseRtp(frame) as RtpPacket)
}

test('Opus on one side and G.711 on the other: transcoded, each in its own clock', () => {
  const toCaller = passing([opus], [pcma])
  const silence = Uint8Array.of(0x48)
  const first = send(toCaller, 0, { payloadType: 111, payload: silence })
  const second = send(toCaller, 1, { payloadType: 111, payload: silence, timestamp: 960 })
  assert.deepEqual(second?.payload, new Uint8Array(160).fill(0xd5))
  assert.deepEqual(place(second, first), [1, 160])
  toCaller.close()
  const fromNarrow = passing([pcma], [opus])
  const start = send(fromNarrow, 0)
  const next = send(fromNarrow, 1)
  assert.deepEqual(place(next, start), [1, 960])
  assert.equal(next?.payload.length, 80)
  // libopus has no frame of 30 ms, but a packet can have three of 10 ms.
  const thirty = send(fromNarrow, 2, { payload: new Uint8Array(240) })
  assert.equal(readOpusDuration(thirty?.payload), 1_440)
  fromNarrow.close()
})

test('a silent wide-band source is kept alive in its own codec and clock', () => {
  for (const [format, octets, units] of [
    [g722, 160, 120_000],
    [opus, 1, 720_000],
  ] as const) {
    const direction = passing([format], [format])
    const first = send(direction, 0, { payloadType: format.payloadType })
    const frame = direction.wake(15_000)
    const packet = frame === undefined ? undefined : (parseRtp(frame) as RtpPacket)
    assert.equal(packet?.payload.length, octets)
    assert.deepEqual(place(packet, first), [1, units])
  }
})
