import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomUnit, seededRandom } from '../lib/random.ts'
import { FRAME_SAMPLES } from './audio-source.ts'
import { Playout } from './playout.ts'

const SEED = 11
const frame = (value: number): Int16Array => new Int16Array(FRAME_SAMPLES).fill(value)

test('jittered and reordered packets come out as one even stream', () => {
  const random = seededRandom(SEED)
  const arrivals = Array.from({ length: 200 }, (_, i) => ({ i, atMs: i * 20 + randomUnit(random) * 40 }))
  arrivals.sort((a, b) => a.atMs - b.atMs)
  const playout = new Playout()
  const heard: number[] = []
  for (let tick = 0; tick < 200; tick++) {
    while (arrivals[0] !== undefined && arrivals[0].atMs <= tick * 20) {
      const { i } = arrivals.shift() ?? { i: 0 }
      playout.write(i * FRAME_SAMPLES, frame(i + 1))
    }
    heard.push(playout.next()[0] ?? 0)
  }
  const first = heard.indexOf(1)
  assert.ok(first >= 0 && first <= 5, `seed ${SEED}: begins at tick ${first}`)
  for (let i = first; i < heard.length; i++) assert.equal(heard[i], i - first + 1, `seed ${SEED}: tick ${i}`)
})

test('a lost packet is silence, never a repetition', () => {
  const playout = new Playout()
  for (const i of [0, 1, 3, 4, 5]) playout.write(i * FRAME_SAMPLES, frame(i + 1))
  assert.deepEqual(
    Array.from({ length: 6 }, () => playout.next()[0]),
    [1, 2, 0, 4, 5, 6],
  )
})

test('after a pause it fills up again and starts with the new sound', () => {
  const playout = new Playout()
  for (let i = 0; i < 3; i++) playout.write(i * FRAME_SAMPLES, frame(i + 1))
  for (let i = 0; i < 10; i++) playout.next()
  for (let i = 100; i < 103; i++) {
    assert.equal(playout.next()[0], 0)
    playout.write(i * FRAME_SAMPLES, frame(i))
  }
  assert.equal(playout.next()[0], 100)
})

test('a burst ahead of the listener is skipped to the usual delay', () => {
  const playout = new Playout()
  for (let i = 0; i < 40; i++) playout.write(i * FRAME_SAMPLES, frame(i + 1))
  const next = playout.next()[0] ?? 0
  assert.ok(next > 25, `plays frame ${next}`)
})

test('lost packets stay silent when the buffer has gone round many times', () => {
  const playout = new Playout()
  const heard: number[] = []
  for (let i = 0; i < 300; i++) {
    if (i % 7 !== 3) playout.write(i * FRAME_SAMPLES, frame(i + 1))
    if (i >= 2) heard.push(playout.next()[0] ?? 0)
  }
  for (const [i, value] of heard.entries()) assert.equal(value, i % 7 === 3 ? 0 : i + 1, `frame ${i}`)
})
