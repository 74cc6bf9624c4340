import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brandOf } from './brand.ts'
import { judgeExpiry } from './expiry.ts'
import { passesLuhn } from './luhn.ts'
import { brokenRule } from './rules.ts'

const values = (text: string): Uint8Array => Uint8Array.from(text, Number)

/** Published test numbers: brand, number, and after how many digits the brand is certain. */
const published = [
  ['visa', '4242424242424242', 1],
  ['visa', '4222222222222', 1],
  ['mastercard', '5105105105105100', 2],
  ['mastercard', '2223003122003222', 4],
  ['amex', '378282246310005', 2],
  ['amex', '371449635398431', 2],
  ['discover', '6011111111111117', 4],
  ['diners', '30569309025904', 3],
  ['diners', '36227206271667', 2],
  ['diners', '38520000023237', 2],
  ['jcb', '3530111333300000', 4],
  ['unionpay', '6200000000000005', 2],
  ['maestro', '6304000000000000', 2],
  ['maestro', '6759649826438453', 2],
] as const

void test('the brand of published test numbers is known at the first digit that decides it, and no sooner', () => {
  for (const [brand, number, decidedAt] of published) {
    for (let length = 0; length <= number.length; length++) {
      const expected = length < decidedAt ? 'undecided' : brand
      assert.equal(brandOf(values(number.slice(0, length))), expected, `${brand} after ${length} digits`)
    }
  }
})

void test('prefixes without a published number', () => {
  for (const [prefix, brand] of [
    ['34', 'amex'],
    ['50', 'maestro'],
    ['57', 'maestro'],
    ['3095', 'diners'],
    ['81', 'unionpay'],
    ['644', 'discover'],
  ] as const)
    assert.equal(brandOf(values(prefix)), brand, prefix)
})

void test('a beginning that no brand uses is told from one that is still open', () => {
  for (const none of ['0', '1', '7', '9', '31', '33', '2220', '2721', '306', '3527', '3590'])
    assert.equal(brandOf(values(none)), 'none', none)
  for (const open of ['', '2', '22', '222', '3', '30', '309', '35', '5', '6', '60', '601', '64', '8'])
    assert.equal(brandOf(values(open)), 'undecided', open)
})

void test('published test numbers pass the check digit, and fail it with any one digit changed', () => {
  for (const [, number] of published) {
    assert.ok(passesLuhn(values(number)))
    for (let at = 0; at < number.length; at++) {
      const changed = values(number)
      changed[at] = ((changed[at] ?? 0) + 1) % 10
      assert.ok(!passesLuhn(changed), `digit ${at}`)
    }
  }
  assert.ok(!passesLuhn(values('')))
})

void test('a card is good through its month, and a date far ahead is one of the last century', () => {
  const today = { year: 2026, month: 11 }
  const cases: [string, string | undefined][] = [
    ['1126', undefined],
    ['1226', undefined],
    ['0127', undefined],
    ['1234', undefined],
    ['1246', undefined],
    ['1026', 'expired'],
    ['1225', 'expired'],
    ['0147', 'expired'],
    ['1299', 'expired'],
    ['0027', 'month-invalid'],
    ['1327', 'month-invalid'],
    ['2712', 'month-invalid'],
  ]
  for (const [keyed, expected] of cases) assert.equal(judgeExpiry(values(keyed), today), expected, keyed)
  assert.equal(judgeExpiry(values('0104'), { year: 2099, month: 12 }), undefined, 'across a century')
})

void test('the first broken rule is named: prefix, then length, then check digit', () => {
  const settings = { name: 'cardNumber', kind: 'cardNumber', digitsMin: 1, digitsMax: 19 } as const
  const context = { today: { year: 2026, month: 11 }, cardBrand: undefined }
  const judge = (text: string): string | undefined => brokenRule(settings, values(text), context)
  assert.equal(judge('9'), 'brand-unknown')
  assert.equal(judge('6'), 'too-short')
  assert.equal(judge('42424242424241'), 'too-short')
  assert.equal(judge('4242424242424241'), 'check-digit')
  assert.equal(judge('4222222222222'), undefined)
  assert.equal(judge('6200000000000004'), undefined, 'UnionPay is not judged by its check digit')
  assert.equal(judge('63040000000000000000'), 'too-long')
})
