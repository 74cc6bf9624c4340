// What a gateway may do on the wire that is not an answer, and what that says about the money.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type Exchange, exchange } from './client.ts'

const answer = (status: string, body: string): string =>
  `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`

/** A server that treats every connection by `act`. */
async function serve(t: TestContext, act: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    act(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function post(port: number, scheme = 'http', exchangeMs = 2_000): Promise<{ result: Exchange; wiped: boolean }> {
  const body = new Uint8Array(new ArrayBuffer(128)).fill(7)
  const url = new URL(`${scheme}://127.0.0.1:${port}/v1/charges`)
  const result = await exchange({ url, method: 'POST', headers: { 'x-test': '1' }, body, exchangeMs })
  return { result, wiped: body.every((octet) => octet === 0) }
}

const onRequest = (act: (socket: Socket) => void) => (socket: Socket) => socket.once('data', () => act(socket))

const cases: [string, (socket: Socket) => void, Exchange][] = [
  ['closes without a word', onRequest((socket) => socket.end()), { kind: 'unknown', why: 'reset' }],
  ['resets', onRequest((socket) => socket.resetAndDestroy()), { kind: 'unknown', why: 'reset' }],
  ['speaks no HTTP', onRequest((socket) => socket.end('hello\r\n\r\n')), { kind: 'unknown', why: 'unparseable' }],
  [
    'is cut off in the middle of its answer',
    onRequest((socket) => socket.end(answer('200 OK', '{"state":"approved"}').slice(0, -5))),
    { kind: 'unknown', why: 'reset' },
  ],
  [
    'is cut off between two chunks of its answer',
    onRequest((socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n')),
    { kind: 'unknown', why: 'reset' },
  ],
  [
    'never stops answering',
    onRequest((socket) => socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(100_000)}`)),
    { kind: 'unknown', why: 'unparseable' },
  ],
]

for (const [name, act, expected] of cases) {
  void test(`a gateway that ${name} after it was written to leaves the charge in doubt`, async (t) => {
    assert.deepEqual(await post(await serve(t, act)), { result: expected, wiped: true })
  })
}

void test('an answer is handed over with its status, and a redirect is not followed', async (t) => {
  for (const [status, code] of [
    ['200 OK', 200],
    ['402 Payment Required', 402],
    ['307 Temporary Redirect\r\nlocation: /elsewhere', 307],
  ] as const) {
    const port = await serve(
      t,
      onRequest((socket) => socket.write(answer(status, '{"a":1}'))),
    )
    const { result, wiped } = await post(port)
    assert.ok(result.kind === 'answered' && result.status === code && wiped)
    assert.equal(Buffer.from(result.body).toString(), '{"a":1}')
  }
})

void test('a gateway that says nothing is a time-out in doubt', async (t) => {
  const port = await serve(t, () => {})
  assert.deepEqual(await post(port, 'http', 100), { result: { kind: 'unknown', why: 'timeout' }, wiped: true })
})

void test('plain text where TLS should be, and a TLS handshake that hangs, are certainly not sent', async (t) => {
  const plain = await serve(
    t,
    onRequest((socket) => socket.end(answer('400 Bad Request', '{}'))),
  )
  assert.deepEqual(await post(plain, 'https'), { result: { kind: 'not-sent', why: 'tls-failed' }, wiped: true })
  const silent = await serve(t, () => {})
  assert.deepEqual(await post(silent, 'https', 100), {
    result: { kind: 'not-sent', why: 'connect-timeout' },
    wiped: true,
  })
})

void test('not one octet of a request leaves before the connection stands', async (t) => {
  const seen: Buffer[] = []
  const port = await serve(t, (socket) => socket.on('data', (part) => seen.push(part)))
  await post(port, 'https', 100)
  assert.ok(!Buffer.concat(seen).includes('x-test'), 'only the TLS greeting was sent')
  await post(port, 'http', 100)
  const sent = Buffer.concat(seen)
  assert.ok(sent.includes('x-test') && sent.includes(Buffer.alloc(128, 7)), 'head and body arrive whole')
})
