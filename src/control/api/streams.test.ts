import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { controlLimits } from '../../lib/limits.ts'
import { newId } from '../../lib/ids.ts'
import { Harness, KEY, ORIGIN, OTHER_KEY } from '../testing/harness.test-kit.ts'
import { StreamReader } from '../testing/stream-reader.test-kit.ts'

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

async function widgetToken(control: Harness, callId: string): Promise<string> {
  const { body } = await control.call('POST', `/v1/calls/${callId}/widget-tokens`, { body: {} })
  return (body as unknown as { token: string }).token
}

/** Presses that are dropped: one small event each. */
function pressKeys(control: Harness, callId: string, from: number, to: number): void {
  for (let count = from; count <= to; count++) control.cde.report({ type: 'keys-dropped', callId, count })
}

test("a call's stream begins with the call's first event and goes on live, numbered and in order", async () => {
  await using control = await Harness.start()
  const { callId, captureId } = await control.readyCapture()
  await using stream = await StreamReader.open(`${control.url}/v1/calls/${callId}/events`, bearer(KEY))
  assert.equal(stream.response.headers.get('content-type'), 'text/event-stream')
  await stream.until(({ events }) => events.length >= 6)
  control.cde.report({ type: 'capture-closed', captureId, reason: 'cancelled' })
  await stream.untilType('capture.closed')
  assert.deepEqual(
    stream.events.map(({ type }) => type),
    ['call.started', 'call.answered', 'capture.started', ...Array<string>(3).fill('capture.field'), 'capture.closed'],
  )
  const numbers = stream.events.map(({ data }) => Number(data['seq']))
  assert.deepEqual(
    [...numbers].sort((a, b) => a - b),
    numbers,
  )
  for (const { id, data, type } of stream.events) {
    assert.equal(id, String(data['seq']))
    assert.equal(type, data['type'])
    assert.equal(data['callId'], callId)
  }
})

test('a reader that comes back with Last-Event-ID gets exactly what it missed', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  const url = `${control.url}/v1/calls/${callId}/events`
  let seen: number[] = []
  let lastId = ''
  for (let round = 0; round < 5; round++) {
    const from = round * 7 + 1
    const headers = lastId === '' ? bearer(KEY) : { ...bearer(KEY), 'last-event-id': lastId }
    // Some before it comes back, some while it is there.
    pressKeys(control, callId, from, from + 3)
    await using stream = await StreamReader.open(url, headers)
    pressKeys(control, callId, from + 4, from + 6)
    const wanted = (reader: StreamReader) => reader.events.some(({ data }) => data['count'] === from + 6)
    assert.ok(await stream.until(wanted))
    seen = [
      ...seen,
      ...stream.events.filter(({ type }) => type === 'keys.dropped').map(({ data }) => Number(data['count'])),
    ]
    lastId = stream.lastId
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 35 }, (_, i) => i + 1),
  )
})

test('a backlog of many pages is replayed without gap or repetition while new events arrive', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  const total = controlLimits.streamReplayRowsMax * 3 + 17
  pressKeys(control, callId, 1, total)
  await control.control.settled()
  await using stream = await StreamReader.open(`${control.url}/v1/calls/${callId}/events`, bearer(KEY))
  pressKeys(control, callId, total + 1, total + 50)
  assert.ok(await stream.until(({ events }) => events.some(({ data }) => data['count'] === total + 50)))
  const counts = stream.events.filter(({ type }) => type === 'keys.dropped').map(({ data }) => data['count'])
  assert.deepEqual(
    counts,
    Array.from({ length: total + 50 }, (_, i) => i + 1),
  )
})

test("the merchant's stream begins now, can be resumed even if it was quiet, and shows nothing of another merchant", async () => {
  await using control = await Harness.start()
  await control.answeredCall()
  const url = `${control.url}/v1/events`
  let lastId = ''
  {
    await using quiet = await StreamReader.open(url, bearer(KEY))
    await quiet.until(({ lastId: id }) => id !== '')
    assert.equal(quiet.events.length, 0)
    lastId = quiet.lastId
  }
  const theirs = await control.answeredCall('help')
  const ours = await control.answeredCall()
  await using back = await StreamReader.open(url, { ...bearer(KEY), 'last-event-id': lastId })
  await back.until(({ events }) => events.length >= 2)
  assert.deepEqual(
    back.events.map(({ data }) => [data['type'], data['callId']]),
    [
      ['call.started', ours],
      ['call.answered', ours],
    ],
  )
  await using other = await StreamReader.open(url, { ...bearer(OTHER_KEY), 'last-event-id': '0' })
  await other.untilType('call.answered')
  const calls = other.events.map(({ data }) => data['callId']).filter((id) => id !== undefined)
  assert.deepEqual(new Set(calls), new Set([theirs]))
})

test("a widget sees its own call and the card zone's state, not the merchant's other calls", async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  const token = await widgetToken(control, callId)
  await using stream = await StreamReader.open(`${control.url}/v1/calls/${callId}/events`, {
    ...bearer(token),
    origin: ORIGIN,
  })
  assert.equal(stream.response.headers.get('access-control-allow-origin'), ORIGIN)
  await control.answeredCall()
  control.cde.die()
  control.cde.revive()
  assert.ok(await stream.untilType('cde.up'))
  assert.deepEqual(
    stream.events.map(({ type }) => type),
    ['call.started', 'call.answered', 'call.ended', 'cde.down', 'cde.up'],
  )
})

test('a quiet stream beats; it ends with the token that opened it', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  const token = await widgetToken(control, callId)
  await using stream = await StreamReader.open(`${control.url}/v1/calls/${callId}/events`, bearer(token))
  await stream.until(({ events }) => events.length >= 2)
  control.time.advance(controlLimits.heartbeatMs)
  assert.ok(await stream.until(({ text }) => text.includes(': beat')))
  control.time.advance(controlLimits.widgetTokenMs)
  await stream.until(({ ended }) => ended)
  const again = await control.call('GET', `/v1/calls/${callId}/events`, { key: token })
  assert.equal(again.status, 401)
})

test('a client that does not read is cut; the others go on, and it can resume', async () => {
  await using control = await Harness.start()
  const callId = newId(control.random)
  // Large events: headers of a call that passes many.
  const headers = Array.from({ length: 32 }, (_, i) => ({ name: `X-N${i}`, value: 'v'.repeat(1_000) }))
  const { host, port } = control.control.address
  const idle = connect(port, host)
  idle.pause()
  idle.on('error', () => undefined)
  idle.write(`GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEY}\r\n\r\n`)
  await using reading = await StreamReader.open(`${control.url}/v1/events`, bearer(KEY))
  const metrics = async (): Promise<string> => (await control.call('GET', '/metrics')).text
  while (!(await metrics()).includes('tonewall_streams 2')) await control.control.settled()
  for (let calls = 0; !(await metrics()).includes('tonewall_streams_cut_total 1'); calls++) {
    assert.ok(calls < 2_000, 'it is never cut')
    // No more in one go than a reader that does read may have waiting.
    for (let i = 0; i < 3; i++) {
      control.cde.report({ type: 'call-started', callId: newId(control.random), number: 'sales', headers })
    }
    await control.control.settled()
    assert.ok(await reading.until(({ events }) => events.length >= (calls + 1) * 3))
  }
  control.cde.report({ type: 'call-started', callId, number: 'sales', headers: [] })
  assert.ok(await reading.until(({ events }) => events.some(({ data }) => data['callId'] === callId)))
  assert.match(await metrics(), /tonewall_streams 1\n/)
  idle.destroy()
})

test('one holder cannot take all the streams', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  const url = `${control.url}/v1/calls/${callId}/events`
  const streams: StreamReader[] = []
  try {
    for (let i = 0; i < controlLimits.streamsPerHolderMax; i++) streams.push(await StreamReader.open(url, bearer(KEY)))
    const refused = await control.call('GET', `/v1/calls/${callId}/events`)
    assert.equal(refused.status, 429)
    assert.match(refused.text, /TOO_MANY/)
    const token = await widgetToken(control, callId)
    await using widget = await StreamReader.open(url, bearer(token))
    assert.equal(widget.response.status, 200)
  } finally {
    for (const stream of streams) await stream[Symbol.asyncDispose]()
  }
})

test('an event number of another store is treated as none', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  const headers = { ...bearer(KEY), 'last-event-id': '999999' }
  await using stream = await StreamReader.open(`${control.url}/v1/calls/${callId}/events`, headers)
  assert.ok(await stream.untilType('call.answered'))
})
