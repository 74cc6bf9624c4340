import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { serialize } from 'node:v8'
import { createLog } from '../../lib/log.ts'
import { Digits } from './digits.ts'

function filled(allocate?: (octets: number) => ArrayBuffer): Digits {
  const digits = new Digits(allocate)
  for (const digit of '4242424242424242') digits.push(Number(digit))
  return digits
}

void test('digits print [digits] however they are printed', () => {
  const digits = filled()
  const seen = [
    String(digits),
    // As a template literal does, without the linter's protest.
    ''.concat(digits as unknown as string),
    JSON.stringify({ digits }),
    inspect({ deep: { digits } }, { depth: 9, showHidden: true }),
    JSON.stringify(structuredClone({ digits })),
    serialize({ digits }).toString('latin1'),
    inspect(Object.assign(new Error('x'), { digits })),
    JSON.stringify(Object.getOwnPropertyDescriptors(digits)),
  ]
  createLog('t', { write: (line) => seen.push(line) }).error({ digits, nested: [digits] }, 'done')
  for (const text of seen) {
    for (const form of ['4242', '4,2,4', String.fromCharCode(4, 2, 4)]) assert.ok(!text.includes(form))
  }
  assert.equal(String(digits), '[digits]')
})

void test('reveal lends exactly what was keyed, and wipe leaves nothing in the very memory', () => {
  const stores: ArrayBuffer[] = []
  const digits = filled((octets) => {
    stores.push(new ArrayBuffer(octets))
    return stores[0] as ArrayBuffer
  })
  assert.equal(digits.count, 16)
  digits.reveal((values) => assert.deepEqual([...values.subarray(0, 4)], [4, 2, 4, 2]))
  assert.ok(stores[0] && stores[0].byteLength > 64, 'V8 copies typed arrays of up to 64 octets')
  assert.ok(new Uint8Array(stores[0]).includes(4))
  digits.wipe()
  assert.deepEqual([...new Uint8Array(stores[0])].filter(Boolean), [])
  assert.equal(digits.count, 0)
})

void test('one digit is taken out, those behind it move up, and its octet is not left behind', () => {
  const stores: ArrayBuffer[] = []
  const digits = new Digits((octets) => {
    const store = new ArrayBuffer(octets)
    stores.push(store)
    return store
  })
  for (const digit of [1, 2, 3, 4]) digits.push(digit)
  digits.removeAt(1)
  digits.reveal((values) => assert.deepEqual([...values], [1, 3, 4]))
  assert.deepEqual([...new Uint8Array(stores[0] ?? new ArrayBuffer(0))].slice(0, 5), [1, 3, 4, 0, 0])
  assert.throws(() => digits.removeAt(3), RangeError)
})

test('what is not a digit, and a digit too many, is refused without saying which', () => {
  const digits = filled()
  for (const wrong of [-1, 10, 4.5, Number.NaN]) assert.throws(() => digits.push(wrong), { message: 'not a digit' })
  while (digits.count < 32) digits.push(7)
  assert.throws(() => digits.push(7), { message: 'no room for another digit' })
})
