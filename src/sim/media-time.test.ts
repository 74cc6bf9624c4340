import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MediaTime } from './media-time.ts'

test('positions follow the timestamps across the 32-bit wrap, whatever the arrival times', () => {
  const time = new MediaTime()
  assert.equal(time.position(1, 0xffff_ff60, 160, 5_000), 0)
  assert.equal(time.position(1, 0, 160, 5_900), 160)
  assert.equal(time.position(1, 480, 160, 5_901), 640)
  assert.equal(time.originMs, 4_980)
})

test('a packet that was overtaken keeps its own place', () => {
  const time = new MediaTime()
  time.position(1, 1_000, 160, 0)
  time.position(1, 1_320, 160, 40)
  assert.equal(time.position(1, 1_160, 160, 41), 160)
  assert.equal(time.position(1, 1_480, 160, 60), 480)
})

test('a packet from before the first one lies before the start', () => {
  const time = new MediaTime()
  time.position(1, 1_000, 160, 0)
  assert.equal(time.position(1, 840, 160, 1), -160)
})

test('a new SSRC goes on by arrival time', () => {
  const time = new MediaTime()
  time.position(1, 1_000, 160, 1_020)
  assert.equal(time.position(2, 77, 160, 2_020), 8_000)
  assert.equal(time.position(2, 237, 160, 2_040), 8_160)
})

test('a timestamp jump of more than five seconds goes on by arrival time and never overlaps', () => {
  const time = new MediaTime()
  time.position(1, 1_000, 160, 1_020)
  assert.equal(time.position(1, 0x8000_0000, 160, 1_040), 160)
  assert.equal(time.position(1, 0x4000_0000, 160, 1_041), 320)
})
