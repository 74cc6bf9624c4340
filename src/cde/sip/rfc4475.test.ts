import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { headerValue, headerValues, parseMessage, serializeMessage } from './message.ts'
import { parseNameAddr, parseNameAddrList } from './name-addr.ts'

// SIP-37: the RFC 4475 torture messages; the words below are the `parse` column of their README.
const FOLDER = new URL('../../../../shared/data/rfc4475/', import.meta.url)
const skip = existsSync(FOLDER) ? false : '../shared/data/rfc4475 is not here'
const VALID =
  'wsinv intmeth esc01 escnull esc02 lwsdisp longreq dblreq semiuri transports mpart01 unreason noreason ' +
  'baddate mismatch01 mismatch02 badbranch unkscm novelsc unksm2 bext01 invut regaut01 bcast zeromf cparam01 ' +
  'cparam02 regescrt sdp01 inv2543'
const INVALID =
  'badinv01 clerr ncl scalar02 scalarlg quotbal ltgtruri lwsruri lwsstart trws escruri regbadct badaspec baddn ' +
  'badvers bigcode insuf multi01 mcl01 test'

const load = (name: string): Uint8Array => readFileSync(new URL(`${name}.dat`, FOLDER))

function parsed(name: string) {
  const message = parseMessage(load(name))
  assert.ok(typeof message === 'object', `${name}: ${String(message)}`)
  return message
}

test('valid RFC 4475 messages parse, and stay the same when written and parsed again', { skip }, () => {
  for (const name of VALID.split(' ')) {
    const first = parsed(name)
    const second = parseMessage(serializeMessage(first))
    const plain = (m: typeof first) => ({
      ...m,
      headers: m.headers.filter((header) => !/^(content-length|l)$/i.test(header.name)),
    })
    assert.ok(typeof second === 'object', name)
    assert.deepEqual(plain(second), plain(first), name)
  }
})

test('invalid RFC 4475 messages are refused with a word', { skip }, () => {
  for (const name of INVALID.split(' ')) assert.equal(typeof parseMessage(load(name)), 'string', name)
  const closed = Buffer.concat([load('baddn'), Buffer.from('\r\n')])
  assert.equal(parseMessage(closed), 'from')
})

test('every RFC 4475 message cut at any octet, or with any octet changed, gives a value or a word', { skip }, () => {
  for (const name of `${VALID} ${INVALID}`.split(' ')) {
    const whole = load(name)
    for (let at = 0; at < whole.length; at += 3) {
      parseMessage(whole.subarray(0, at))
      const flipped = Uint8Array.from(whole)
      flipped[at] = (flipped[at] ?? 0) ^ (1 + (at % 255))
      parseMessage(flipped)
    }
  }
})

test('odd but legal spellings keep their meaning', { skip }, () => {
  assert.equal(headerValue(parsed('wsinv'), 'UnknownHeaderWithUnusualValue'), ';;,,;;,;')
  assert.equal(headerValues(parsed('longreq'), 'Via').length, 34)
  assert.equal(headerValues(parsed('esc02'), 'Contact').length, 2)
  const contacts = headerValues(parsed('escnull'), 'Contact')
  assert.deepEqual(contacts, ['<sip:%00@host5.example.com>', '<sip:%00%00@host5.example.com>'])
  const outside = parseNameAddr(headerValue(parsed('cparam01'), 'Contact') ?? '')
  assert.ok(typeof outside === 'object')
  assert.deepEqual([outside.uri, outside.params.length], ['sip:+19725552222@gw1.example.net', 1])
  const inside = parseNameAddrList(headerValue(parsed('cparam02'), 'Contact') ?? '')
  assert.ok(typeof inside === 'object')
  assert.deepEqual([inside[0]?.uri, inside[0]?.params.length], ['sip:+19725552222@gw1.example.net;unknownparam', 0])
})
