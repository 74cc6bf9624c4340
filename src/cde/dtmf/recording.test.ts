import assert from 'node:assert/strict'
import { test } from 'node:test'
import { missing } from '../../../test/support/have.ts'
import { heardByMultimon } from '../../../test/support/multimon.ts'
import { seededRandom } from '../../lib/random.ts'
import { synthesizeKeys } from '../../sim/tones.ts'
import { findKeys, maskRecording } from './recording.ts'
import { fromBaseRate, toBaseRate } from '../media/resample.ts'

const SEED = 17
const ALL = Array.from({ length: 16 }, (_, key) => key)

function recording(
  rateHz: number,
  toneMs = 60,
): { samples: Int16Array; spans: readonly { from: number; to: number }[] } {
  const { samples, spans } = synthesizeKeys(ALL, { toneMs, gapMs: 100 }, seededRandom(SEED))
  return { samples: fromBaseRate(samples, rateHz, (samples.length * rateHz) / 8_000), spans }
}

test('keys are found with their times at 8, 16 and 48 kHz', () => {
  for (const rateHz of [8_000, 16_000, 48_000]) {
    const { samples, spans } = recording(rateHz)
    const found = findKeys(samples, rateHz)
    assert.deepEqual(
      found.map(({ key }) => key),
      ALL,
    )
    for (const [index, { startMs, endMs }] of found.entries()) {
      assert.ok(Math.abs(startMs - (spans[index]?.from ?? 0) / 8) <= 7, `start of ${index} at ${rateHz} Hz`)
      assert.ok(Math.abs(endMs - (spans[index]?.to ?? 0) / 8) <= 7, `end of ${index} at ${rateHz} Hz`)
    }
  }
})

test('a masked recording has the same length and rate, no keys, and spans around each tone', () => {
  for (const rateHz of [8_000, 16_000, 48_000]) {
    const { samples, spans } = recording(rateHz)
    const masked = maskRecording(samples, rateHz)
    assert.equal(masked.samples.length, samples.length)
    assert.equal(masked.foreignPackets, 0)
    assert.deepEqual(findKeys(masked.samples, rateHz), [])
    for (const { from, to } of spans) {
      assert.ok(masked.spans.some(({ startMs, endMs }) => startMs <= from / 8 && endMs >= to / 8))
    }
  }
})

test('what is no key stays in its place', () => {
  const samples = Int16Array.from({ length: 16_000 }, (_, i) => Math.round(6_000 * Math.sin(i / 3) * Math.sin(i / 400)))
  const masked = maskRecording(samples, 8_000)
  assert.deepEqual(masked.spans, [])
  for (let i = 0; i < samples.length; i++) assert.ok(Math.abs((masked.samples[i] ?? 0) - (samples[i] ?? 0)) <= 300)
})

test('an empty recording and a rate that is no multiple of 8 kHz', () => {
  assert.equal(maskRecording(new Int16Array(0), 8_000).samples.length, 0)
  assert.deepEqual(findKeys(new Int16Array(0), 8_000), [])
  assert.throws(() => toBaseRate(new Int16Array(1), 44_100), RangeError)
})

test('multimon-ng reads the keys before masking and none after it', {
  skip: missing('multimon-ng', 'sox'),
}, async () => {
  const { samples } = recording(8_000)
  assert.equal((await heardByMultimon(samples)).count, 16)
  for (const replacement of ['flat', 'silence'] as const) {
    assert.equal((await heardByMultimon(maskRecording(samples, 8_000, { replacement }).samples)).count, 0)
    const short = recording(8_000, 23).samples
    assert.equal((await heardByMultimon(maskRecording(short, 8_000, { replacement }).samples)).count, 0)
  }
})
