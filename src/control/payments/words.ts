/** What the agent reads: one short sentence that says what happened and what to do. No gateway text ever reaches the agent. */
import type { AttemptState } from '../store/schema.ts'

/** The state of a payment as the API names it. */
export const paymentStates = [
  'submitting',
  'approved',
  'declined',
  'checking',
  'not-sent',
  'reversed',
  'needs-review',
] as const
export type PaymentState = (typeof paymentStates)[number]

const stateWords: Readonly<Record<AttemptState, PaymentState>> = {
  SUBMITTING: 'submitting',
  APPROVED: 'approved',
  DECLINED: 'declined',
  NOT_SENT: 'not-sent',
  UNKNOWN: 'checking',
  REVERSED: 'reversed',
  NEEDS_REVIEW: 'needs-review',
}

export function paymentStateOf(state: AttemptState): PaymentState {
  return stateWords[state]
}

const CHECKING = 'Checking with the bank. Do not take the card again.'

const stateSentences: Readonly<Record<PaymentState, string>> = {
  submitting: 'Sending the payment.',
  approved: 'Approved.',
  declined: 'Declined.',
  checking: CHECKING,
  'not-sent': 'The payment service cannot be reached. Nothing was taken. Try later.',
  reversed: 'The payment did not go through and nothing was taken. You may take the card again.',
  'needs-review': `${CHECKING} A supervisor will look into it.`,
}

export function sentenceOf(state: PaymentState): string {
  return stateSentences[state]
}

const declineSentences: Readonly<Record<string, string>> = {
  insufficient_funds: 'Not enough money on this card. Ask for another card.',
  card_declined: 'The bank declined the card. Ask for another card.',
  call_issuer: 'The bank wants to speak to the card holder. Ask for another card, or to call the bank.',
  expired_card: 'The card has expired. Ask for another card.',
  invalid_number: 'The card number is not right. Take it again.',
  invalid_expiry: 'The expiry date is not right. Take it again.',
  incorrect_cvc: 'The security code is not right. Take the card again.',
  pick_up_card: 'The bank declined the card. Ask for another card.',
  fraud_suspected: 'The bank declined the card. Ask for another card.',
  do_not_retry: 'The bank declined the card for good. Ask for another card.',
  try_later: 'The bank asks to try again later.',
  issuer_unavailable: 'The bank cannot be reached. Try again later, or ask for another card.',
  limit_exceeded: "The card's limit is reached. Ask for another card.",
  not_permitted: 'This card cannot be used for payments by telephone. Ask for another card.',
  authentication_required:
    'The bank wants the card holder to sign in, which a telephone payment cannot do. Ask for another card.',
  invalid_amount: 'The amount is not accepted. Check the amount.',
  currency_unsupported: 'The card or the account does not take this currency.',
  duplicate: 'The gateway took this for a repeated payment. Check the list of payments first.',
  processing_error: 'The bank could not process the card. Take it again, or ask for another card.',
  config_error: 'The payment account is not set up for this. Tell your supervisor.',
}

export function declineSentence(code: string): string {
  return declineSentences[code] ?? stateSentences.declined
}
