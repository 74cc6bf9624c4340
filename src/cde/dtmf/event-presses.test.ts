import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom, randomUnit } from '../../lib/random.ts'
import { eventPackets } from '../../sim/tones.ts'
import { parseRtp } from '../media/rtp.ts'
import { EventPresses } from './event-presses.ts'
import { parseEvents } from './events.ts'

const SSRC = 0xffff_0001

/** ssrc, timestamp, key, end, duration, arrival */
type Block = readonly [ssrc: number, timestamp: number, key: number, end: boolean, durationUnits: number, atMs: number]

function newPresses(blocks: readonly Block[], presses = new EventPresses()): number {
  let count = 0
  for (const [ssrc, timestamp, event, end, durationUnits, atMs] of blocks) {
    const meaning = presses.take(ssrc, timestamp >>> 0, { event, end, volumeDb: 10, durationUnits }, atMs)
    if (meaning === 'new-press') count++
  }
  return count
}

test('updates and three end packets are one press, the next timestamp is another one', () => {
  const press = (timestamp: number, atMs: number): Block[] => [
    [SSRC, timestamp, 5, false, 160, atMs],
    [SSRC, timestamp, 5, false, 320, atMs + 20],
    [SSRC, timestamp, 5, true, 480, atMs + 40],
    [SSRC, timestamp, 5, true, 480, atMs + 60],
    [SSRC, timestamp, 5, true, 480, atMs + 80],
  ]
  assert.equal(newPresses(press(0, 0)), 1)
  assert.equal(newPresses([...press(0, 0), ...press(720, 90)]), 2)
})

test('any subset and order of a press with a lost marker, first or last packet is one press', () => {
  const random = seededRandom(7)
  for (let run = 0; run < 200; run++) {
    const all: Block[] = Array.from({ length: 8 }, (_, i) => [SSRC, -400, 9, i >= 5, 160 * Math.min(i + 1, 6), 20 * i])
    const some = all.filter(() => randomUnit(random) < 0.5)
    if (some.length === 0) continue
    const [first, second] = some
    const shuffled =
      randomUnit(random) < 0.3 && first !== undefined && second !== undefined ? [second, first, ...some.slice(2)] : some
    assert.equal(newPresses(shuffled), 1, `run ${run}`)
  }
})

test('a first packet of duration 0 begins a press, a single late end packet is a press', () => {
  assert.equal(newPresses([[SSRC, 0, 1, false, 0, 0]]), 1)
  assert.equal(newPresses([[SSRC, 0, 1, true, 800, 100]]), 1)
})

test('a duration that jumps back is still the same press', () => {
  assert.equal(
    newPresses([
      [SSRC, 0, 1, false, 480, 0],
      [SSRC, 0, 1, false, 160, 20],
      [SSRC, 0, 1, true, 640, 40],
    ]),
    1,
  )
})

test('end packets with a timestamp of their own belong to the press', () => {
  const blocks: Block[] = [
    [SSRC, 0, 1, false, 160, 0],
    [SSRC, 0, 1, false, 480, 40],
    [SSRC, 480, 1, true, 480, 60],
    [SSRC, 480, 1, true, 480, 80],
  ]
  assert.equal(newPresses(blocks), 1)
})

test('the same key again after 30 ms is another press, even when only its end packets arrive', () => {
  const blocks: Block[] = [
    [SSRC, 0, 1, false, 160, 0],
    [SSRC, 0, 1, true, 400, 50],
    [SSRC, 640, 1, true, 400, 130],
    [SSRC, 640, 1, true, 400, 150],
  ]
  assert.equal(newPresses(blocks), 2)
})

test('a key held for 30 s in segments of 0xFFFF is one press', () => {
  const presses = new EventPresses()
  let count = 0
  const settings = {
    payloadType: 101,
    ssrc: SSRC,
    sequence: 0,
    timestamp: 0xffff_ff00,
    durationUnits: 240_000,
    updateUnits: 400,
  }
  for (const { atUnits, packet } of eventPackets(3, settings)) {
    const rtp = parseRtp(packet)
    assert.ok(typeof rtp !== 'string')
    const blocks = parseEvents(rtp.payload)
    assert.ok(typeof blocks !== 'string')
    for (const block of blocks) if (presses.take(rtp.ssrc, rtp.timestamp, block, atUnits / 8) === 'new-press') count++
  }
  assert.equal(count, 1)
})

test('all end packets lost: the press ends by itself, and late copies do not revive it', () => {
  const presses = new EventPresses()
  assert.equal(
    newPresses(
      [
        [SSRC, 0, 1, false, 160, 0],
        [SSRC, 0, 1, false, 560, 50],
      ],
      presses,
    ),
    1,
  )
  assert.equal(presses.isDown, true)
  presses.wake(120)
  assert.equal(presses.isDown, true)
  presses.wake(210)
  assert.equal(presses.isDown, false)
  assert.equal(newPresses([[SSRC, 0, 1, true, 900, 3_000]], presses), 0)
})

test('a new SSRC in mid press is the same press, a new SSRC after it is not', () => {
  assert.equal(
    newPresses([
      [SSRC, 0, 1, false, 160, 0],
      [SSRC + 1, 9_000, 1, false, 320, 40],
    ]),
    1,
  )
  assert.equal(
    newPresses([
      [SSRC, 0, 1, true, 160, 0],
      [SSRC + 1, 9_000, 1, false, 160, 40],
    ]),
    2,
  )
})

test('another key at a timestamp that stands still is another press', () => {
  assert.equal(
    newPresses([
      [SSRC, 0, 1, true, 160, 0],
      [SSRC, 0, 2, false, 160, 200],
    ]),
    2,
  )
})

test('flash and unknown events are no keys', () => {
  assert.equal(
    new EventPresses().take(SSRC, 0, { event: 16, end: false, volumeDb: 0, durationUnits: 0 }, 0),
    'not-a-key',
  )
  assert.equal(newPresses([[SSRC, 0, 255, true, 160, 0]]), 0)
})

test('a flood of presses stays within its slots', () => {
  const presses = new EventPresses()
  let count = 0
  for (let i = 0; i < 1_000; i++) count += newPresses([[SSRC, i * 1_600, i % 16, true, 800, i * 200]], presses)
  assert.equal(count, 1_000)
})
