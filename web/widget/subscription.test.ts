import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { widgetLimits } from '../../src/lib/limits.ts'
import { reconnectDelayMs, subscribe } from './subscription.ts'

test('the wait grows to its bound and is never shorter than half of it', () => {
  assert.equal(reconnectDelayMs(0, 0), widgetLimits.reconnectFirstMs / 2)
  for (let attempt = 0; attempt < 2_000; attempt++) {
    const delayMs = reconnectDelayMs(attempt, 0.999)
    assert.ok(delayMs <= widgetLimits.reconnectLongestMs && delayMs >= widgetLimits.reconnectFirstMs / 2)
  }
})

/** What the panel is told when control answers so, up to the end of the tries or the fourth. */
async function linksWhen(status: number, body: string): Promise<string[]> {
  const server = createServer((_request, response) => response.writeHead(status).end(body))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const links: string[] = []
  const enough = new AbortController()
  const onLink = (link: string): void => {
    if (links.push(link) === 4) enough.abort()
  }
  const rest = { authorization: 'Bearer x', onEvent: () => {}, pause: () => Promise.resolve() }
  await subscribe({ url, onLink, ...rest }, enough.signal)
  server.closeAllConnections()
  server.close()
  return links
}

test('a wrong token, a wrong call and a wrong address are told apart', async () => {
  const error = (code: string): string => JSON.stringify({ error: { code } })
  assert.deepEqual(await linksWhen(401, 'no'), ['token-expired'])
  assert.deepEqual(await linksWhen(403, error('FORBIDDEN')), ['wrong-call'])
  assert.deepEqual(await linksWhen(404, error('CALL_UNKNOWN')), ['unknown-call'])
  const never = ['lost', 'lost', 'unreachable', 'unreachable']
  assert.deepEqual(await linksWhen(404, '<html>'), never)
  assert.deepEqual(await linksWhen(403, error('SOMETHING_ELSE')), never)
})

test('a broken stream is resumed after the last event heard, and a refused token ends it', async () => {
  const asked: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(request.headers['last-event-id'] as string | undefined)
    if (asked.length === 3) {
      response.writeHead(401).end('{}')
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(`id: ${asked.length}\nevent: call.answered\ndata: {}\n\n`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const links: string[] = []
    let events = 0
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const options = {
      url,
      authorization: 'Bearer x',
      onEvent: () => events++,
      onLink: (link: string) => links.push(link),
      pause: () => Promise.resolve(),
    }
    await subscribe(options, new AbortController().signal)
    assert.deepEqual(asked, [undefined, '1', '2'])
    assert.equal(events, 2)
    assert.deepEqual(links, ['live', 'lost', 'live', 'lost', 'token-expired'])
  } finally {
    server.close()
  }
})
