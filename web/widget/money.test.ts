import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currencySign, formatAmount, parseAmount, plainAmount } from './money.ts'

test('amounts are read in minor units of their currency', () => {
  assert.equal(parseAmount('42.50', 'GBP'), 4250)
  assert.equal(parseAmount('42,5', 'EUR'), 4250)
  assert.equal(parseAmount(' 1 200 ', 'JPY'), 1200)
  assert.equal(parseAmount('1.005', 'KWD'), 1005)
  assert.equal(parseAmount('19.99', 'GBP'), 1999)
  assert.equal(parseAmount('7.', 'GBP'), 700)
})

test('what is not one amount is refused, never rounded', () => {
  for (const text of ['', '0', '0.00', '-1', '1.005', '1,000.00', '1e3', 'ten', '.', '9999999999.99']) {
    assert.equal(parseAmount(text, 'GBP'), undefined, text)
  }
  assert.equal(parseAmount('5.5', 'JPY'), undefined)
})

test('amounts are written as people write them', () => {
  assert.equal(formatAmount(4250, 'GBP', 'en-GB'), '£42.50')
  assert.equal(formatAmount(1200, 'JPY', 'en'), '¥1,200')
  assert.equal(plainAmount(5, 'GBP'), '0.05')
  assert.equal(currencySign('GBP', 'en-GB'), '£')
})

test('the minor unit is the one that gateways count in, not the one that people of the place write', () => {
  // Intl writes HUF, IDR and IQD without decimals by itself: the agent would have read 4250 and charged 42.50.
  for (const [currency, plain] of [
    ['HUF', '42.50'],
    ['IDR', '42.50'],
    ['IQD', '4.250'],
    ['UYW', '0.4250'],
    ['ISK', '4250'],
  ] as const) {
    assert.equal(plainAmount(4250, currency), plain)
    assert.equal(parseAmount(plain, currency), 4250, currency)
    assert.equal(formatAmount(4250, currency, 'en').replaceAll(/[^\d.]/g, ''), plain)
  }
})

test('a currency that is not known has no amount: nothing is guessed', () => {
  for (const currency of ['XXX', 'gbp', 'nonsense', '']) {
    assert.equal(parseAmount('42.50', currency), undefined, currency)
    assert.equal(formatAmount(4250, currency), '')
    assert.equal(plainAmount(4250, currency), '')
  }
})
