import assert from 'node:assert/strict'
import { test } from 'node:test'
import { portShare } from './port-share.ts'

test('no port is in two parts, none of a whole pair is left out, every part begins even', () => {
  for (const [portMin, portMax] of [
    [20_000, 29_999],
    [20_001, 20_016],
    [10_000, 10_003],
  ] as const) {
    for (const threads of [1, 2, 3, 7, 64]) {
      const ports: number[] = []
      for (let index = 0; index < threads; index++) {
        const share = portShare({ portMin, portMax }, index, threads)
        assert.equal(share.portMin % 2, 0)
        for (let port = share.portMin; port <= share.portMax; port++) ports.push(port)
      }
      const first = portMin + (portMin % 2)
      const pairs = Math.floor((portMax - first + 1) / 2)
      assert.deepEqual(
        ports,
        Array.from({ length: 2 * pairs }, (_, i) => first + i),
      )
    }
  }
})
