import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simLimits } from '../lib/limits.ts'
import { Recorder } from './recorder.ts'

const ones = (length: number): Int16Array => new Int16Array(length).fill(1)

test('what was lost is silence and what was overtaken fills its gap', () => {
  const recorder = new Recorder()
  recorder.write(0, ones(3))
  recorder.write(6, ones(2))
  assert.deepEqual([...recorder.recording(0).samples], [1, 1, 1, 0, 0, 0, 1, 1])
  recorder.write(3, ones(3))
  assert.deepEqual([...recorder.recording(0).samples], [1, 1, 1, 1, 1, 1, 1, 1])
})

test('samples from before the start are left out', () => {
  const recorder = new Recorder()
  recorder.write(-2, Int16Array.of(1, 2, 3))
  recorder.write(-9, ones(3))
  assert.deepEqual([...recorder.recording(0).samples], [3])
})

test('a recording ends at its limit, however far ahead a packet claims to be', () => {
  const recorder = new Recorder()
  const limitSamples = simLimits.recordingMs * 8
  recorder.write(limitSamples - 2, ones(160))
  recorder.write(2 ** 40, ones(160))
  assert.equal(recorder.recording(0).samples.length, limitSamples)
})
