/** A fault while a call's ports are bound is that call's trouble: no other call's, and no port's for good. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryPorts } from '../../../test/support/memory-ports.ts'
import { mediaLimits } from '../../lib/limits.ts'
import { seededRandom } from '../../lib/random.ts'
import { MediaPorts } from '../call/media-ports.ts'
import { PortPool } from '../media/ports.ts'
import { MediaOpenError } from '../media/socket.ts'
import { MediaHost } from './media-host.ts'
import type { FromThread } from './messages.ts'

const PAIRS = 8

function newHost(fault: (opening: number) => Error | undefined) {
  let nowMs = 0
  let openings = 0
  const network = new MemoryPorts()
  const engine: Pick<MemoryPorts, 'open'> = {
    open: async (...port) => {
      const error = fault(++openings)
      if (error !== undefined) throw error
      return network.open(...port)
    },
  }
  const random = seededRandom(3)
  const pool = new PortPool(10_000, 10_000 + 2 * PAIRS - 1, random)
  const ports = new MediaPorts('192.0.2.1', pool, engine, () => nowMs)
  const told: FromThread[] = []
  const options = { ports, replacement: 'flat', jitterMs: 40, random, nowMs: () => nowMs } as const
  const host = new MediaHost(options, (message) => void told.push(message))
  const open = async (call: number): Promise<FromThread> => {
    host.execute({ type: 'open', call })
    while (!told.some((message) => 'call' in message && message.call === call)) await Promise.resolve()
    return told.find((message) => 'call' in message && message.call === call) ?? assert.fail()
  }
  const rest = (): void => {
    nowMs += mediaLimits.portQuietMs
    host.wake(nowMs)
  }
  return { host, network, open, rest }
}

test('a fault at any of the four ports fails this call and none after it, and every port is free again when it has rested', async () => {
  for (const failing of [1, 2, 3, 4]) {
    const { host, network, open, rest } = newHost((opening) =>
      opening === failing ? new TypeError('planted') : undefined,
    )
    const failed = await open(1)
    assert.ok(failed.type === 'not-opened' && failed.problem === 'failed', `port ${failing}: ${failed.type}`)
    assert.equal(host.size, 0)
    assert.equal((await open(2)).type, 'opened')
    host.execute({ type: 'order', call: 2, order: { type: 'close' } })
    rest()
    assert.equal(network.openPorts, 0, `port ${failing}`)
    const { ports_free: free, ports_taken: taken, ports_draining: draining } = host.counters()
    assert.deepEqual({ free, taken, draining }, { free: PAIRS, taken: 0, draining: 0 }, `port ${failing}`)
  }
})

test('a port that another program holds is stepped over', async () => {
  const { host, open, rest } = newHost((opening) => (opening === 3 ? new MediaOpenError('address-in-use') : undefined))
  assert.equal((await open(1)).type, 'opened')
  host.execute({ type: 'order', call: 1, order: { type: 'close' } })
  rest()
  assert.equal(host.counters()['ports_free'], PAIRS)
})
