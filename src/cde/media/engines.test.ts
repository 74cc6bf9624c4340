import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseEngine } from './engines.ts'

test('every engine that is to be had carries a packet', async (t) => {
  for (const wanted of ['auto', 'uring', 'epoll', 'dgram'] as const) {
    const chosen = await chooseEngine(wanted)
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
    // Loopback delivers before the send returns; some turns are a bound, not a wait.
    for (let turn = 0; chosen.polled !== undefined && turn < 5; turn++) {
      chosen.polled.wait(100)
      chosen.polled.poll(turn)
    }
    assert.deepEqual(await heard.promise, [4, 2, sender.local.port])
    for (const socket of [listener, sender]) socket.close()
    chosen.polled?.close()
  }
})
