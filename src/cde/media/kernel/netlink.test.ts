import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomUnit, seededRandom } from '../../../lib/random.ts'
import {
  attribute,
  errnoIn,
  joined,
  nested,
  netlinkMessage,
  readAttributes,
  readMessages,
  textAttribute,
  uint32Attribute,
} from './netlink.ts'
import { batch, countedIn, deleteElements } from './nft-messages.ts'
import { deviceIn, deviceWith, routeIn } from './route-messages.ts'

const SEED = 20_261_122

test('messages and attributes come back as they were written, padded to four octets', () => {
  const body = joined([
    textAttribute(1, 'flows'),
    uint32Attribute(5, 0x01020304),
    nested(3, attribute(2, Uint8Array.of(9))),
  ])
  const octets = joined([netlinkMessage(7, 1, 40, body), netlinkMessage(8, 1, 41, Uint8Array.of(1))])
  const messages = readMessages(octets)
  assert(typeof messages !== 'string')
  assert.deepEqual(
    messages.map(({ type, sequence, body: { length } }) => ({ type, sequence, length })),
    [
      { type: 7, sequence: 40, length: body.length },
      { type: 8, sequence: 41, length: 1 },
    ],
  )
  const attributes = readAttributes(messages[0]?.body ?? new Uint8Array())
  assert(typeof attributes !== 'string')
  assert.deepEqual(attributes.get(1), [new TextEncoder().encode('flows\0')])
  assert.deepEqual(attributes.get(5), [Uint8Array.of(1, 2, 3, 4)])
  const inner = readAttributes(attributes.get(3)?.[0] ?? new Uint8Array())
  assert(typeof inner !== 'string')
  assert.deepEqual(inner.get(2), [Uint8Array.of(9)])
})

test('a batch begins and ends, and only its last message asks for an acknowledgement', () => {
  const messages = [deleteElements('t', 'm', [Uint8Array.of(1)]), deleteElements('t', 'm', [Uint8Array.of(2)])]
  const { octets, last } = batch(messages, 100)
  const read = readMessages(octets)
  assert(typeof read !== 'string')
  assert.deepEqual(
    read.map(({ type, sequence }) => [type, sequence]),
    [
      [16, 100],
      [0xa0e, 101],
      [0xa0e, 102],
      [17, 103],
    ],
  )
  assert.equal(last, 102)
  const flagsAt = (message: number): number | undefined => {
    const before = read.slice(0, message).reduce((sum, { body }) => sum + 16 + body.length, 0)
    return octets[before + 6]
  }
  assert.deepEqual([0, 1, 2, 3].map(flagsAt), [1, 1, 5, 1])
})

test('an error is told from an acknowledgement, and from what is cut', () => {
  const answer = (...body: number[]) => ({ type: 2, sequence: 1, body: Uint8Array.from(body) })
  assert.equal(errnoIn(answer(0, 0, 0, 0)), 0)
  assert.equal(errnoIn(answer(0xff, 0xff, 0xff, 0xff)), 1)
  assert.equal(errnoIn(answer(0xff, 0xff)), undefined)
  assert.equal(errnoIn({ ...answer(0, 0, 0, 0), type: 3 }), undefined)
})

test(`whatever octets come, a value or a word comes out (seed ${SEED})`, () => {
  const bytes = seededRandom(SEED)
  const random = (): number => randomUnit(bytes)
  const valid = joined([
    netlinkMessage(
      0xa0c,
      2,
      9,
      joined([Uint8Array.of(5, 0, 0, 0), nested(3, nested(1, nested(1, attribute(1, new Uint8Array(16)))))]),
    ),
    netlinkMessage(24, 2, 9, joined([new Uint8Array(12), attribute(4, Uint8Array.of(3, 0, 0, 0))])),
  ])
  for (let round = 0; round < 20_000; round++) {
    const octets = valid.slice(0, random() < 0.3 ? Math.floor(random() * valid.length) : valid.length)
    for (let change = 0; change < 4; change++) octets[Math.floor(random() * octets.length)] = Math.floor(random() * 256)
    const messages = readMessages(octets)
    if (typeof messages === 'string') continue
    for (const { type, body } of messages) {
      countedIn(type, body)
      countedIn(0xa0c, body)
      for (const each of [16, 20, 24]) {
        deviceIn(each, body)
        deviceWith('10.0.0.1', each, body)
        routeIn('10.0.0.1', each, body)
      }
    }
  }
})
