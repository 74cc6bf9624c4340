import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ID_PATTERN, newId } from './ids.ts'
import { seededRandom } from './random.ts'

test('ids have their pattern, are all different, and use every letter about equally often', () => {
  const random = seededRandom(5)
  const ids = Array.from({ length: 2_000 }, () => newId(random))
  assert.ok(ids.every((id) => ID_PATTERN.test(id)))
  assert.equal(new Set(ids).size, ids.length)
  const counts = new Map<string, number>()
  for (const letter of ids.join('')) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  assert.equal(counts.size, 20)
  // 1,800 of each are expected; a modulo bias of 256 over 20 would favour the first 16 letters by 8 %.
  assert.ok(
    [...counts.values()].every((count) => Math.abs(count - 1_800) < 180),
    'seed 5',
  )
})

test('a source that yields only octets to be skipped is asked again, not trusted', () => {
  let asked = 0
  const id = newId((count) => new Uint8Array(count).fill(asked++ < 3 ? 255 : 7))
  assert.equal(id, 'K'.repeat(18))
  assert.equal(asked, 4)
})
