import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bench, CALL, CAPTURE } from './captures.test-kit.ts'

const OTHER_CAPTURE = 'DDDDDDDDDDDDDDDDDD'
const OTHER_CALL = 'FFFFFFFFFFFFFFFFFF'
/** A press without a key, and a key that was taken in and contradicted then. */
const unread = { why: 'too-near', wasTold: false, isLatest: true } as const
const contradicted = { why: 'carriages-differ', wasTold: true, isLatest: false } as const

void test('a card keyed field by field completes itself, with a report per key and the brand as soon as it is known', () => {
  const bench = new Bench()
  bench.start()
  bench.enter('cardNumber', '4')
  assert.deepEqual(bench.last('cardNumber'), {
    type: 'field',
    captureId: CAPTURE,
    field: 'cardNumber',
    state: 'collecting',
    count: 1,
    expected: 16,
    brand: 'visa',
  })
  bench.keys('242424242424242')
  const { state, count, lastFour } = bench.last('cardNumber') ?? {}
  assert.deepEqual({ state, count, lastFour }, { state: 'valid', count: 16, lastFour: '4242' })
  const counts = bench.reports.filter((report) => report.type === 'field').map((report) => report.count)
  assert.deepEqual(counts, [0, ...Array.from({ length: 16 }, (_, i) => i + 1)])
  bench.enter('expiry', '1234')
  assert.equal(bench.last('expiry')?.state, 'valid')
  bench.enter('securityCode', '123')
  assert.equal(bench.last('securityCode')?.state, 'valid')
  assert.equal(bench.last('securityCode')?.expected, 3)
})

void test('the last four are told only of a number that is valid', () => {
  const bench = new Bench()
  bench.start()
  bench.enter('cardNumber', '4242424242424241')
  const last = bench.last('cardNumber')
  assert.deepEqual([last?.state, last?.error, last?.count], ['error', 'check-digit', 16])
  for (const report of bench.reports) assert.ok(!('lastFour' in report))
  assert.ok(bench.wiped())
})

void test('end key on a variable length, clear key, and both left over from the field before', () => {
  const bench = new Bench()
  bench.start('field', ['cardNumber', 'account'])
  bench.enter('cardNumber', '6759649826438453')
  assert.equal(bench.last('cardNumber')?.state, 'collecting', 'Maestro numbers have many lengths')
  bench.keys('#')
  assert.equal(bench.last('cardNumber')?.state, 'valid')
  bench.enter('account', '#*')
  assert.deepEqual([bench.last('account')?.state, bench.last('account')?.count], ['requested', 0])
  bench.keys('12*')
  assert.deepEqual([bench.last('account')?.state, bench.last('account')?.count], ['requested', 0])
  bench.keys('12345#')
  assert.equal(bench.last('account')?.error, 'too-short')
  bench.enter('account', '123456789#')
  assert.equal(bench.last('account')?.error, 'too-long')
  assert.equal(bench.last('account')?.count, 9)
  bench.enter('account', `${'1'.repeat(40)}#`)
  assert.equal(bench.last('account')?.error, 'too-long')
  assert.equal(bench.last('account')?.count, 32, 'the count is bounded')
  bench.enter('account', 'A1B2C3D456#')
  assert.equal(bench.last('account')?.state, 'valid', 'keys A to D are not digits and end nothing')
})

void test('the end and clear keys are the configured ones', () => {
  const bench = new Bench({ endKey: '*', clearKey: '#' })
  bench.start('field', ['account'])
  bench.enter('account', '99#123456*')
  assert.deepEqual([bench.last('account')?.state, bench.last('account')?.count], ['valid', 6])
})

void test('a field of one digit completes itself', () => {
  const bench = new Bench()
  bench.start('field', ['consent', 'postcode'])
  bench.enter('consent', '1')
  assert.equal(bench.last('consent')?.state, 'valid')
  bench.enter('postcode', '10115')
  assert.equal(bench.last('postcode')?.state, 'valid')
})

void test('no first digit in time, and a pause after too little, are errors; a pause after enough ends the field', () => {
  const bench = new Bench()
  bench.start('field', ['cardNumber', 'account'])
  bench.enter('cardNumber', '')
  bench.untilTimer()
  assert.equal(bench.nowMs, 21_000)
  assert.equal(bench.last('cardNumber')?.error, 'first-digit-timeout')
  bench.enter('account', '12345')
  bench.untilTimer()
  assert.equal(bench.nowMs, 26_000)
  assert.equal(bench.last('account')?.error, 'between-digits-timeout')
  bench.enter('account', '123456')
  bench.untilTimer()
  assert.equal(bench.last('account')?.state, 'valid')
  bench.enter('cardNumber', '999999999999')
  bench.untilTimer()
  assert.equal(bench.last('cardNumber')?.error, 'brand-unknown')
  assert.ok(!bench.wiped(), 'the account is still held')
})

void test('each digit starts the pause anew, and 0 switches the timers off', () => {
  const bench = new Bench()
  bench.start('field', ['account'])
  bench.enter('account', '1')
  bench.nowMs += 4_999
  bench.captures.wake(bench.nowMs)
  bench.keys('2')
  bench.nowMs += 4_999
  bench.captures.wake(bench.nowMs)
  assert.equal(bench.last('account')?.state, 'collecting')
  const unhurried = new Bench({ firstDigitMs: 0, betweenDigitsMs: 0, captureMs: 0 })
  unhurried.start('field', ['account'])
  unhurried.enter('account', '1')
  assert.equal(unhurried.captures.nextWakeAtMs(), undefined)
})

void test('digits that nothing asked for are dropped and reported, the end key left over is not', () => {
  const bench = new Bench()
  bench.start()
  bench.keys('42#*A')
  assert.deepEqual(bench.reports.slice(1), [
    { type: 'keys-dropped', callId: CALL, count: 1 },
    { type: 'keys-dropped', callId: CALL, count: 1 },
  ])
  bench.enter('cardNumber', '4242424242424242')
  bench.keys('7')
  assert.equal(bench.reports.at(-1)?.type, 'keys-dropped')
  assert.equal(bench.last('cardNumber')?.state, 'valid')
  assert.equal(bench.captures.counters()['capture_keys_dropped'], 3)
})

void test('keys of a call without a capture are neither kept nor reported', () => {
  const bench = new Bench()
  bench.keys('4242424242424242')
  assert.deepEqual(bench.reports, [])
  assert.deepEqual(bench.stores, [])
})

void test('a security code keyed before the card is judged again when the brand is known', () => {
  const bench = new Bench()
  bench.start()
  bench.enter('securityCode', '123')
  assert.equal(bench.last('securityCode')?.state, 'collecting', 'three or four digits: not known yet')
  bench.keys('#')
  assert.equal(bench.last('securityCode')?.state, 'valid')
  bench.enter('cardNumber', '378282246310005')
  assert.equal(bench.last('cardNumber')?.state, 'valid')
  assert.equal(bench.last('securityCode')?.error, 'too-short')
  bench.enter('securityCode', '1234')
  assert.equal(bench.last('securityCode')?.state, 'valid')
  bench.enter('cardNumber', '5105105105105100')
  assert.equal(bench.last('securityCode')?.error, 'too-long')
})

void test('asking for another field lets go of the open one and keeps the valid ones', () => {
  const bench = new Bench()
  bench.start()
  bench.enter('expiry', '1234')
  bench.enter('cardNumber', '4242')
  bench.captures.request(CAPTURE, 'securityCode', bench.nowMs)
  assert.deepEqual([bench.last('cardNumber')?.state, bench.last('cardNumber')?.count], ['idle', 0])
  assert.equal(bench.last('expiry')?.state, 'valid')
  bench.keys('999#')
  assert.equal(bench.last('securityCode')?.state, 'valid')
})

void test('in one go: fields follow each other, and the end key after a complete field does no harm', () => {
  const bench = new Bench()
  bench.start('continuous')
  bench.keys('4242424242424242#1234#123#')
  for (const field of ['cardNumber', 'expiry', 'securityCode']) assert.equal(bench.last(field)?.state, 'valid', field)
  assert.deepEqual(
    bench.reports.filter((report) => report.type === 'keys-dropped'),
    [],
  )
})

void test('in one go: a wrong field is asked again three times, then only by the agent', () => {
  const bench = new Bench()
  bench.start('continuous')
  for (let round = 0; round < 3; round++) {
    bench.keys('4242424242424241')
    assert.equal(bench.last('cardNumber')?.state, 'requested', `round ${round}`)
  }
  bench.keys('4242424242424241')
  assert.equal(bench.last('cardNumber')?.state, 'error')
  bench.keys('4')
  assert.equal(bench.reports.at(-1)?.type, 'keys-dropped')
  bench.enter('cardNumber', '4242424242424242')
  assert.equal(bench.last('expiry')?.state, 'requested')
})

void test('in one go: a field that the agent clears is asked again, and the others stay', () => {
  const bench = new Bench()
  bench.start('continuous')
  bench.keys('42424242424242421234')
  bench.captures.reset(CAPTURE, 'cardNumber', bench.nowMs)
  assert.equal(bench.last('cardNumber')?.state, 'idle')
  bench.keys('123')
  assert.equal(bench.last('securityCode')?.state, 'collecting', 'without a brand three digits may be too few')
  bench.keys('#')
  assert.equal(bench.last('cardNumber')?.state, 'requested')
  bench.captures.reset(CAPTURE, undefined, bench.nowMs)
  assert.equal(bench.last('expiry')?.state, 'idle')
  assert.equal(bench.last('cardNumber')?.state, 'requested')
  assert.ok(bench.wiped())
})

void test('contradicting carriages mark the open field: its digits are gone and it ends in error', () => {
  const bench = new Bench()
  bench.start()
  bench.enter('cardNumber', '42424242')
  bench.captures.doubt(CALL, contradicted, bench.nowMs)
  assert.equal(
    bench.last('cardNumber')?.state,
    'collecting',
    'what the caller goes on keying is not for the next field',
  )
  assert.deepEqual(bench.last('cardNumber')?.uncertain, { why: 'carriages-differ' })
  assert.ok(bench.wiped())
  bench.keys('42424242')
  assert.equal(bench.last('cardNumber')?.error, 'uncertain-key')
  assert.ok(bench.wiped())
})

void test('a key that proves unclear after the end key was told spoils the field, though it was valid', () => {
  const bench = new Bench()
  bench.start('field', ['account', 'postcode'])
  bench.enter('account', '123456#')
  assert.equal(bench.last('account')?.state, 'valid')
  bench.captures.doubt(CALL, { why: 'too-short', wasTold: false, isLatest: false }, bench.nowMs)
  assert.equal(bench.last('account')?.error, 'uncertain-key')
  assert.ok(bench.wiped())
})

test('a key that was not clear counts, is told with its place, and keeps the field from ever being valid', () => {
  for (const ending of ['keys', 'end key', 'pause'] as const) {
    const bench = new Bench()
    bench.start()
    bench.enter('cardNumber', '4242')
    bench.captures.doubt(CALL, unread, bench.nowMs)
    const { state, count, expected, brand, uncertain } = bench.last('cardNumber') ?? {}
    assert.deepEqual({ state, count, expected, brand }, { state: 'collecting', count: 5, expected: 16, brand: 'visa' })
    assert.deepEqual(uncertain, { why: 'too-near', at: 5 })
    assert.ok(bench.wiped(), 'nothing of a field that cannot become valid is kept')
    // With the key that was not clear it would have been a good number: it must not become one.
    bench.keys(ending === 'keys' ? '42424242424' : '4242')
    if (ending === 'end key') bench.keys('#')
    if (ending === 'pause') bench.untilTimer()
    assert.equal(bench.last('cardNumber')?.error, 'uncertain-key', ending)
    assert.equal(bench.captures.submit(CAPTURE), 'FIELD_MISSING')
  }
})

void test("the caller's clear key, the agent's request and reset end the doubt, and the field can be keyed again", () => {
  for (const way of ['clear key', 'request', 'reset'] as const) {
    const bench = new Bench()
    bench.start()
    bench.enter('expiry', '1')
    bench.captures.doubt(CALL, unread, bench.nowMs)
    if (way === 'clear key') bench.keys('*')
    if (way === 'reset') bench.captures.reset(CAPTURE, 'expiry', bench.nowMs)
    if (way !== 'clear key') bench.captures.request(CAPTURE, 'expiry', bench.nowMs)
    assert.equal(bench.last('expiry')?.uncertain, undefined, way)
    bench.keys('1234')
    assert.equal(bench.last('expiry')?.state, 'valid', way)
  }
})

void test('a first key that was not clear begins the field; its length is unknown then, so the end key or a pause ends it', () => {
  const bench = new Bench()
  bench.start()
  bench.captures.request(CAPTURE, 'cardNumber', bench.nowMs)
  bench.captures.doubt(CALL, unread, bench.nowMs)
  bench.captures.doubt(CALL, unread, bench.nowMs)
  assert.deepEqual(bench.last('cardNumber')?.uncertain, { why: 'too-near', at: 1 }, 'the first one is named')
  for (let pair = 0; pair < 8; pair++) bench.keys('42')
  assert.equal(bench.last('cardNumber')?.state, 'collecting')
  bench.untilTimer()
  assert.equal(bench.last('cardNumber')?.error, 'uncertain-key')
})

void test('a key that was not clear while nothing was asked for is nobody’s', () => {
  const bench = new Bench()
  bench.start()
  bench.enter('expiry', '1234')
  bench.captures.doubt(CALL, unread, bench.nowMs)
  assert.equal(bench.last('expiry')?.state, 'valid')
})

void test('a contradiction about the last key of a field that has completed itself hits that field, not the next', () => {
  const bench = new Bench()
  bench.start('continuous')
  bench.keys('42424242424242421234')
  assert.equal(bench.last('securityCode')?.state, 'requested')
  bench.captures.doubt(CALL, contradicted, bench.nowMs)
  assert.equal(bench.last('securityCode')?.state, 'idle')
  const expiry = bench.reports.filter((report) => report.type === 'field' && report.field === 'expiry').slice(-2)
  assert.deepEqual(
    expiry.map((report) => report.type === 'field' && (report.error ?? report.state)),
    ['uncertain-key', 'requested'],
  )
  assert.equal(bench.last('cardNumber')?.state, 'valid')
  const dropped = new Bench()
  dropped.start()
  dropped.enter('expiry', '1234')
  dropped.keys('5')
  dropped.captures.doubt(CALL, contradicted, dropped.nowMs)
  assert.equal(dropped.last('expiry')?.state, 'valid', 'the contradiction was about a key that had been dropped')
})

void test('doubles that were taken in are taken back, as if they had never been keyed', () => {
  const bench = new Bench()
  bench.start()
  bench.enter('cardNumber', '44224')
  // The line is known by now: the second 4 and the second 2 were never pressed.
  bench.captures.doubled(CALL, [3, 1], bench.nowMs)
  assert.deepEqual(
    [bench.last('cardNumber')?.count, bench.last('cardNumber')?.brand, bench.last('cardNumber')?.uncertain],
    [3, 'visa', undefined],
  )
  bench.keys('2424242424242')
  assert.equal(bench.last('cardNumber')?.lastFour, '4242')
  assert.equal(bench.last('cardNumber')?.count, 16)
})

void test('doubles that reach back before the field, or into one that has ended, cannot be put right: it is keyed again', () => {
  const late = new Bench()
  late.start()
  late.enter('expiry', '1133')
  assert.equal(late.last('expiry')?.state, 'valid')
  late.captures.doubled(CALL, [2, 0], late.nowMs)
  assert.equal(late.last('expiry')?.error, 'uncertain-key')
  const across = new Bench()
  across.start()
  across.enter('expiry', '12')
  across.captures.request(CAPTURE, 'expiry', across.nowMs)
  across.keys('1')
  across.captures.doubled(CALL, [2, 0], across.nowMs)
  assert.deepEqual(across.last('expiry')?.uncertain, { why: 'doubled' })
  assert.ok(across.wiped())
  const none = new Bench()
  none.start()
  none.captures.doubled(CALL, [0], none.nowMs)
  assert.equal(none.reports.filter((report) => report.type === 'field').length, 0)
})

void test('a wrong number that is nothing but pairs is told of; other wrong numbers, and right ones, are not', () => {
  const bench = new Bench()
  bench.start('field', ['cardNumber', 'expiry', 'account'])
  bench.enter('cardNumber', '4422442244224422')
  assert.deepEqual([bench.last('cardNumber')?.error, bench.pairsSeen], ['check-digit', 1])
  bench.enter('account', '11223344#')
  assert.deepEqual([bench.last('account')?.state, bench.pairsSeen], ['valid', 1])
  bench.enter('cardNumber', '4422442244224432')
  bench.enter('cardNumber', '4422#')
  bench.enter('expiry', '1199')
  assert.deepEqual([bench.last('expiry')?.state, bench.pairsSeen], ['error', 1])
})

void test('a second capture on a call, a wrong field, a doubled field and too many captures are refused', () => {
  const bench = new Bench()
  bench.start()
  const refused = (captureId: string, callId: string, fields: string[]): unknown => {
    bench.captures.start({ captureId, callId, fields, mode: 'field' }, bench.nowMs)
    const last = bench.reports.at(-1)
    return last?.type === 'capture-refused' ? last.code : last?.type
  }
  assert.equal(refused(OTHER_CAPTURE, CALL, ['cardNumber']), 'CAPTURE_EXISTS')
  assert.equal(refused(CAPTURE, OTHER_CALL, ['cardNumber']), 'CAPTURE_EXISTS')
  assert.equal(refused(OTHER_CAPTURE, OTHER_CALL, ['iban']), 'FIELD_UNKNOWN')
  assert.equal(refused(OTHER_CAPTURE, OTHER_CALL, ['expiry', 'expiry']), 'FIELD_UNKNOWN')
  for (let n = 1; n < 1_000; n++) {
    assert.equal(refused(`capture ${n}`, `call ${n}`, ['expiry']), 'capture-started')
  }
  assert.equal(refused(OTHER_CAPTURE, OTHER_CALL, ['expiry']), 'TOO_MANY')
})
