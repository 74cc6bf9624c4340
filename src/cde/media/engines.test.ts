import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../lib/clock.ts'
import { chooseEngine } from './engines.ts'

test('every engine that is to be had carries a packet from the event loop', async (t) => {
  for (const wanted of ['auto', 'uring', 'epoll', 'dgram'] as const) {
    const chosen = await chooseEngine(wanted, systemClock)
    if (typeof chosen === 'string') {
      t.diagnostic(`${wanted} is not to be had here`)
      continue
    }
    if (wanted !== 'auto') assert.equal(chosen.name, wanted)
    const heard = Promise.withResolvers<number[]>()
    const listener = await chosen.engine.open({ host: '127.0.0.1', port: 0 }, (packet, { port }) =>
      heard.resolve([...packet, port]),
    )
    const sender = await chosen.engine.open({ host: '127.0.0.1', port: 0 }, () => {})
    sender.send(Uint8Array.of(4, 2), listener.local)
    assert.deepEqual(await heard.promise, [4, 2, sender.local.port])
    for (const socket of [listener, sender]) socket.close()
    chosen.close()
  }
})
