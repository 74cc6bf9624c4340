import type { declineAdvice, declineCodes, Outcome } from '../../wall/messages.ts'

export type DeclineCode = (typeof declineCodes)[number]
type Advice = (typeof declineAdvice)[number]

/** What the agent may do after each decline: try the same card, another one, wait, or let it be. */
const advice: Readonly<Record<DeclineCode, Advice>> = {
  insufficient_funds: 'other_card',
  card_declined: 'other_card',
  call_issuer: 'other_card',
  expired_card: 'other_card',
  invalid_number: 'same_card',
  invalid_expiry: 'same_card',
  incorrect_cvc: 'same_card',
  pick_up_card: 'never',
  fraud_suspected: 'never',
  do_not_retry: 'never',
  try_later: 'later',
  issuer_unavailable: 'later',
  limit_exceeded: 'other_card',
  not_permitted: 'other_card',
  authentication_required: 'other_card',
  invalid_amount: 'never',
  currency_unsupported: 'never',
  duplicate: 'never',
  processing_error: 'later',
  config_error: 'later',
}

export function declined(code: DeclineCode): Outcome {
  return { kind: 'declined', code, advice: advice[code] }
}
