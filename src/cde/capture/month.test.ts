import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oldestMonthOnEarth } from './month.ts'

test('a card that is printed with this month is good until the month has ended everywhere', () => {
  const at = (text: string): { year: number; month: number } => oldestMonthOnEarth(Date.parse(text))
  assert.deepEqual(at('2026-11-15T00:00:00Z'), { year: 2026, month: 11 })
  // New Year in London: it is still December in New York and in Honolulu.
  assert.deepEqual(at('2027-01-01T00:00:00Z'), { year: 2026, month: 12 })
  assert.deepEqual(at('2027-01-01T11:59:59.999Z'), { year: 2026, month: 12 })
  assert.deepEqual(at('2027-01-01T12:00:00Z'), { year: 2027, month: 1 })
})
