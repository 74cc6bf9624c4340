// MED-11 (draining of closed ports) and MED-12 (pairs in random order).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaLimits } from '../../lib/limits.ts'
import { seededRandom } from '../../lib/random.ts'
import { PortPool } from './ports.ts'

const { portQuietMs, portDrainMs } = mediaLimits

function takeAll(pool: PortPool): number[] {
  const taken: number[] = []
  for (let port = pool.take(); port !== undefined; port = pool.take()) taken.push(port)
  return taken
}

test('all pairs of the range are handed out once, even ports first, in another order per seed', () => {
  const orders = [1, 2].map((seed) => takeAll(new PortPool(30_001, 30_100, seededRandom(seed))))
  for (const order of orders) {
    // 30,001 has no even partner below it, 30,100 no odd one above it.
    assert.deepEqual(
      order.toSorted((a, b) => a - b),
      Array.from({ length: 49 }, (_, i) => 30_002 + i * 2),
    )
    assert.notDeepEqual(
      order,
      order.toSorted((a, b) => a - b),
    )
  }
  assert.notDeepEqual(orders[0], orders[1])
})

test('ranges of one pair, of one port and upside down hold what they can', () => {
  assert.deepEqual(takeAll(new PortPool(30_000, 30_001, seededRandom(1))), [30_000])
  assert.deepEqual(takeAll(new PortPool(30_000, 30_000, seededRandom(1))), [])
  assert.deepEqual(takeAll(new PortPool(30_010, 30_000, seededRandom(1))), [])
})

test('a released pair is handed out again only when it was quiet for 30 s', () => {
  const pool = new PortPool(30_000, 30_001, seededRandom(1))
  assert.equal(pool.take(), 30_000)
  assert.equal(pool.nextWakeAtMs(), undefined)
  pool.release(30_000, 1_000)
  assert.equal(pool.take(), undefined)
  assert.equal(pool.nextWakeAtMs(), 1_000 + portQuietMs)
  assert.deepEqual(pool.wake(1_000 + portQuietMs - 1), [])
  assert.deepEqual(pool.wake(1_000 + portQuietMs), [30_000])
  assert.equal(pool.take(), 30_000)
})

test('an old peer that goes on sending keeps the pair out of use, up to 10 min', () => {
  const pool = new PortPool(30_000, 30_001, seededRandom(1))
  pool.take()
  pool.release(30_000, 0)
  for (let nowMs = 0; nowMs < portDrainMs; nowMs += 20_000) {
    pool.packetSeen(30_000, nowMs)
    assert.deepEqual(pool.wake(nowMs), [], `at ${nowMs} ms`)
    assert.equal(pool.take(), undefined)
  }
  assert.equal(pool.nextWakeAtMs(), portDrainMs)
  assert.deepEqual(pool.wake(portDrainMs), [30_000])
})

test('packets on a live pair, a second release and a release of a strange port change nothing', () => {
  const pool = new PortPool(30_000, 30_001, seededRandom(1))
  pool.release(30_000, 0)
  pool.release(40_000, 0)
  assert.equal(pool.nextWakeAtMs(), undefined)
  pool.take()
  pool.packetSeen(30_000, 5)
  pool.release(30_000, 10)
  pool.release(30_000, 20_000)
  assert.equal(pool.nextWakeAtMs(), 10 + portQuietMs)
  assert.deepEqual(pool.counters(), { ports_free: 0, ports_taken: 0, ports_draining: 1 })
})

test('a pair that another process holds rests, and the next one is tried', () => {
  const pool = new PortPool(30_000, 30_003, seededRandom(1))
  const first = pool.take()
  assert.ok(first !== undefined)
  pool.unusable(first, 0)
  const second = pool.take()
  assert.notEqual(second, first)
  assert.equal(pool.take(), undefined)
  assert.deepEqual(pool.wake(portQuietMs), [first])
})
