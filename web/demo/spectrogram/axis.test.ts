import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dtmfHz, heightOf, hzAt } from './axis.ts'

test('the axis and its inverse agree, and rise', () => {
  for (let height = 0; height <= 1; height += 0.01) assert.ok(Math.abs(heightOf(hzAt(height)) - height) < 1e-9)
  for (let hz = 10; hz <= 3_000; hz += 10) assert.ok(heightOf(hz) > heightOf(hz - 10), `${hz} Hz`)
  assert.equal(heightOf(4_000), 1)
})

test('what is below 2 kHz, the keypad above all, gets three quarters of the height', () => {
  for (const hz of dtmfHz) assert.ok(heightOf(hz) < 0.75)
  assert.ok(heightOf(2_000) > 0.75)
})
