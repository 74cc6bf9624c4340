// sip.md 6.1 rule 3.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SourceSilence } from './source-silence.ts'

test('a source that stops while it is watched is told once, and once more when it is back', () => {
  const silence = new SourceSilence()
  silence.setWatched(true, 1_000)
  // Watched once more, for another capture: that is no sign of life.
  silence.setWatched(true, 2_500)
  const told = [1_020, 1_500, 2_999, 3_000, 3_500, 60_000].map((atMs) => silence.wake(undefined, atMs))
  assert.deepEqual(told, [undefined, undefined, undefined, 'silent', undefined, undefined])
  assert.deepEqual([silence.wake(60_010, 60_020), silence.wake(60_010, 60_040)], ['heard', undefined])
})

test('what was silent before it was watched has 2 s from then on, heard ever or never', () => {
  for (const heardAtMs of [undefined, 5]) {
    const silence = new SourceSilence()
    assert.equal(silence.wake(heardAtMs, 90_000), undefined)
    silence.setWatched(true, 100_000)
    assert.deepEqual([silence.wake(heardAtMs, 101_999), silence.wake(heardAtMs, 102_000)], [undefined, 'silent'])
  }
})

test('a source that need not send any more is not silent', () => {
  const silence = new SourceSilence()
  silence.setWatched(true, 0)
  assert.equal(silence.wake(0, 2_000), 'silent')
  silence.setWatched(false, 2_100)
  assert.deepEqual([silence.wake(0, 2_100), silence.wake(0, 9_000)], ['heard', undefined])
  silence.setWatched(true, 9_000)
  assert.deepEqual([silence.wake(0, 10_999), silence.wake(0, 11_000)], [undefined, 'silent'])
})
