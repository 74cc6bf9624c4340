import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventStreamReader, type ServerEvent } from './sse.ts'

const STREAM = [
  '\uFEFF: heartbeat\n\n',
  'id: 1\nevent: call.answered\ndata: {"seq":1}\n\n',
  'id: 2\r\nevent: capture.field\r\ndata: {"name":\r\ndata: "Zoë £"}\r\n\r\n',
  ':\n\n',
  'data:no space\rdata: second line\r\r',
  'id\nevent: without-data\n\n',
  'retry: 10\nunknown: x\ndata\n\n',
  'data: never finished',
].join('')

const EVENTS: ServerEvent[] = [
  { event: 'call.answered', data: '{"seq":1}' },
  { event: 'capture.field', data: '{"name":\n"Zoë £"}' },
  { event: 'message', data: 'no space\nsecond line' },
  { event: 'message', data: '' },
]

const octets = new TextEncoder().encode(STREAM)

test('the same events come out wherever the stream is cut in two', () => {
  for (let cut = 0; cut <= octets.length; cut++) {
    const reader = new EventStreamReader()
    const events = [...reader.push(octets.subarray(0, cut)), ...reader.push(octets.subarray(cut))]
    assert.deepEqual(events, EVENTS, `cut at octet ${cut}`)
  }
})

test('the same events come out octet by octet', () => {
  const reader = new EventStreamReader()
  const events = [...octets].flatMap((octet) => reader.push(Uint8Array.of(octet)))
  assert.deepEqual(events, EVENTS)
})

test('an event longer than the bound is dropped and the next one is read', () => {
  const reader = new EventStreamReader()
  const send = (text: string): ServerEvent[] => reader.push(new TextEncoder().encode(text))
  for (let i = 0; i < 40; i++) send(`data: ${'x'.repeat(10_000)}\n`)
  assert.deepEqual(send('\ndata: short\n\n'), [{ event: 'message', data: 'short' }])
  send(`data: ${'x'.repeat(400_000)}`)
  assert.deepEqual(send('\n\ndata: short\n\n'), [{ event: 'message', data: 'short' }])
})

test('the id to resume after is the last one sent, with or without an event, never one with a NUL', () => {
  const reader = new EventStreamReader()
  const send = (text: string): ServerEvent[] => reader.push(new TextEncoder().encode(text))
  assert.equal(reader.lastEventId, undefined)
  assert.deepEqual(send(': tonewall\nid: 41\n\n'), [])
  assert.equal(reader.lastEventId, '41')
  send('id: 42\ndata: x\n\n')
  assert.equal(reader.lastEventId, '42')
  send('id: 43\0\ndata: x\n\n')
  assert.equal(reader.lastEventId, '42')
})
