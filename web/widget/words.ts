/**
 * The panel's own sentences. One idea each: what happened, and what the agent says or does next.
 * What became of a payment is said by control (`payment.message`).
 */
import type { Brand, FieldError } from './contract.ts'
import type { Notice } from './state.ts'

export const fieldLabels: Readonly<Record<string, string>> = {
  cardNumber: 'Card number',
  expiry: 'Expiry date',
  securityCode: 'Security code',
}

/** `accountNumber` → `Account number`, for fields that a configuration has added. */
export function labelOf(field: string): string {
  const words = field.replaceAll(/([a-z])([A-Z])/g, '$1 $2').replaceAll('-', ' ')
  return fieldLabels[field] ?? words.charAt(0).toUpperCase() + words.slice(1).toLowerCase()
}

/** What the agent asks the caller for, as one says it. */
export const fieldPrompts: Readonly<Record<string, string>> = {
  cardNumber: 'Ask the caller to key the long number on the card.',
  expiry: 'Ask for the expiry date: two digits month, two digits year.',
  securityCode: 'Ask for the security code from the back of the card.',
}
export const promptOf = (field: string): string => fieldPrompts[field] ?? 'Ask the caller to key it, then the hash key.'

export const brandNames: Readonly<Record<Brand, string>> = {
  visa: 'Visa',
  mastercard: 'Mastercard',
  amex: 'American Express',
  discover: 'Discover',
  diners: 'Diners Club',
  jcb: 'JCB',
  unionpay: 'UnionPay',
  maestro: 'Maestro',
}

export const fieldErrorWords: Readonly<Record<FieldError, string>> = {
  'too-short': 'Digits are missing: ask the caller to key all of them again.',
  'too-long': 'There were too many digits: ask the caller to key it once more.',
  'check-digit': 'A digit is wrong: ask the caller to key the number again, slowly.',
  'brand-unknown': 'This kind of card is not taken: ask for another card.',
  'month-invalid': 'The month must be 01 to 12: ask for month, then year, two digits each.',
  expired: 'This date has passed: ask the caller to check it, or for another card.',
  'first-digit-timeout': 'No key was pressed: ask whether the caller has the card at hand.',
  'between-digits-timeout': 'The caller stopped part way: ask them to key it again in one go.',
  'digit-conflict': 'The phone line sent a key twice: ask the caller to key it again, slowly.',
}

export const noticeWords: Partial<Readonly<Record<Notice, string>>> = {
  'capture-lost': 'The card zone was restarted and kept nothing. Please take the card again.',
  'capture-timed-out': 'The time for this card is over and nothing was kept. Please start again.',
  'mask-failed': 'The line could not be kept safe, so nothing was kept. Do not take a card on this call.',
  'charge-unanswered': 'No answer yet. Press Charge again: the card is charged once at most.',
  'currency-unknown': 'This currency is not known here, so nothing can be charged. Please tell your supervisor.',
  UNAUTHORIZED: 'This panel’s permission has run out. Please reopen it.',
  FORBIDDEN: 'This panel belongs to another call.',
  CALL_UNKNOWN: 'This call is not known here.',
  CALL_ENDED: 'The call has ended.',
  CALL_NOT_ANSWERED: 'The call is still ringing.',
  CAPTURE_EXISTS: 'A card is already being taken on this call.',
  CAPTURE_CLOSED: 'That card is finished. Please start again.',
  CAPTURE_UNKNOWN: 'That card is finished. Please start again.',
  FIELD_MISSING: 'Something is still missing: look at the rows above.',
  ORDER_PAID: 'This order is paid already. Nothing more was charged.',
  GATEWAY_ACCOUNT_UNKNOWN: 'This payment account is not set up. Please tell your supervisor.',
  CDE_DOWN: 'The card zone is restarting. No card was kept; try again in a few seconds.',
  TOO_MANY: 'Too many requests just now. Wait a moment, then try again.',
  UNREACHABLE: 'Tonewall cannot be reached just now. Please try again.',
}
export const noticeOf = (notice: Notice): string =>
  noticeWords[notice] ?? 'That did not work. Please try again, or tell your supervisor.'
