import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rounds } from './rounds.ts'

function entries(count: number): Map<number, number> {
  return new Map(Array.from({ length: count }, (_, i) => [i, i]))
}

test('each entry is visited once in a round, and never many at a time', () => {
  for (const count of [1, 7, 1_000]) {
    const rounds = new Rounds(entries(count), 100)
    const visits = new Map<number, number>()
    let atOnce = 0
    for (let nowMs = 0; nowMs <= 1_000; nowMs += 10) {
      let now = 0
      rounds.visit(nowMs, (entry) => {
        now++
        visits.set(entry, (visits.get(entry) ?? 0) + 1)
      })
      atOnce = Math.max(atOnce, now)
    }
    assert.equal(visits.size, count)
    for (const seen of visits.values()) assert.ok(seen >= 4 && seen <= 100, `${count} entries: ${seen} visits`)
    assert.ok(atOnce <= Math.ceil(count / 10), `${atOnce} at once`)
  }
})

test('entries that come and go are visited while they are there, and a stall makes up for one round at most', () => {
  const map = entries(20)
  const rounds = new Rounds(map, 100)
  rounds.visit(0, () => {})
  map.delete(10)
  map.set(99, 99)
  const seen: number[] = []
  let ended = 0
  for (let nowMs = 10; nowMs <= 400; nowMs += 10) if (rounds.visit(nowMs, (entry) => seen.push(entry))) ended++
  assert.ok(seen.includes(99) && !seen.includes(10))
  assert.ok(ended >= 2)
  let made = 0
  rounds.visit(60_000, () => made++)
  assert.ok(made <= map.size)
})

test('a round without entries ends', () => {
  assert.equal(
    new Rounds(new Map(), 100).visit(0, () => assert.fail('nothing is there')),
    true,
  )
})
