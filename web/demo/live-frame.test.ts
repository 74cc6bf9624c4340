import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeLiveFrame } from '../../src/sim/live.ts'
import { randomUnit, seededRandom } from '../../src/lib/random.ts'
import { readLiveFrame } from './live-frame.ts'

const bufferOf = (octets: Uint8Array): ArrayBuffer => Uint8Array.from(octets).buffer

test('what the simulators write is read back', () => {
  const samples = Int16Array.from({ length: 160 }, (_, i) => i * 400 - 32_000)
  for (const [leg, direction] of [
    [0, 'caller'],
    [1, 'agent'],
  ] as const) {
    assert.deepEqual(readLiveFrame(bufferOf(writeLiveFrame(leg, samples))), { direction, samples })
  }
})

test('a frame that does not fit is named, and nothing throws', () => {
  assert.equal(readLiveFrame(new ArrayBuffer(0)), 'short')
  assert.equal(readLiveFrame(new ArrayBuffer(5)), 'short')
  assert.equal(readLiveFrame(new ArrayBuffer(7)), 'odd')
  assert.equal(readLiveFrame(new ArrayBuffer(100_000)), 'too-long')
  assert.equal(readLiveFrame(bufferOf(Uint8Array.of(2, 0, 0, 0, 1, 1))), 'direction-unknown')
  const seed = 11
  const random = seededRandom(seed)
  for (let i = 0; i < 2_000; i++) {
    assert.doesNotThrow(() => readLiveFrame(bufferOf(random(Math.floor(randomUnit(random) * 400)))), `seed ${seed}`)
  }
})
