import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findCardNumber } from './luhn-scan.ts'

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
