import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolverLimits } from '../../lib/limits.ts'
import type { Outcome } from '../../wall/messages.ts'
import type { AttemptState } from '../store/schema.ts'
import { type Attempt, type AttemptInput, backOffMs, stepAttempt } from './attempt.ts'

const LAG_MS = 5_000
const T = 1_000_000
const approved: Outcome = { kind: 'approved', gatewayId: 'gw', authCode: 'A', captured: true, amountMinor: 4_250 }
const otherAmount: Outcome = { ...approved, amountMinor: 100 }
const declined: Outcome = { kind: 'declined', code: 'card_declined', advice: 'other_card' }
const unclear: Outcome = { kind: 'unknown', why: 'timeout' }

function attemptIn(state: AttemptState, more: Partial<Attempt> = {}): Attempt {
  const blank = { why: null, step: null, tries: 0, asked_at_ms: null, next_try_at_ms: null, unknown_since_ms: null }
  const rest = { auth_code: null, gateway_id: null, decline_code: null, decline_advice: null }
  return { state, ...blank, ...rest, query_lag_ms: LAG_MS, amount_minor: 4_250, ...more }
}

/** In doubt since T, at a step of the resolver, asked at a time relative to T. */
function inDoubt(step: 'query' | 'reverse' | 'confirm', askedAfterMs = 0): Attempt {
  const times = { unknown_since_ms: T, asked_at_ms: T + askedAfterMs, next_try_at_ms: T + askedAfterMs + 30_000 }
  return attemptIn('UNKNOWN', { why: 'timeout', step, tries: 1, ...times })
}

/** Where an input leads: the state and step, or why it was ignored. */
function after(attempt: Attempt, input: AttemptInput, nowMs = T): string {
  const result = stepAttempt(attempt, input, nowMs)
  if ('ignored' in result) return `ignored ${result.ignored}`
  const next = { ...attempt, ...result.change }
  return next.step === null ? next.state : `${next.state} ${next.step}`
}

test('from SUBMITTING each word of the CDE leads to its state', () => {
  const from = attemptIn('SUBMITTING')
  assert.equal(after(from, { type: 'answered', outcome: approved }), 'APPROVED')
  assert.equal(after(from, { type: 'answered', outcome: declined }), 'DECLINED')
  assert.equal(after(from, { type: 'answered', outcome: { kind: 'not-sent', why: 'throttled' } }), 'NOT_SENT')
  assert.equal(after(from, { type: 'refused', code: 'FIELD_MISSING' }), 'NOT_SENT')
  assert.equal(after(from, { type: 'unsent' }), 'NOT_SENT')
  assert.equal(after(from, { type: 'lost' }), 'UNKNOWN query')
  assert.equal(after(from, { type: 'due' }), 'UNKNOWN query')
  assert.equal(after(from, { type: 'answered', outcome: unclear }), 'UNKNOWN query')
})

test('an approval of another amount is never an approval: it is reversed', () => {
  assert.equal(after(attemptIn('SUBMITTING'), { type: 'answered', outcome: otherAmount }), 'UNKNOWN reverse')
  const found = { type: 'queried', outcome: { kind: 'found', outcome: otherAmount, reversed: false } } as const
  assert.equal(after(inDoubt('query'), found), 'UNKNOWN reverse')
})

test('while the agent only reads "checking", a found approval is the answer', () => {
  const found = { type: 'queried', outcome: { kind: 'found', outcome: approved, reversed: false } } as const
  assert.equal(after(inDoubt('query'), found), 'APPROVED')
  assert.equal(after(inDoubt('query'), { type: 'answered', outcome: approved }), 'APPROVED')
})

test('what the gateway has reversed already is REVERSED, at any step that asks', () => {
  const found = { type: 'queried', outcome: { kind: 'found', outcome: approved, reversed: true } } as const
  assert.equal(after(inDoubt('query'), found), 'REVERSED')
  assert.equal(after(inDoubt('confirm'), found), 'REVERSED')
})

test('a refusal that comes when the attempt is in doubt already proves nothing', () => {
  assert.equal(after(inDoubt('query'), { type: 'refused', code: 'CAPTURE_UNKNOWN' }), 'ignored already-answered')
})

test('once a reversal may be under way, an approval is reversed and not announced', () => {
  const found = { type: 'queried', outcome: { kind: 'found', outcome: approved, reversed: false } } as const
  assert.equal(after(inDoubt('confirm'), found), 'UNKNOWN reverse')
  assert.equal(after(inDoubt('reverse'), { type: 'answered', outcome: approved }), 'UNKNOWN reverse')
  assert.equal(after(inDoubt('confirm'), { type: 'answered', outcome: approved }), 'UNKNOWN reverse')
})

test('an approval that turns up after the agent read that nothing was taken is reversed', () => {
  for (const state of ['DECLINED', 'NOT_SENT', 'REVERSED'] as const) {
    assert.equal(after(attemptIn(state), { type: 'answered', outcome: approved }), 'UNKNOWN reverse', state)
    assert.equal(after(attemptIn(state), { type: 'answered', outcome: unclear }), 'ignored already-answered', state)
  }
})

test('"not found" is evidence only when it was asked after the lag', () => {
  const notFound = { type: 'queried', outcome: { kind: 'not-found' } } as const
  assert.equal(after(inDoubt('query', 0), notFound), 'UNKNOWN query')
  // Asked a moment before the end of the lag, answered long after it: still no evidence.
  assert.equal(after(inDoubt('query', LAG_MS - 1), notFound, T + 10 * LAG_MS), 'UNKNOWN query')
  assert.equal(after(inDoubt('query', LAG_MS), notFound, T + LAG_MS + 10), 'UNKNOWN reverse')
  assert.equal(after(inDoubt('confirm', 3 * LAG_MS), notFound), 'REVERSED')
})

test('a lag is always asked again after its end, even a lag of a day, within the tries', () => {
  const dayMs = 24 * 3_600_000
  let attempt: Attempt = { ...inDoubt('query'), query_lag_ms: dayMs, tries: 0, next_try_at_ms: T }
  let asked = 0
  while (attempt.step === 'query') {
    const nowMs = attempt.next_try_at_ms ?? 0
    for (const input of [{ type: 'due' }, { type: 'queried', outcome: { kind: 'not-found' } }] as const) {
      const result = stepAttempt(attempt, input, nowMs)
      assert.ok('change' in result)
      attempt = { ...attempt, ...result.change }
    }
    asked++
  }
  assert.equal(attempt.step, 'reverse')
  assert.ok(asked < resolverLimits.triesMax / 2, `asked ${asked} times`)
  assert.ok((attempt.asked_at_ms ?? 0) >= T + dayMs)
})

test('a reversal is believed when it is certain, and asked about once more when there was nothing to reverse', () => {
  assert.equal(after(inDoubt('reverse'), { type: 'reversed', outcome: 'reversed' }), 'REVERSED')
  assert.equal(after(inDoubt('reverse'), { type: 'reversed', outcome: 'nothing-to-reverse' }), 'UNKNOWN confirm')
  assert.equal(after(inDoubt('reverse'), { type: 'reversed', outcome: 'unavailable' }), 'UNKNOWN reverse')
  assert.equal(after(inDoubt('confirm'), { type: 'reversed', outcome: 'reversed' }), 'REVERSED')
})

test('a late answer to an earlier question does not count for the present one', () => {
  const notFound = { type: 'queried', outcome: { kind: 'not-found' } } as const
  assert.equal(after(inDoubt('reverse', 9 * LAG_MS), notFound), 'ignored not-asked-for')
  assert.equal(after(inDoubt('query'), { type: 'reversed', outcome: 'nothing-to-reverse' }), 'ignored not-asked-for')
})

test('what confirms that nothing is left to reverse was asked after the reversal, not before it', () => {
  const notFound = { type: 'queried', outcome: { kind: 'not-found' } } as const
  const step = (attempt: Attempt, input: AttemptInput, nowMs: number): Attempt => {
    const result = stepAttempt(attempt, input, nowMs)
    return 'change' in result ? { ...attempt, ...result.change } : attempt
  }
  const confirming = step(inDoubt('reverse', LAG_MS), { type: 'reversed', outcome: 'nothing-to-reverse' }, T + LAG_MS)
  assert.equal(after(confirming, notFound), 'ignored not-asked-for')
  const asked = step(confirming, { type: 'due' }, T + 2 * LAG_MS)
  const unsent = step(asked, { type: 'not-asked' }, T + 2 * LAG_MS)
  assert.equal(after(unsent, notFound), 'ignored not-asked-for')
  assert.equal(after(asked, notFound), 'REVERSED')
})

test('what the gateway itself does not know yet is asked again', () => {
  for (const outcome of [unclear, { kind: 'not-sent', why: 'throttled' }] as const) {
    const found = { type: 'queried', outcome: { kind: 'found', outcome, reversed: false } } as const
    assert.equal(after(inDoubt('query'), found), 'UNKNOWN query')
  }
  assert.equal(after(inDoubt('query'), { type: 'queried', outcome: { kind: 'unavailable' } }), 'UNKNOWN query')
})

test('when the tries are used up a person decides, and no input moves it after that', () => {
  const tired = { ...inDoubt('reverse'), tries: resolverLimits.triesMax }
  assert.equal(after(tired, { type: 'due' }), 'NEEDS_REVIEW')
  const left = attemptIn('NEEDS_REVIEW')
  assert.equal(after(left, { type: 'answered', outcome: approved }), 'ignored left-to-person')
  assert.equal(after(left, { type: 'queried', outcome: { kind: 'not-found' } }), 'ignored not-in-doubt')
  assert.equal(after(left, { type: 'lost' }), 'ignored already-answered')
})

test('an approved attempt is moved by nothing', () => {
  const inputs: AttemptInput[] = [
    { type: 'refused', code: 'CAPTURE_CLOSED' },
    { type: 'unsent' },
    { type: 'lost' },
    { type: 'answered', outcome: declined },
    { type: 'due' },
    { type: 'not-asked' },
    { type: 'queried', outcome: { kind: 'not-found' } },
    { type: 'reversed', outcome: 'reversed' },
  ]
  for (const input of inputs) assert.match(after(attemptIn('APPROVED'), input), /^ignored/, input.type)
})

test('a question that never left counts as no try; one that was asked sets its own time limit', () => {
  const due = stepAttempt({ ...inDoubt('query'), tries: 3 }, { type: 'due' }, T)
  assert.deepEqual(due, { change: { tries: 4, asked_at_ms: T, next_try_at_ms: T + resolverLimits.answerMs } })
  const unasked = stepAttempt({ ...inDoubt('query'), tries: 4 }, { type: 'not-asked' }, T)
  const nextMs = T + resolverLimits.cdeDownRetryMs
  assert.deepEqual(unasked, { change: { tries: 3, asked_at_ms: null, next_try_at_ms: nextMs } })
})

test('the back-off doubles up to its bound', () => {
  assert.deepEqual([1, 2, 3].map(backOffMs), [500, 1_000, 2_000])
  assert.equal(backOffMs(0), 500)
  assert.equal(backOffMs(1_000_000), resolverLimits.delayMsMax)
})
