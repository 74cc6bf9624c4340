import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseParams, splitList } from './grammar.ts'
import { parseNameAddr, parseNameAddrList, tagOf } from './name-addr.ts'
import { formatHostPort, literalAddress, parseUri } from './uri.ts'
import { parseVia, stampVia } from './via.ts'

test('SIP URIs: user, host, port, parameters, headers', () => {
  assert.deepEqual(parseUri('sip:a;b=c?d:pw@[2001:db8::1]:5070;lr;transport=udp?x=y'), {
    scheme: 'sip',
    user: 'a;b=c?d:pw',
    host: '2001:db8::1',
    port: 5070,
    params: [
      { name: 'lr', value: undefined },
      { name: 'transport', value: 'udp' },
    ],
    headers: 'x=y',
  })
  assert.deepEqual(parseUri('tel:+44201'), { scheme: 'tel', opaque: '+44201' })
  for (const [text, problem] of [
    ['sip:a b', 'bad-character'],
    ['<sip:a@b>', 'bad-character'],
    ['no-scheme', 'bad-scheme'],
    ['tel:', 'bad-scheme'],
    ['sip:@host', 'bad-host'],
    ['sip:a@', 'bad-host'],
    ['sip:a@[::g]', 'bad-host'],
    ['sip:a@[1]', 'bad-host'],
    ['sip:a@b:0', 'bad-port'],
    ['sip:a@b:65536', 'bad-port'],
    ['sip:a@b;', 'bad-param'],
  ] as const) {
    assert.equal(parseUri(text), problem, text)
  }
})

test('addresses in URIs: IP literals only, port 5060 by default, IPv6 in brackets', () => {
  assert.deepEqual(literalAddress('sip:a@192.0.2.1'), { host: '192.0.2.1', port: 5060 })
  assert.deepEqual(literalAddress('sip:[::1]:5070'), { host: '::1', port: 5070 })
  assert.equal(literalAddress('sip:a@pbx.example'), undefined)
  assert.equal(formatHostPort({ host: '::1', port: 5060 }), '[::1]:5060')
})

test('name-addr: quoted, bare, token names; parameters inside and outside', () => {
  assert.deepEqual(parseNameAddr('"A \\" <x>" <sip:a@b;lr>;tag=1'), {
    display: '"A \\" <x>"',
    uri: 'sip:a@b;lr',
    params: [{ name: 'tag', value: '1' }],
  })
  assert.equal(tagOf('sip:a@b ; tag = x'), 'x')
  assert.equal(parseNameAddr('"open <sip:a@b>'), 'unbalanced')
  assert.equal(parseNameAddr('a, b <sip:a@b>'), 'bad-display-name')
  assert.equal(parseNameAddr('<sip:a@b'), 'unbalanced')
  assert.equal(parseNameAddr('sip:a@b?x=y'), 'bad-uri')
  assert.equal(parseNameAddr('<sip:a@b>;;'), 'bad-param')
  assert.equal(parseNameAddr(''), 'bad-uri')
  const list = parseNameAddrList('"a,b" <sip:a,c@b>, <sip:d@e>')
  assert.equal(Array.isArray(list) && list.length, 2)
})

test('lists split outside quotes and brackets; parameters take quoted values', () => {
  assert.deepEqual(splitList('a, "b,\\",c", <d,e>'), ['a', '"b,\\",c"', '<d,e>'])
  assert.equal(splitList('a, "b'), undefined)
  assert.deepEqual(parseParams(' ;a ; b = "x;y" '), [
    { name: 'a', value: undefined },
    { name: 'b', value: '"x;y"' },
  ])
  assert.equal(parseParams('a'), undefined)
})

test('Via: parsed with blanks; a lying received is replaced, only the first value is stamped', () => {
  const via = parseVia('SIP / 2.0 / udp  [2001:db8::1] : 5070 ; branch = z9hG4bKx ;rport')
  assert.ok(typeof via === 'object')
  assert.deepEqual([via.transport, via.host, via.port, via.branch], ['UDP', '2001:db8::1', 5070, 'z9hG4bKx'])
  assert.equal(parseVia('SIP/2.0/UDP'), 'via-syntax')
  assert.equal(parseVia('SIP/2.0/UDP a:0'), 'via-syntax')
  assert.equal(
    stampVia('SIP/2.0/UDP a;received=192.0.2.66;rport;branch=b, SIP/2.0/UDP c;rport', { host: '192.0.2.1', port: 7 }),
    'SIP/2.0/UDP a;rport=7;branch=b;received=192.0.2.1, SIP/2.0/UDP c;rport',
  )
})
