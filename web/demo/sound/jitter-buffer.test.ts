import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JitterBuffer } from './jitter-buffer.ts'

const ramp = (from: number, count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => from + i)
const pull = (buffer: JitterBuffer, count: number): Float32Array => {
  const out = new Float32Array(count)
  buffer.pull(out)
  return out
}

test('nothing sounds before there is stock, then everything in order', () => {
  const buffer = new JitterBuffer()
  buffer.push(ramp(1, 480))
  assert.ok(pull(buffer, 128).every((sample) => sample === 0))
  buffer.push(ramp(481, 160))
  assert.deepEqual(pull(buffer, 640), ramp(1, 640))
})

test('after running dry it waits for stock again', () => {
  const buffer = new JitterBuffer()
  buffer.push(ramp(1, 640))
  pull(buffer, 700)
  buffer.push(ramp(1, 160))
  assert.ok(pull(buffer, 160).every((sample) => sample === 0))
})

test('a reader that stood still comes back at the usual delay with the newest sound', () => {
  const buffer = new JitterBuffer()
  for (let i = 0; i < 100; i++) buffer.push(ramp(i * 160 + 1, 160))
  const heard = pull(buffer, 2_560).filter((sample) => sample !== 0)
  assert.ok(heard.length >= 640 && heard.length < 2_560, `${heard.length} samples late`)
  assert.equal(heard.at(-1), 16_000)
})
