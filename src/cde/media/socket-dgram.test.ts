import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { seededRandom } from '../../lib/random.ts'
import { PortPool } from './ports.ts'
import { MediaOpenError, type MediaSocket } from './socket.ts'
import { dgramEngine } from './socket-dgram.ts'
import { SourceLock } from './source-lock.ts'

/** An open socket that hands over what it hears, one packet at a time. */
async function listener(t: TestContext, host = '127.0.0.1') {
  const heard = Promise.withResolvers<{ octets: number[]; port: number; host: string }>()
  const socket = await dgramEngine.open({ host, port: 0 }, (packet, from) =>
    heard.resolve({ octets: [...packet], ...from }),
  )
  t.after(() => socket.close())
  return { socket, heard: heard.promise }
}

test('packets go from port to port over loopback, IPv4 and IPv6, with their true source', async (t) => {
  for (const host of ['127.0.0.1', '::1']) {
    const [a, b] = await Promise.all([listener(t, host), listener(t, host)])
    a.socket.send(Uint8Array.of(1, 2, 3), b.socket.local)
    assert.deepEqual(await b.heard, { octets: [1, 2, 3], host, port: a.socket.local.port })
  }
})

test('a port in use, an address of another host and nonsense are told apart', async (t) => {
  const { socket } = await listener(t)
  const reasonOf = (host: string, port: number): Promise<unknown> =>
    dgramEngine
      .open({ host, port }, () => {})
      .then(
        (opened: MediaSocket) => opened.close(),
        (error: unknown) => (error instanceof MediaOpenError ? error.reason : error),
      )
  assert.equal(await reasonOf('127.0.0.1', socket.local.port), 'address-in-use')
  assert.equal(await reasonOf('192.0.2.1', 0), 'address-not-here')
  assert.equal(await reasonOf('not an address', 0), 'failed')
})

test('sending to nobody, to a closed port, to a name, too much, or after closing is loss and no more', async (t) => {
  const { socket } = await listener(t)
  const closed = await listener(t)
  closed.socket.close()
  const destinations = [
    { host: '0.0.0.0', port: 9 },
    { host: '127.0.0.1', port: 0 },
    { host: '127.0.0.1', port: 70_000 },
    { host: 'not an address', port: 9 },
    { host: '::1', port: 9 },
    closed.socket.local,
  ]
  for (const to of destinations) socket.send(Uint8Array.of(1), to)
  socket.send(new Uint8Array(70_000), { host: '127.0.0.1', port: 9 })
  // The socket still works: what came before it in the queue did no harm.
  const { socket: target, heard } = await listener(t)
  socket.send(Uint8Array.of(7), target.local)
  assert.deepEqual((await heard).octets, [7])
  socket.close()
  socket.close()
  socket.send(Uint8Array.of(1), target.local)
})

test('who still sends to a just-closed port is heard by nobody: not by the drained port, nor by the call that gets it next', async (t) => {
  // MED-11 and sip.md 6.1 on real sockets, in virtual time.
  const { socket: oldPeer } = await listener(t)
  const { socket: drained, heard } = await listener(t)
  const even = drained.local.port - (drained.local.port % 2)
  const pool = new PortPool(even, even + 1, seededRandom(1))
  assert.equal(pool.take(), even)
  pool.release(even, 0)
  oldPeer.send(Uint8Array.of(1), drained.local)
  const { host, port } = await heard
  pool.packetSeen(even, 29_999)
  assert.deepEqual(pool.wake(30_000), [])
  assert.equal(pool.take(), undefined)

  assert.deepEqual(pool.wake(59_999), [even])
  assert.equal(pool.take(), even)
  const nextCall = new SourceLock()
  nextCall.agree({ remote: { host: '127.0.0.1', port: port === 4_000 ? 4_002 : 4_000 } })
  assert.equal(nextCall.accepts({ host, port }, 60_000), false)
})
