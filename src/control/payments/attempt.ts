/**
 * One attempt to move money (reference/gateways sections 2 and 3). Pure: (attempt, input, now) → what changes, or why nothing does.
 *
 *   (CREATED) ─► SUBMITTING
 *                  ├── answered(approved, our amount) ──────────────────────────────────► APPROVED
 *                  ├── answered(declined) ──────────────────────────────────────────────► DECLINED ─┐
 *                  ├── refused · unsent · answered(not-sent) ───────────────────────────► NOT_SENT ─┤ late approval (R5):
 *                  └── lost · due · answered(unknown) · answered(another amount) ─► UNKNOWN ◄───────┤ it is reversed
 *                                                                                      │            │
 *   UNKNOWN, step query ── found approved, our amount ─────────────────────────────────┼► APPROVED  │
 *     │                    found declined ─────────────────────────────────────────────┼► DECLINED ─┤
 *     │                    found reversed ─────────────────────────────────────────────┼► REVERSED ─┘
 *     │ not found, asked after the gateway's lag (R4) · found with another amount      │
 *     ▼                                                                                │
 *   UNKNOWN, step reverse ── reversed ─────────────────────────────────────────────────┼► REVERSED
 *     │ nothing to reverse   ▲ found approved                                          │
 *     ▼                      │                                                         │
 *   UNKNOWN, step confirm (queried once more after the lag, R3) ── not found ──────────┼► REVERSED
 *                                                          any step ── tries used up ──┴► NEEDS_REVIEW (a person decides)
 *
 * CREATED is never on disk: the row is first written as SUBMITTING, in the transaction that takes the order and the idempotency key,
 * and that is committed before the order goes over the wall (R1). So after a crash a row in SUBMITTING may or may not have been sent:
 * it becomes UNKNOWN(crash), whatever it looks like.
 *
 * What the agent has been told decides what a found approval means (R5, R6):
 * - UNKNOWN in step query: the agent has only read "checking, do not take the card again". An approval found now is simply the answer.
 * - From the moment that step reverse is written, a reversal may be under way and may take effect late, even if its answer was lost.
 *   An approval found then can vanish again, so it is never announced: it is reversed, and the end is REVERSED.
 * - DECLINED, NOT_SENT and REVERSED told the agent that nothing was taken; another card may have been charged since. An approval
 *   that turns up is reversed: back to UNKNOWN(late-approval), step reverse.
 * - APPROVED and NEEDS_REVIEW move by no machine input: a person or a later refund does that.
 * "Not found" before the lag is over proves nothing. "Nothing to reverse" is asked once more after the lag, because a charge that was
 * still travelling when we reversed would otherwise stand unrecorded. Only the answer to that last query counts there: until it is asked,
 * `asked_at_ms` is empty, and after that no older query is under way, because an exchange is shorter than the time between two tries.
 */
import { resolverLimits } from '../../lib/limits.ts'
import type { Outcome, QueryOutcome, ReverseOutcome } from '../../wall/messages.ts'
import type { AttemptRow, AttemptState } from '../store/schema.ts'

/** The columns that the machine reads and moves. */
export type Attempt = Pick<
  AttemptRow,
  | 'state'
  | 'why'
  | 'step'
  | 'tries'
  | 'asked_at_ms'
  | 'next_try_at_ms'
  | 'unknown_since_ms'
  | 'query_lag_ms'
  | 'amount_minor'
  | 'auth_code'
  | 'gateway_id'
  | 'decline_code'
  | 'decline_advice'
>

export type AttemptInput =
  /** The CDE refused the submit order: the card never left. */
  | { readonly type: 'refused'; readonly code: string }
  /** The submit order could not be given to the wall. */
  | { readonly type: 'unsent' }
  /** The CDE or control died with the attempt under way. */
  | { readonly type: 'lost' }
  | { readonly type: 'answered'; readonly outcome: Outcome }
  /** The time of the next try has come, or the CDE has not answered a submit order for far too long. */
  | { readonly type: 'due' }
  /** The query or reversal could not be given to the wall. */
  | { readonly type: 'not-asked' }
  | { readonly type: 'queried'; readonly outcome: QueryOutcome }
  | { readonly type: 'reversed'; readonly outcome: ReverseOutcome }

/** Why an input changed nothing. */
export type Ignored = 'already-answered' | 'not-in-doubt' | 'not-asked-for' | 'left-to-resolver' | 'left-to-person'

export type Step = { readonly change: Partial<Attempt> } | { readonly ignored: Ignored }

const legalMoves: Readonly<Record<AttemptState, readonly AttemptState[]>> = {
  SUBMITTING: ['APPROVED', 'DECLINED', 'NOT_SENT', 'UNKNOWN'],
  UNKNOWN: ['UNKNOWN', 'APPROVED', 'DECLINED', 'REVERSED', 'NEEDS_REVIEW'],
  DECLINED: ['UNKNOWN'],
  NOT_SENT: ['UNKNOWN'],
  REVERSED: ['UNKNOWN'],
  APPROVED: [],
  NEEDS_REVIEW: [],
}

/** The states that told the agent that nothing was taken. */
const toldFailed: ReadonlySet<AttemptState> = new Set(['DECLINED', 'NOT_SENT', 'REVERSED'])

/**
 * @param nowMs wall-clock ms
 * @throws Error on a move that the drawing does not have (a fault in this file)
 */
export function stepAttempt(attempt: Attempt, input: AttemptInput, nowMs: number): Step {
  const result = dispatch(attempt, input, nowMs)
  if ('change' in result) {
    const to = result.change.state ?? attempt.state
    if (!legalMoves[attempt.state].includes(to)) throw new Error(`attempt: no way from ${attempt.state} to ${to}`)
  }
  return result
}

function dispatch(attempt: Attempt, input: AttemptInput, nowMs: number): Step {
  switch (input.type) {
    case 'refused':
    case 'unsent': {
      if (attempt.state !== 'SUBMITTING') return { ignored: 'already-answered' }
      return end('NOT_SENT', input.type === 'unsent' ? 'cde-down' : `refused-${wordOf(input.code)}`)
    }
    case 'lost':
      return attempt.state === 'SUBMITTING' ? doubt('crash', nowMs) : { ignored: 'already-answered' }
    case 'answered':
      return answered(attempt, input.outcome, nowMs)
    case 'due':
      return due(attempt, nowMs)
    case 'not-asked': {
      if (attempt.state !== 'UNKNOWN') return { ignored: 'not-in-doubt' }
      // It never left, so it does not count as a try.
      const next = { next_try_at_ms: nowMs + resolverLimits.cdeDownRetryMs }
      return { change: { tries: attempt.tries - 1, asked_at_ms: null, ...next } }
    }
    case 'queried':
      return queried(attempt, input.outcome, nowMs)
    case 'reversed':
      return reversed(attempt, input.outcome, nowMs)
  }
}

function answered(attempt: Attempt, outcome: Outcome, nowMs: number): Step {
  if (attempt.state === 'APPROVED') return { ignored: 'already-answered' }
  if (attempt.state === 'NEEDS_REVIEW') return { ignored: 'left-to-person' }
  if (toldFailed.has(attempt.state)) {
    return outcome.kind === 'approved' ? doubt('late-approval', nowMs, 'reverse') : { ignored: 'already-answered' }
  }
  const inDoubt = attempt.state === 'UNKNOWN'
  switch (outcome.kind) {
    case 'approved': {
      if (outcome.amountMinor === attempt.amount_minor && (!inDoubt || attempt.step === 'query'))
        return approve(outcome)
      return inDoubt ? reverseNow(nowMs) : doubt('amount-differs', nowMs, 'reverse')
    }
    case 'declined':
      return decline(outcome)
    case 'not-sent':
      return inDoubt ? { ignored: 'left-to-resolver' } : end('NOT_SENT', outcome.why)
    case 'unknown':
      return inDoubt ? { ignored: 'left-to-resolver' } : doubt(outcome.why, nowMs)
  }
}

function due(attempt: Attempt, nowMs: number): Step {
  if (attempt.state === 'SUBMITTING') return doubt('no-answer', nowMs)
  if (attempt.state !== 'UNKNOWN') return { ignored: 'not-in-doubt' }
  if (attempt.tries >= resolverLimits.triesMax) return end('NEEDS_REVIEW', 'tries-used-up')
  // The next try is also the time limit of this one: an answer that never comes is asked for again.
  return { change: { tries: attempt.tries + 1, asked_at_ms: nowMs, next_try_at_ms: nowMs + resolverLimits.answerMs } }
}

function queried(attempt: Attempt, outcome: QueryOutcome, nowMs: number): Step {
  if (attempt.state !== 'UNKNOWN') return { ignored: 'not-in-doubt' }
  if (attempt.step === 'reverse') return { ignored: 'not-asked-for' }
  // The answer to a query from before the reversal: it says nothing about what came after it.
  if (attempt.step === 'confirm' && attempt.asked_at_ms === null) return { ignored: 'not-asked-for' }
  if (outcome.kind === 'unavailable') return later(attempt, nowMs)
  if (outcome.kind === 'not-found') return notFound(attempt, nowMs)
  const { outcome: found } = outcome
  if (found.kind === 'declined') return decline(found)
  if (found.kind !== 'approved') return later(attempt, nowMs)
  if (outcome.reversed) return end('REVERSED', 'found-reversed')
  if (attempt.step === 'query' && found.amountMinor === attempt.amount_minor) return approve(found)
  return reverseNow(nowMs)
}

function notFound(attempt: Attempt, nowMs: number): Step {
  if (attempt.step === 'confirm') return end('REVERSED', 'not-found-after-reversal')
  const windowEndsAtMs = (attempt.unknown_since_ms ?? nowMs) + attempt.query_lag_ms
  // What counts is when we asked, not when the answer came.
  if ((attempt.asked_at_ms ?? 0) >= windowEndsAtMs) return reverseNow(nowMs)
  // A tenth of the lag at least, so that even a lag of a day leaves tries for what comes after it.
  const nextMs = nowMs + Math.max(backOffMs(attempt.tries), attempt.query_lag_ms / 10)
  return { change: { next_try_at_ms: Math.max(nowMs, Math.min(Math.ceil(nextMs), windowEndsAtMs)) } }
}

function reversed(attempt: Attempt, outcome: ReverseOutcome, nowMs: number): Step {
  if (attempt.state !== 'UNKNOWN') return { ignored: 'not-in-doubt' }
  if (attempt.step === 'query') return { ignored: 'not-asked-for' }
  if (outcome === 'reversed') return end('REVERSED', 'reversed')
  if (attempt.step === 'confirm') return { ignored: 'not-asked-for' }
  if (outcome === 'unavailable') return later(attempt, nowMs)
  return { change: { step: 'confirm', asked_at_ms: null, next_try_at_ms: nowMs + attempt.query_lag_ms } }
}

function doubt(why: string, nowMs: number, step: 'query' | 'reverse' = 'query'): Step {
  const clock = { unknown_since_ms: nowMs, asked_at_ms: null, next_try_at_ms: nowMs }
  return { change: { state: 'UNKNOWN', why, step, tries: 0, ...clock } }
}

function reverseNow(nowMs: number): Step {
  return { change: { step: 'reverse', next_try_at_ms: nowMs } }
}

function later(attempt: Attempt, nowMs: number): Step {
  return { change: { next_try_at_ms: nowMs + backOffMs(attempt.tries) } }
}

/** Doubles from the first delay up to a bound. @param tries how often the gateway has been asked, 1 or more */
export function backOffMs(tries: number): number {
  const exponent = Math.min(Math.max(tries - 1, 0), 30)
  return Math.min(resolverLimits.firstDelayMs * 2 ** exponent, resolverLimits.delayMsMax)
}

function end(state: 'NOT_SENT' | 'REVERSED' | 'NEEDS_REVIEW', why: string): Step {
  return { change: { state, why, step: null, next_try_at_ms: null } }
}

function approve(outcome: Extract<Outcome, { kind: 'approved' }>): Step {
  const { gatewayId, authCode } = outcome
  const rest = { why: 'approved', step: null, next_try_at_ms: null }
  return { change: { state: 'APPROVED', gateway_id: gatewayId, auth_code: authCode ?? null, ...rest } }
}

function decline(outcome: Extract<Outcome, { kind: 'declined' }>): Step {
  const { code, advice } = outcome
  const rest = { why: wordOf(code), step: null, next_try_at_ms: null }
  return { change: { state: 'DECLINED', decline_code: code, decline_advice: advice, ...rest } }
}

/** Codes as words of one form: `FIELD_MISSING` and `card_declined` become `field-missing` and `card-declined`. */
function wordOf(code: string): string {
  return code.toLowerCase().replaceAll('_', '-')
}
