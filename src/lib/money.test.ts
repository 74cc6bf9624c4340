import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currencyPlaces } from './money.ts'

void test('currencies count as ISO 4217 says, not as CLDR does', () => {
  const cases = { GBP: 2, EUR: 2, JPY: 0, KWD: 3, CLF: 4, IDR: 2, HUF: 2, MGA: 2, ISK: 0, UGX: 0, CLP: 0 }
  for (const [currency, places] of Object.entries(cases)) assert.equal(currencyPlaces(currency), places, currency)
})

void test('what is no active currency has no places', () => {
  for (const code of ['', 'gbp', 'XXX', 'XTS', 'DEM', 'HRK', 'constructor'])
    assert.equal(currencyPlaces(code), undefined)
})
