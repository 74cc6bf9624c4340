import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captureCloseReasons } from '../../src/wall/messages.ts'
import { readEvent } from './read-event.ts'

test('events of the contract are read', () => {
  const data =
    '{"seq":4,"type":"capture.field","captureId":"A","field":{"field":"expiry","state":"collecting","count":2}}'
  assert.deepEqual(readEvent({ event: 'capture.field', data }), {
    type: 'capture.field',
    captureId: 'A',
    field: { field: 'expiry', state: 'collecting', count: 2 },
  })
  assert.deepEqual(readEvent({ event: 'cde.down', data: '{}' }), { type: 'cde.down' })
  assert.deepEqual(readEvent({ event: 'capture.closed', data: '{"captureId":"A","reason":"timed-out"}' }), {
    type: 'capture.closed',
    captureId: 'A',
    reason: 'timed-out',
  })
})

test('every reason that control gives for the end of a capture is read as it is', () => {
  for (const reason of [...captureCloseReasons, 'lost', 'not-started']) {
    const data = JSON.stringify({ captureId: 'A', reason })
    assert.deepEqual(readEvent({ event: 'capture.closed', data }), { type: 'capture.closed', captureId: 'A', reason })
  }
})

test('what is unknown, broken or incomplete is passed over', () => {
  for (const [event, data] of [
    ['capture.field', '{"captureId":"A"}'],
    ['capture.field', '{"field":{"field":"expiry","count":1}}'],
    ['capture.started', '{}'],
    ['capture.started', '{"capture":{"captureId":"A","mode":"field","fields":[{}]}}'],
    ['payment.changed', '{"payment":{"paymentId":"P","state":"approved"}}'],
    ['payment.changed', '{"payment":{"paymentId":"P","state":"won"}}'],
    ['call.answered', 'null'],
    ['call.answered', '{'],
    ['something.new', '{}'],
  ] as const) {
    assert.equal(readEvent({ event, data }), undefined, `${event} ${data}`)
  }
})
