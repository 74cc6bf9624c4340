import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findCardNumber } from './luhn-scan.ts'
import { seededRandom } from './random.ts'

test('a published test number is found plain, grouped and inside other digits', () => {
  assert.equal(findCardNumber('pan=4242424242424242;'), 4)
  assert.equal(findCardNumber('4242 4242 4242 4242'), 0)
  assert.equal(findCardNumber('x 4242-4242-4242-4242'), 2)
  assert.notEqual(findCardNumber('99942424242424242429'), -1)
  assert.notEqual(findCardNumber('378282246310005'), -1)
})

test('short runs, wrong check digits and all-zero runs are left alone', () => {
  assert.equal(findCardNumber('order 123456789012'), -1)
  assert.equal(findCardNumber('4242424242424241'), -1)
  assert.equal(findCardNumber('0000000000000000'), -1)
  assert.equal(findCardNumber('4242424242  42424242'), -1)
})

test('a card number with expiry and security code keyed behind it is found', () => {
  assert.notEqual(findCardNumber('42424242424242421230904'), -1)
  assert.notEqual(findCardNumber('0378282246310005123'), -1)
})

test('references and times of many digits are rarely taken for a card', () => {
  const times = Array.from({ length: 1_000 }, (_, i) => String(1_790_000_000_000 + i * 7_919))
  assert.equal(times.filter((time) => findCardNumber(time) !== -1).length, 0)
})

test('groups are found whatever people part them with', () => {
  for (const text of [
    '4242.4242.4242.4242',
    '4242_4242_4242_4242',
    '4242/4242/4242/4242',
    '4242  4242  4242  4242',
    '4242 4242  4242-4242',
    '3782.822463.10005',
    '42424242.4242.4242',
    'id_777_4242_4242_4242_4242_x',
  ]) {
    assert.notEqual(findCardNumber(text), -1, text.replaceAll(/\d/g, '#'))
  }
})

test('addresses, dates, versions and decimals are left alone', () => {
  for (const text of [
    '192.168.100.200/24 192.168.100.201',
    '203.0.113.255:5060 198.51.100.255:5061',
    '2026/11/22 10.30.45.123',
    '2026-11-22T10:30:45.123Z_2026-11-22T10:30:46.456Z',
    '42424242.42424242',
    '0.4242424242424241, 12345678.12345678',
    '4242.4242.4242.4241',
  ]) {
    assert.equal(findCardNumber(text), -1, text)
  }
})

test('few addresses and times are taken for a card', () => {
  const random = seededRandom(11)
  const octet = (): number => random(1)[0] ?? 0
  const lines = Array.from({ length: 5_000 }, (_, i) => {
    const address = `${octet()}.${octet()}.${octet()}.${octet()}`
    return `${address}/${octet()}, ${new Date(1_790_000_000_000 + i * 7_919).toISOString()}  ${address}_${octet() * 257}`
  })
  assert.equal(lines.filter((line) => findCardNumber(line) !== -1).length, 0)
})
