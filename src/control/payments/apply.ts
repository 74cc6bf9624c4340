import type { Events, Verdict } from '../events.ts'
import type { Tx } from '../store/open.ts'
import { attemptById, paymentById, updateAttempt } from '../store/payments.ts'
import type { AttemptRow, AttemptState } from '../store/schema.ts'
import { type AttemptInput, stepAttempt } from './attempt.ts'
import { paymentView } from './view.ts'

/**
 * Puts one input to one attempt and writes down what comes of it, in the caller's transaction.
 * @returns the attempt as it is now, or undefined when the input changed nothing (counted)
 */
export async function applyToAttempt(
  tx: Tx,
  events: Events,
  attemptId: string,
  input: AttemptInput,
  nowMs: number,
): Promise<AttemptRow | undefined> {
  const attempt = await attemptById(tx.db, attemptId)
  if (attempt === undefined) {
    events.ignored(`attempt-${input.type}`, 'attempt-unknown')
    return undefined
  }
  const step = stepAttempt(attempt, input, nowMs)
  if ('ignored' in step) {
    events.ignored(`attempt-${input.type}`, step.ignored)
    return undefined
  }
  const moved = step.change.state !== undefined && step.change.state !== attempt.state
  const next: AttemptRow = { ...attempt, ...step.change, updated_at_ms: moved ? nowMs : attempt.updated_at_ms }
  // The transaction that read the row is the only writer, unless another control process shares the store: then all is rolled back.
  if (!(await updateAttempt(tx.db, next))) throw new Error('attempt: changed by another process')
  const after = { ...next, version: next.version + 1 }
  if (moved) await announce(tx, events, after)
  return after
}

async function announce(tx: Tx, events: Events, attempt: AttemptRow): Promise<void> {
  const stored = await paymentById(tx.db, attempt.payment_id)
  if (stored === undefined) return
  await events.paymentChanged(tx, attempt.merchant_id, paymentView(stored), verdictOf(attempt))
}

const verdictResults: Readonly<Record<AttemptState, string | undefined>> = {
  SUBMITTING: undefined,
  UNKNOWN: undefined,
  APPROVED: 'success',
  DECLINED: 'client',
  NOT_SENT: 'upstream',
  REVERSED: 'upstream',
  NEEDS_REVIEW: 'unknown',
}

function verdictOf(attempt: AttemptRow): Verdict | undefined {
  const result = verdictResults[attempt.state]
  return result === undefined ? undefined : { result, reason: attempt.why ?? 'none' }
}
