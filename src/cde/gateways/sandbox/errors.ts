import type { Outcome } from '../../../wall/messages.ts'
import { type DeclineCode, declined } from '../declines.ts'

/** The sandbox's words for a refused card, and ours. A word we do not know is a plain decline. */
const declineWords: Readonly<Record<string, DeclineCode>> = {
  card_declined: 'card_declined',
  insufficient_funds: 'insufficient_funds',
  expired_card: 'expired_card',
  incorrect_cvc: 'incorrect_cvc',
  processing_error: 'processing_error',
  lost_card: 'pick_up_card',
  stolen_card: 'pick_up_card',
  fraudulent: 'fraud_suspected',
  card_velocity_exceeded: 'limit_exceeded',
  authentication_required: 'authentication_required',
  not_a_test_card: 'invalid_number',
}

/** The sandbox's words for a request that it did not process. Any other is a mistake of ours or of the account. */
const requestWords: Readonly<Record<string, DeclineCode>> = {
  invalid_number: 'invalid_number',
  invalid_expiry: 'invalid_expiry',
  invalid_amount: 'invalid_amount',
  currency_unsupported: 'currency_unsupported',
}

export function declineOf(word: string): Outcome {
  return declined(own(declineWords, word) ?? 'card_declined')
}

/**
 * What an answer other than 200 means for the money (gateways.md 1.8).
 * @param word the gateway's error code, or undefined when its body could not be read
 */
export function failureOf(status: number, word: string | undefined): Outcome {
  if (status >= 500) return { kind: 'unknown', why: 'server-error' }
  // "In progress" and "this reference was used": the first charge may have gone through.
  if (status === 409) return { kind: 'unknown', why: 'in-progress' }
  if (word === undefined) return { kind: 'unknown', why: 'unparseable' }
  if (status === 402) return declineOf(word)
  // The sandbox answers 429 before it looks at the charge; only in these words is that certain.
  if (status === 429 && word === 'throttled') return { kind: 'not-sent', why: 'throttled' }
  if ([400, 401, 403, 404, 415, 422].includes(status)) return declined(own(requestWords, word) ?? 'config_error')
  return { kind: 'unknown', why: 'unparseable' }
}

function own(words: Readonly<Record<string, DeclineCode>>, word: string): DeclineCode | undefined {
  return Object.hasOwn(words, word) ? words[word] : undefined
}
