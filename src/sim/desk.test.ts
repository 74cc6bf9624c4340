import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { newId } from '../lib/ids.ts'
import { simLimits } from '../lib/limits.ts'
import { seededRandom } from '../lib/random.ts'
import { Desk, fetchWidgetAccess } from './desk.ts'

const callId = newId(seededRandom(1))
const signal = new AbortController().signal

/** Control's part: answers each request with the next of the given answers, the last one for ever. */
async function control(answers: readonly { status: number; body: string }[]) {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization}`)
    const { status, body } = answers[Math.min(seen.length, answers.length) - 1] ?? { status: 500, body: '' }
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  return {
    api: `http://127.0.0.1:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const good = { status: 201, body: JSON.stringify({ token: 'tok', expiresAt: '2026-01-01T00:00:00Z', callId }) }

test('the widget’s access is fetched with the API key', async () => {
  await using server = await control([good])
  const widget = await fetchWidgetAccess(callId, { api: server.api, apiKey: 'k', signal })
  assert.deepEqual(widget, { api: server.api, token: 'tok', callId })
  assert.deepEqual(server.seen, [`POST /v1/calls/${callId}/widget-tokens Bearer k`])
})

test('a call that control does not know yet is asked for again', async () => {
  await using server = await control([{ status: 404, body: '{}' }, { status: 503, body: '' }, good])
  const widget = await fetchWidgetAccess(callId, { api: server.api, apiKey: 'k', signal, firstRetryMs: 1 })
  assert.equal(widget?.token, 'tok')
  assert.equal(server.seen.length, 3)
})

test('the tries are bounded, and a refused key is not tried again', async () => {
  await using failing = await control([{ status: 500, body: '' }])
  const options = { apiKey: 'k', signal, firstRetryMs: 1 }
  assert.equal(await fetchWidgetAccess(callId, { ...options, api: failing.api }), undefined)
  assert.equal(failing.seen.length, simLimits.widgetTokenTries)
  await using refusing = await control([{ status: 401, body: '{}' }])
  assert.equal(await fetchWidgetAccess(callId, { ...options, api: refusing.api }), undefined)
  assert.equal(refusing.seen.length, 1)
})

test('an answer for another call or of another shape is no access', async () => {
  const other = newId(seededRandom(2))
  for (const body of ['{', '[]', '{}', JSON.stringify({ token: 'tok', callId: other })]) {
    await using server = await control([{ status: 201, body }])
    const widget = await fetchWidgetAccess(callId, { api: server.api, apiKey: 'k', signal, firstRetryMs: 1 })
    assert.equal(widget, undefined, body)
  }
})

test('the desk asks for calls with an id in our form only, and stops asking when the call ends', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tonewall-desk-'))
  await using server = await control([good])
  const apiKeyFile = join(folder, 'key')
  await writeFile(apiKeyFile, 'k\n')
  const ids: string[] = []
  const widgets: string[] = []
  const got = Promise.withResolvers<void>()
  const desk = new Desk({ api: server.api, apiKeyFile }, (widget) => {
    widgets.push(widget.token)
    got.resolve()
  })
  desk.callRings([{ name: 'X-Tonewall-Call', value: '../../v1/payments' }], (id) => ids.push(id))
  desk.callRings([], (id) => ids.push(id))
  desk.callRings([{ name: 'X-Tonewall-Call', value: newId(seededRandom(3)) }], (id) => ids.push(id))
  desk.callEnded()
  desk.callRings([{ name: 'x-tonewall-call', value: callId }], (id) => ids.push(id))
  await got.promise
  assert.deepEqual(ids, [newId(seededRandom(3)), callId])
  assert.deepEqual(widgets, ['tok'])
  await rm(folder, { recursive: true })
})
