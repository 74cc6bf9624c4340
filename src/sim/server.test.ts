import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { WebSocket } from 'ws'
import { findCardNumber } from '../lib/luhn-scan.ts'
import { LiveHub } from './live.ts'
import { type SimServer, startSimServer } from './server.ts'
import { StateHolder } from './state.ts'

const state = new StateHolder('event')
const live = new LiveHub(state)
let orders: string[] = []
let allowed = true
let folder: string
let server: SimServer

const note = (name: string) => (): boolean => {
  orders.push(name)
  return allowed
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tonewall-sim-'))
  await mkdir(join(folder, 'web', 'assets'), { recursive: true })
  await writeFile(join(folder, 'web', 'index.html'), '<!doctype html>page')
  await writeFile(join(folder, 'web', 'assets', 'a.js'), '1')
  await writeFile(join(folder, 'web', '.hidden.js'), 'secret')
  await writeFile(join(folder, 'outside.js'), 'secret')
  await symlink(join(folder, 'outside.js'), join(folder, 'web', 'link.js'))
  server = await startSimServer({
    host: '127.0.0.1',
    port: 0,
    allowedHosts: ['demo.example'],
    webRoot: join(folder, 'web'),
    apiOrigin: 'http://127.0.0.1:8080',
    live,
    orders: {
      call: (number) => note(`call ${number ?? '-'}`)(),
      hangUp: note('hang-up'),
      key: (key, carriage, holdMs) => note(`key of type ${typeof key}, ${carriage ?? '-'}, ${holdMs ?? '-'}`)(),
      callerSpeaks: note('caller speaks'),
      agentSpeaks: note('agent speaks'),
      state: () => state.value,
    },
  })
})

after(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
}

/** node:http rather than fetch: it sends any Host header and any path as written. */
async function ask(method: string, path: string, body = '', headers: Record<string, string> = {}): Promise<Answer> {
  const { host, port } = server.local
  const asked = request({ host, port, method, path, headers: { 'content-type': 'application/json', ...headers } })
  asked.end(body)
  const [response] = await once(asked, 'response')
  let text = ''
  for await (const chunk of response) text += chunk
  return { status: response.statusCode, type: response.headers['content-type'], text }
}

async function codeOf(answer: Promise<Answer>): Promise<string> {
  return JSON.parse((await answer).text).error.code
}

test('orders reach the phones and answer with the state', async () => {
  orders = []
  allowed = true
  const { status, text } = await ask('POST', '/caller/call', '{}')
  assert.equal(status, 200)
  assert.deepEqual(JSON.parse(text), { call: { state: 'idle' }, carriage: 'event' })
  await ask('POST', '/caller/call', '{"number":"+441632960001"}')
  await ask('POST', '/caller/key', '{"key":"#","carriage":"info","holdMs":200}')
  await ask('POST', '/caller/key', '{"key":"0"}')
  await ask('POST', '/caller/speak')
  await ask('POST', '/agent/speak')
  await ask('POST', '/caller/hang-up')
  assert.deepEqual(orders, [
    'call -',
    'call +441632960001',
    'key of type number, info, 200',
    'key of type number, -, -',
    'caller speaks',
    'agent speaks',
    'hang-up',
  ])
})

test('an order that the call does not allow is a conflict', async () => {
  allowed = false
  assert.equal(await codeOf(ask('POST', '/caller/speak')), 'CALL_STATE')
  allowed = true
})

test('bad bodies are refused by code and never repeated', async () => {
  orders = []
  const card = '4242424242424242'
  const bodies = [
    '{',
    '[]',
    '"#"',
    'null',
    '{"key":"12"}',
    '{"key":7}',
    '{"key":"A"}',
    '{"key":""}',
    '{"key":"1","carriage":"pigeon"}',
    '{"key":"1","holdMs":-1}',
    '{"key":"1","holdMs":1e9}',
    `{"key":"1","${card}":1}`,
    `{"key":"${card}"}`,
  ]
  for (const body of bodies) {
    const { status, text } = await ask('POST', '/caller/key', body)
    assert.equal(status, 400, body)
    assert.equal(findCardNumber(text), -1)
    assert.equal(JSON.parse(text).error.code, 'BODY_INVALID')
  }
  assert.equal(await codeOf(ask('POST', '/caller/call', '{"number":"sip:evil@example.org"}')), 'BODY_INVALID')
  assert.equal(
    await codeOf(ask('POST', '/caller/key', '{"key":"1"}', { 'content-type': 'text/plain' })),
    'BODY_INVALID',
  )
  assert.deepEqual(orders, [])
})

test('an oversized body is refused and the connection still answers', async () => {
  assert.equal(await codeOf(ask('POST', '/caller/key', `{"key":"${' '.repeat(100_000)}"}`)), 'BODY_TOO_LARGE')
})

test('unknown paths and methods', async () => {
  assert.equal(await codeOf(ask('POST', '/caller/transfer', '{}')), 'NOT_FOUND')
  assert.equal(await codeOf(ask('GET', '/nothing')), 'NOT_FOUND')
  assert.equal(await codeOf(ask('DELETE', '/state')), 'METHOD_NOT_ALLOWED')
  assert.equal((await ask('GET', '/state?x')).status, 200)
})

test('a foreign page cannot give orders, under its own name or under ours', async () => {
  const { port } = server.local
  const own = `127.0.0.1:${port}`
  assert.equal(await codeOf(ask('POST', '/caller/call', '{}', { host: 'evil.example' })), 'FORBIDDEN')
  assert.equal(await codeOf(ask('POST', '/caller/call', '{}', { origin: 'http://evil.example' })), 'FORBIDDEN')
  assert.equal(await codeOf(ask('POST', '/caller/call', '{}', { origin: 'null' })), 'FORBIDDEN')
  assert.equal(await codeOf(ask('GET', '/state', '', { host: '127.0.0.1.evil.example' })), 'FORBIDDEN')
  assert.equal((await ask('POST', '/caller/call', '{}', { origin: `http://${own}`, host: own })).status, 200)
  assert.equal((await ask('GET', '/state', '', { host: `localhost:${port}` })).status, 200)
  assert.equal((await ask('GET', '/state', '', { host: 'demo.example' })).status, 200)
})

test('the page is served and nothing outside it', async () => {
  const page = await ask('GET', '/')
  assert.equal(page.status, 200)
  assert.match(page.type, /^text\/html/)
  assert.equal((await ask('GET', '/assets/a.js')).text, '1')
  const outside = [
    '/../outside.js',
    '/..%2foutside.js',
    '/assets/../../outside.js',
    '/.hidden.js',
    '/link.js',
    '//outside.js',
  ]
  for (const path of [...outside, '/assets', '/assets/', '/index.html%00.js', '/a.exe', `/${'a'.repeat(5_000)}.js`]) {
    assert.equal(await codeOf(ask('GET', path)), 'NOT_FOUND', path)
  }
})

test('a browser gets the state at once, every change of it, and frames of both legs', async () => {
  const client = new WebSocket(`ws://127.0.0.1:${server.local.port}/live`)
  const states: string[] = []
  const frames: Buffer[] = []
  client.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) frames.push(data)
    else states.push(JSON.parse(data.toString()).call.state)
  })
  await once(client, 'message')
  state.callIs('calling')
  live.frame(
    0,
    Int16Array.from({ length: 160 }, (_, i) => i - 80),
  )
  live.frame(1, new Int16Array(160).fill(-2))
  while (states.length + frames.length < 4) await once(client, 'message')
  assert.deepEqual(states, ['idle', 'calling'])
  const [first, second] = frames
  assert.equal(first?.length, 324)
  assert.deepEqual([...(first ?? []).subarray(0, 4)], [0, 0, 0, 0])
  assert.equal(first?.readInt16LE(4), -80)
  assert.equal(first?.readInt16LE(4 + 159 * 2), 79)
  assert.equal(second?.[0], 1)
  // A page that talks is not ours.
  client.send('hello')
  const [code] = await once(client, 'close')
  assert.equal(code, 1_008)
})

test('a foreign page gets no live sound', async () => {
  for (const [path, headers] of [
    ['/live', { origin: 'http://evil.example' }],
    ['/live', { host: 'evil.example' }],
    ['/other', {}],
  ] as const) {
    const client = new WebSocket(`ws://127.0.0.1:${server.local.port}${path}`, { headers })
    const [error] = await once(client, 'error')
    assert.match(String(error), /403|404/)
  }
})
