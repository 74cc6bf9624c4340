import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseInfoBody } from './info-body.ts'

const text = (body: string): Uint8Array => new TextEncoder().encode(body)

test('the four body types give the key', () => {
  const rows: [string, Uint8Array, number][] = [
    ['application/dtmf-relay', text('Signal=5\r\nDuration=160\r\n'), 5],
    ['application/dtmf-relay', text('Signal= *\r\nDuration= 250'), 10],
    ['application/dtmf-relay', text('Duration=160\r\nsignal = #\r\n'), 11],
    ['Application/DTMF-Relay; charset=utf-8', text('Signal=11\nDuration=100\n'), 11],
    ['application/dtmf-relay', text('Signal=10\r\n'), 10],
    ['application/dtmf-relay', text('Signal=d\r\n'), 15],
    ['application/dtmf', text('7'), 7],
    ['application/dtmf', text('#\r\n'), 11],
    ['application/dtmf', text('10'), 10],
    ['application/dtmf', text('Signal=3\r\nDuration=100'), 3],
    ['audio/telephone-event', Uint8Array.of(9, 0x8a, 3, 0x20), 9],
    ['application/vnd.nortelnetworks.digits', text('p=Digit-Collection\r\ny=Digits\r\n\r\nd=4\r\n'), 4],
  ]
  for (const [contentType, body, key] of rows) assert.equal(parseInfoBody(contentType, body), key, contentType)
})

test('anything else is not a digit', () => {
  const rows: [string, Uint8Array][] = [
    ['application/dtmf-relay', text('')],
    ['application/dtmf-relay', text('Signal=')],
    ['application/dtmf-relay', text('Signal=hf')],
    ['application/dtmf-relay', text('Signal=16\r\n')],
    ['application/dtmf-relay', text('Signal=555\r\n')],
    ['application/dtmf-relay', text('Signals=5\r\n')],
    ['application/dtmf', text('hello')],
    ['application/dtmf', new Uint8Array(2_000).fill(0x35)],
    ['audio/telephone-event', Uint8Array.of(16, 0, 0, 0)],
    ['audio/telephone-event', Uint8Array.of(1, 0, 0)],
    ['application/vnd.nortelnetworks.digits', text('p=Digit-Collection\r\n')],
    ['application/media_control+xml', text('Signal=5')],
    ['', text('5')],
  ]
  for (const [contentType, body] of rows) assert.equal(parseInfoBody(contentType, body), 'not-digit', contentType)
})
