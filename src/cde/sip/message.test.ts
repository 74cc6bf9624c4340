import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sipLimits } from '../../lib/limits.ts'
import { headerValue, headerValues, parseMessage, readMessage, serializeMessage } from './message.ts'

const octets = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const head = [
  'INVITE sip:desk@192.0.2.9 SIP/2.0',
  'v: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKa;rport',
  'f: "Ann, \\"A\\"" <sip:ann@192.0.2.1>;tag=1',
  't: <sip:desk@192.0.2.9>',
  'i: a@192.0.2.1',
  'CSeq: 1 INVITE',
  'm: <sip:ann@192.0.2.1:5070>',
]
const message = (lines: readonly string[], body = ''): Uint8Array => octets(`${lines.join('\r\n')}\r\n\r\n${body}`)

test('compact and folded headers are read, order and octets kept', () => {
  const parsed = parseMessage(message([...head, 'X-Odd:  \xc3\xa9 ;\r\n\tsecond  line', 'X-Odd: 2'], 'body'))
  assert.ok(typeof parsed === 'object')
  assert.equal(headerValue(parsed, 'Call-ID'), 'a@192.0.2.1')
  assert.deepEqual(headerValues(parsed, 'x-odd'), ['\xc3\xa9 ; second  line', '2'])
  assert.equal(Buffer.from(parsed.body).toString(), 'body')
  const again = parseMessage(serializeMessage(parsed))
  assert.ok(typeof again === 'object')
  assert.deepEqual(
    again.headers.filter((header) => header.name !== 'Content-Length'),
    parsed.headers,
  )
})

test('octets after Content-Length are not part of the message', () => {
  const parsed = parseMessage(message([...head, 'l: 2'], 'bodyINVITE'))
  assert.ok(typeof parsed === 'object')
  assert.equal(parsed.body.length, 2)
})

test('the body does not share memory with the datagram, which the transport wipes', () => {
  const datagram = message([...head, 'l: 4'], 'body')
  const parsed = parseMessage(datagram)
  datagram.fill(0)
  assert.ok(typeof parsed === 'object')
  assert.equal(Buffer.from(parsed.body).toString(), 'body')
})

test('a value with a line break cannot become a header of its own', () => {
  const parsed = parseMessage(message(head))
  assert.ok(typeof parsed === 'object')
  const evil = { ...parsed, headers: [...parsed.headers, { name: 'X-A', value: 'b\r\nX-Evil: 1' }] }
  const again = parseMessage(serializeMessage(evil))
  assert.ok(typeof again === 'object')
  assert.equal(headerValue(again, 'X-Evil'), undefined)
})

test('each fault has its word', () => {
  const without = (prefix: string): string[] => head.filter((line) => !line.startsWith(prefix))
  const cases: [problem: string, datagram: Uint8Array][] = [
    ['keep-alive', octets('\r\n\r\n')],
    ['keep-alive', octets('')],
    ['start-line', message(['HELLO', ...head.slice(1)])],
    ['start-line', message(['SIP/2.0 099 No', ...head.slice(1)])],
    ['version', message(['INVITE sip:a@b SIP/3.0', ...head.slice(1)])],
    ['unfinished-headers', octets(head.join('\r\n'))],
    ['header-syntax', message([...head, 'no colon here'])],
    ['header-syntax', message([...head, 'X: a\rb'])],
    ['content-length', message([...head, 'l: 5'], 'four')],
    ['content-length', message([...head, 'l: -1'])],
    ['content-length', message([...head, 'l: 0', 'Content-Length: 0'])],
    ['missing-header', message(without('t:'))],
    ['missing-header', message(without('v:'))],
    ['duplicate-header', message([...head, 'CSeq: 2 INVITE'])],
    ['via', message([...without('v:'), 'v: SIP/2.0/UDP 192.0.2.1:99999'])],
    ['cseq', message([...without('CSeq'), 'CSeq: 4294967296 INVITE'])],
    ['max-forwards', message([...head, 'Max-Forwards: 256'])],
    ['contact', message([...head, 'm: sip:a@b?x=y'])],
    ['route', message([...head, 'Route: <sip:a'])],
    ['request-uri', message(['INVITE sip:a@b?Route=c SIP/2.0', ...head.slice(1)])],
    ['too-large', new Uint8Array(sipLimits.messageOctetsMax + 1)],
    ['too-many-headers', message([...head, ...Array.from({ length: sipLimits.headersMax }, () => 'X: 1')])],
    ['unfinished-headers', message([...head, `X: 1${'\r\n 2'.repeat(sipLimits.headLinesMax)}`])],
    ['start-line', message([`A a${' '.repeat(60_000)}`])],
    ['header-too-long', message([...head, `X: ${'x'.repeat(sipLimits.headerOctetsMax)}`])],
  ]
  for (const [problem, datagram] of cases) assert.equal(parseMessage(datagram), problem)
})

test('a request with a fault keeps what was read, so that it can be answered 400', () => {
  const { message: read, problem } = readMessage(message([...head, 'l: 99']))
  assert.equal(problem, 'content-length')
  assert.ok(read?.kind === 'request')
  assert.equal(headerValue(read, 'CSeq'), '1 INVITE')
})
