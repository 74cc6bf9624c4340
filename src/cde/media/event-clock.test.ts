// RFC 4733 2.1, 2.5.1.2 and 2.5.1.3: one press on one side is one press on the other, whatever the two clocks.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConvertedEvent, EventClock, type EventClocks } from './event-clock.ts'

const SEGMENT = 0xffff
const KEY = 5
const STREAM_AT = 0xffff_fe00

const block = (durationUnits: number, end = false): Uint8Array =>
  Uint8Array.of(KEY, (end ? 0x80 : 0) | 10, durationUnits >> 8, durationUnits & 0xff)
const isEnd = ({ payload }: ConvertedEvent): boolean => ((payload[1] ?? 0) & 0x80) !== 0
const unitsOf = ({ payload }: ConvertedEvent): number => ((payload[2] ?? 0) << 8) | (payload[3] ?? 0)

/** A press as a sender with `fromHz` tells it, every 50 ms and its end three times. */
function press(heldMs: number, fromHz: number, at: number) {
  const told = [...Array.from({ length: Math.floor(heldMs / 50) }, (_, n) => (n + 1) * 50), heldMs, heldMs, heldMs]
  let [segment, said] = [0, 0]
  return told.map((ms, n) => {
    const total = (ms * fromHz) / 1_000
    const isOver = n >= told.length - 3
    // The segment that is full says so before the next one begins.
    const isClosing = total - segment * SEGMENT > SEGMENT && said < SEGMENT && !isOver
    if (!isClosing) while (total - segment * SEGMENT > SEGMENT) segment++
    said = isClosing ? SEGMENT : total - segment * SEGMENT
    return { ssrc: 9, timestamp: (at + segment * SEGMENT) >>> 0, payload: block(said, isOver) }
  })
}

/** What the packets of one press say it lasted, in ms of its clock. Fails unless segments follow each other without a gap. */
function lastedMs(packets: readonly ConvertedEvent[], { toHz, streamHz }: EventClocks, start: number): number {
  let segment = 0
  for (const packet of packets) {
    const offset = (((packet.timestamp - start) >>> 0) * toHz) / streamHz
    assert.ok(Math.abs(offset - segment * SEGMENT) <= 1 || Math.abs(offset - (segment + 1) * SEGMENT) <= 1, `${offset}`)
    segment = Math.round(offset / SEGMENT)
    assert.equal(packet.payload[0], KEY)
  }
  const last = packets.at(-1)
  return last === undefined ? 0 : ((segment * SEGMENT + unitsOf(last)) * 1_000) / toHz
}

const pairs = [8_000, 16_000, 48_000].flatMap((fromHz) => [8_000, 16_000, 48_000].map((toHz) => ({ fromHz, toHz })))

for (const { fromHz, toHz } of pairs) {
  test(`a key held for 0.1, 1.5, 4 and 9 s lasts as long after the way from ${fromHz} Hz to ${toHz} Hz`, () => {
    for (const heldMs of [100, 1_500, 4_000, 9_000]) {
      for (const streamHz of new Set([toHz, 48_000])) {
        const clocks = { fromHz, toHz, streamHz }
        const clock = new EventClock()
        const converted = press(heldMs, fromHz, 0xffff_ff00).map((packet) => clock.convert(packet, clocks, STREAM_AT))
        const packets = converted.filter((packet) => packet !== undefined)
        assert.equal(packets.length, converted.length)
        assert.equal(packets[0]?.timestamp, STREAM_AT)
        assert.ok(Math.abs(lastedMs(packets, clocks, STREAM_AT) - heldMs) <= 0.2, `${heldMs} ms`)
        assert.deepEqual(
          packets.map(isEnd),
          packets.map((_, n) => n >= packets.length - 3),
        )
        // No segment but the last is left without its full length.
        const full = packets.filter((packet) => unitsOf(packet) === SEGMENT).length
        assert.equal(full, Math.ceil((heldMs * toHz) / 1_000 / SEGMENT) - 1)
      }
    }
  })
}

const clocks: EventClocks = { fromHz: 48_000, toHz: 8_000, streamHz: 8_000 }

test('two presses never share a timestamp, although the audio stands still between them', () => {
  const clock = new EventClock()
  const first = press(100, 48_000, 0).map((packet) => clock.convert(packet, clocks, 1_000))
  const second = press(100, 48_000, 9_600).map((packet) => clock.convert(packet, clocks, 1_000))
  assert.equal(first.at(-1)?.timestamp, 1_000)
  assert.equal(second[0]?.timestamp, 1_800)
})

test('late copies of the press before are dropped; a source that begins anew is not', () => {
  const clock = new EventClock()
  const [late = { ssrc: 9, timestamp: 0, payload: block(0) }] = press(100, 48_000, 960_000)
  clock.convert(late, clocks, 0)
  clock.convert({ ...late, timestamp: 969_600 }, clocks, 2_000)
  assert.equal(clock.convert(late, clocks, 2_000), undefined)
  assert.notEqual(clock.convert({ ...late, ssrc: 10 }, clocks, 5_000), undefined)
  assert.notEqual(clock.convert({ ...late, ssrc: 10, timestamp: 7 }, clocks, 7_000), undefined)
})

test('several events in one packet keep their order and their lengths', () => {
  const payload = Uint8Array.from([...block(4_800, true), ...block(2_400, true)])
  const converted = new EventClock().convert({ ssrc: 9, timestamp: 0, payload }, clocks, 0)
  assert.deepEqual([...(converted?.payload ?? [])], [...block(800, true), ...block(400, true)])
  assert.equal(payload[3], 4_800 & 0xff)
})
