import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Carriage } from '../cde/dtmf/key-codes.ts'
import { decodeG711 } from '../cde/media/g711.ts'
import { parseRtp, type RtpPacket } from '../cde/media/rtp.ts'
import { simLimits } from '../lib/limits.ts'
import { seededRandom } from '../lib/random.ts'
import { AudioSource, FRAME_SAMPLES } from './audio-source.ts'
import { RtpSender } from './rtp-sender.ts'

const SEED = 20_250

function rig({ withEvents = true, talkOver = false } = {}) {
  const random = seededRandom(SEED)
  const source = new AudioSource(random)
  const seen = {
    sent: [] as Int16Array[],
    monitor: [] as Int16Array[],
    positions: [] as number[],
    down: [] as { carriage: Carriage; atMs: number }[],
    over: 0,
    info: 0,
  }
  const sender = new RtpSender({
    codec: 'PCMA',
    payloadType: 8,
    eventPayloadType: withEvents ? 101 : undefined,
    source,
    random,
    startMs: 1_000,
    talkOver,
    onFrame: (position, sent, monitor) => {
      seen.positions.push(position)
      seen.sent.push(sent)
      seen.monitor.push(monitor)
    },
    onPress: (carriage, atMs) => seen.down.push({ carriage, atMs }),
    onPressOver: () => seen.over++,
    onInfo: () => seen.info++,
  })
  const run = (untilMs: number): RtpPacket[] => {
    const packets: RtpPacket[] = []
    while (sender.nextWakeAtMs() < untilMs) packets.push(...parsed(sender.wake(sender.nextWakeAtMs())))
    return packets
  }
  return { sender, source, seen, run }
}

function parsed(packets: readonly Uint8Array[]): RtpPacket[] {
  return packets.map((datagram) => {
    const packet = parseRtp(datagram)
    assert.ok(typeof packet !== 'string', `seed ${SEED}: not RTP`)
    return packet
  })
}

function loudest(frames: readonly Int16Array[]): number {
  return Math.max(...frames.map((frame) => Math.max(...frame.map(Math.abs))))
}

test('packets leave every 20 ms on an absolute schedule, however late each wake is', () => {
  const { sender } = rig()
  const packets: RtpPacket[] = []
  const lateMs = [0, 3, 19, 1, 7]
  for (let i = 0; i < 500; i++) packets.push(...parsed(sender.wake(1_000 + i * 20 + (lateMs[i % 5] ?? 0))))
  assert.equal(packets.length, 500)
  assert.equal(sender.nextWakeAtMs(), 1_000 + 500 * 20)
  for (const [i, packet] of packets.entries()) {
    assert.equal(packet.sequence, ((packets[0]?.sequence ?? 0) + i) & 0xffff)
    assert.equal(packet.timestamp, ((packets[0]?.timestamp ?? 0) + i * FRAME_SAMPLES) >>> 0)
    assert.equal(packet.marker, i === 0)
    assert.equal(packet.payload.length, FRAME_SAMPLES)
  }
})

test('waking too early sends nothing', () => {
  const { sender } = rig()
  assert.equal(sender.wake(999).length, 0)
  assert.equal(sender.wake(1_000).length, 1)
  assert.equal(sender.wake(1_019.9).length, 0)
})

test('after a stall five packets catch up and the rest of the time is skipped in the timestamps', () => {
  const { sender, seen } = rig()
  const [first] = parsed(sender.wake(1_000))
  const packets = parsed(sender.wake(1_000 + 20 * 12))
  assert.equal(packets.length, simLimits.catchUpPackets)
  assert.equal(sender.skippedPackets, 7)
  assert.equal(packets[0]?.marker, true)
  assert.equal(packets[0]?.sequence, ((first?.sequence ?? 0) + 1) & 0xffff)
  assert.equal(packets[0]?.timestamp, ((first?.timestamp ?? 0) + 8 * FRAME_SAMPLES) >>> 0)
  assert.equal(seen.positions[1], 8 * FRAME_SAMPLES)
  assert.equal(sender.nextWakeAtMs(), 1_000 + 20 * 13)
})

test('a key sent as events: updates with growing duration, three ends, audio going on between them', () => {
  const { sender, source, seen, run } = rig()
  run(1_100)
  source.speak(new Int16Array(8_000).fill(4_000))
  assert.ok(sender.press(5, 'event', 100))
  const packets = run(1_500)
  const events = packets.filter(({ payloadType }) => payloadType === 101)
  const audio = packets.filter(({ payloadType }) => payloadType === 8)
  assert.equal(audio.length, 20)
  assert.deepEqual(
    events.map(({ payload }) => ((payload[2] ?? 0) << 8) | (payload[3] ?? 0)),
    [160, 320, 480, 640, 800, 800, 800],
  )
  assert.deepEqual(
    events.map(({ payload }) => (payload[1] ?? 0) >> 7),
    [0, 0, 0, 0, 1, 1, 1],
  )
  assert.deepEqual(
    events.map(({ marker }) => marker),
    [true, false, false, false, false, false, false],
  )
  assert.ok(events.every(({ timestamp }) => timestamp === audio[0]?.timestamp))
  for (const [i, packet] of packets.entries()) {
    assert.equal(packet.sequence, ((packets[0]?.sequence ?? 0) + i) & 0xffff)
  }
  assert.ok(loudest(seen.sent.slice(5, 10)) < 4_500, 'the voice goes on and no tone is in the audio')
  assert.ok(loudest(seen.monitor.slice(5, 10)) > 6_000, 'the monitor shows that a key was pressed')
  assert.equal(seen.over, 1)
})

test('a key sent in-band is in the audio for its whole length; the voice waits and goes on', () => {
  const { sender, source, seen, run } = rig()
  source.speak(new Int16Array(FRAME_SAMPLES * 10).fill(1_000))
  assert.ok(sender.press(1, 'in-band', 90))
  const packets = run(1_700)
  assert.ok(packets.every(({ payloadType }) => payloadType === 8))
  const audio = Int16Array.from(packets.flatMap(({ payload }) => [...decodeG711('PCMA', payload)]))
  assert.ok(loudest([audio.subarray(0, 720)]) > 6_000)
  assert.ok(loudest([audio.subarray(720, 800)]) < 200, 'silence after the tone in its last packet')
  const voice = audio.filter((sample) => Math.abs(sample - 1_000) < 100).length
  assert.ok(voice >= FRAME_SAMPLES * 10, 'no sample of the voice is lost')
  assert.deepEqual(seen.down, [{ carriage: 'in-band', atMs: 980 }])
})

test('talking over a key mixes both', () => {
  const { sender, source, seen, run } = rig({ talkOver: true })
  source.speak(new Int16Array(FRAME_SAMPLES * 10).fill(1_000))
  sender.press(1, 'in-band', 100)
  run(1_100)
  const mean = seen.sent.flatMap((frame) => [...frame]).reduce((sum, x) => sum + x, 0) / (5 * FRAME_SAMPLES)
  assert.ok(mean > 800 && mean < 1_200, `mean ${mean}`)
  assert.ok(loudest(seen.sent) > 6_000)
})

test('a key sent by INFO is handed out once and leaves no trace in RTP', () => {
  const { sender, seen, run } = rig()
  sender.press(3, 'info', 100)
  const packets = run(1_400)
  assert.equal(seen.info, 1)
  assert.ok(packets.every(({ payloadType }) => payloadType === 8))
  assert.ok(loudest(seen.sent) < 200)
  assert.ok(loudest(seen.monitor) > 6_000)
})

test('an event on a call without telephone-event goes in-band', () => {
  const { sender, seen, run } = rig({ withEvents: false })
  sender.press(3, 'event', 100)
  const packets = run(1_400)
  assert.ok(packets.every(({ payloadType }) => payloadType === 8))
  assert.ok(loudest(seen.sent) > 6_000)
})

test('presses wait for each other with at least 60 ms between them, and a full queue refuses', () => {
  const { sender, seen, run } = rig()
  for (let i = 0; i < simLimits.queuedPresses; i++) assert.ok(sender.press(i % 12, 'in-band', 40))
  assert.equal(sender.press(0, 'in-band', 40), false)
  run(1_000 + simLimits.queuedPresses * 100 + 20)
  assert.equal(seen.over, simLimits.queuedPresses)
  const gapsMs = seen.down.slice(1).map(({ atMs }, i) => atMs - (seen.down[i]?.atMs ?? 0))
  assert.ok(gapsMs.every((gapMs) => gapMs === 100))
})

test('a key held for longer than 0xFFFF units is one press in segments', () => {
  const { sender, run } = rig()
  sender.press(7, 'event', 9_000)
  const events = run(1_000 + 10_000).filter(({ payloadType }) => payloadType === 101)
  const starts = [...new Set(events.map(({ timestamp }) => timestamp))]
  assert.equal(starts.length, 2)
  assert.equal(((starts[1] ?? 0) - (starts[0] ?? 0)) >>> 0, 0xffff)
  assert.equal(events.filter(({ marker }) => marker).length, 1)
  assert.equal(events.filter(({ payload }) => ((payload[1] ?? 0) & 0x80) !== 0).length, 3)
})
