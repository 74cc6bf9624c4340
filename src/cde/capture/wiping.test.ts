// Every path that ends a field or a capture leaves not one set octet in the memory where the digits were.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bench, CALL, CAPTURE } from './captures.test-kit.ts'

function complete(bench: Bench): void {
  bench.start('field', ['cardNumber', 'expiry', 'securityCode', 'account'])
  bench.enter('cardNumber', '4242424242424242')
  bench.enter('expiry', '1234')
  bench.enter('securityCode', '123')
  bench.enter('account', '123456#')
  assert.ok(!bench.wiped(), 'the digits are there to begin with')
}

const endings: [string, string, (bench: Bench) => void][] = [
  ['cancel', 'cancelled', (bench) => bench.captures.cancel(CAPTURE, bench.nowMs)],
  ['the call ends', 'call-ended', (bench) => bench.captures.callEnded(CALL, bench.nowMs)],
  ['the mask fails', 'mask-failed', (bench) => bench.captures.maskFailed(CALL, bench.nowMs)],
  ['the whole-capture timer', 'timed-out', (bench) => bench.untilTimer()],
  [
    'the gateway has answered',
    'submitted',
    (bench) => {
      bench.captures.submit(CAPTURE)
      bench.captures.finish(CAPTURE)
    },
  ],
]

for (const [name, reason, end] of endings) {
  void test(`wiped when ${name}, after complete and after half a number`, () => {
    const bench = new Bench()
    complete(bench)
    end(bench)
    assert.ok(bench.wiped())
    assert.deepEqual(bench.reports.at(-1), { type: 'capture-closed', captureId: CAPTURE, reason })
    assert.equal(bench.captures.openCaptureOf(CALL), undefined)
    assert.equal(bench.captures.nextWakeAtMs(), undefined)
    assert.equal(bench.captures.submit(CAPTURE), 'CAPTURE_CLOSED')
    if (reason === 'submitted') return
    const half = new Bench({ firstDigitMs: 0, betweenDigitsMs: 0 })
    half.start()
    half.enter('cardNumber', '42424242')
    assert.ok(!half.wiped())
    end(half)
    assert.ok(half.wiped())
    assert.equal(half.reports.at(-1)?.type, 'capture-closed')
  })
}

void test('wiped by reset, by a new request, by the clear key and by a pause', () => {
  const acts: ((bench: Bench) => void)[] = [
    (bench) => bench.captures.reset(CAPTURE, 'cardNumber', bench.nowMs),
    (bench) => bench.captures.reset(CAPTURE, undefined, bench.nowMs),
    (bench) => bench.captures.request(CAPTURE, 'cardNumber', bench.nowMs),
    (bench) => bench.captures.request(CAPTURE, 'expiry', bench.nowMs),
    (bench) => bench.keys('*'),
    (bench) => bench.untilTimer(),
  ]
  for (const act of acts) {
    const bench = new Bench()
    bench.start()
    bench.enter('cardNumber', '42424242')
    act(bench)
    assert.ok(bench.wiped(), act.toString())
    assert.ok(bench.captures.openCaptureOf(CALL), 'the capture itself goes on')
  }
})

void test('a missing field refuses the submit and keeps what was keyed', () => {
  const bench = new Bench()
  bench.start()
  bench.enter('cardNumber', '4242424242424242')
  assert.equal(bench.captures.submit(CAPTURE), 'FIELD_MISSING')
  assert.equal(bench.captures.submit('BBBBBBBBBBBBBBBBBB'), 'CAPTURE_UNKNOWN')
  assert.equal(bench.last('cardNumber')?.state, 'valid')
  assert.ok(!bench.wiped())
})

void test('while the gateway is asked: armed, keys dropped, orders and timers ignored; the caller hanging up closes it', () => {
  const bench = new Bench()
  complete(bench)
  const card = bench.captures.submit(CAPTURE)
  assert.ok(typeof card === 'object')
  assert.deepEqual([card.brand, card.lastFour, card.cardNumber.count], ['visa', '4242', 16])
  assert.deepEqual([...(card.extra?.keys() ?? [])], ['account'])
  assert.equal(bench.captures.openCaptureOf(CALL), CAPTURE)
  assert.equal(bench.captures.submit(CAPTURE), 'CAPTURE_CLOSED')
  const before = bench.reports.length
  bench.captures.cancel(CAPTURE)
  bench.captures.request(CAPTURE, 'cardNumber', bench.nowMs)
  bench.captures.reset(CAPTURE, undefined, bench.nowMs)
  bench.captures.wake(bench.nowMs + 3_600_000)
  assert.equal(bench.reports.length, before)
  assert.equal(bench.captures.counters()['capture_orders_ignored'], 3)
  bench.keys('1')
  assert.equal(bench.reports.at(-1)?.type, 'keys-dropped')
  bench.captures.callEnded(CALL)
  assert.equal(card.cardNumber.count, 16, 'the connector owns the card now: half of it must not be sent')
  bench.captures.finish(CAPTURE)
  assert.deepEqual(bench.reports.at(-1), { type: 'capture-closed', captureId: CAPTURE, reason: 'call-ended' })
})

void test('after a decline another card is taken by a new capture on the same call', () => {
  const bench = new Bench()
  complete(bench)
  bench.captures.submit(CAPTURE)
  bench.captures.finish(CAPTURE)
  const again = 'CCCCCCCCCCCCCCCCCC'
  bench.captures.start({ captureId: again, callId: CALL, fields: ['cardNumber', 'expiry'], mode: 'continuous' }, 9_000)
  bench.keys('51051051051051001234')
  const card = bench.captures.submit(again)
  assert.ok(typeof card === 'object')
  assert.deepEqual([card.brand, card.lastFour, card.securityCode], ['mastercard', '5100', undefined])
})
