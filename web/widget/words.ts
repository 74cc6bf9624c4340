/**
 * The panel's own sentences. One idea each: what happened, and what the agent says or does next.
 * What became of a payment is said by control (`payment.message`).
 */
import type { Brand, Field, FieldError } from './contract.ts'
import type { Link, Notice } from './state.ts'

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

/** What was wrong with a field, and what the agent asks the caller for. */
const fieldErrorWords: Readonly<Record<FieldError, readonly [wrong: string, ask: string]>> = {
  'too-short': ['Digits are missing', 'ask the caller to key all of them.'],
  'too-long': ['There were too many digits', 'ask the caller to key it once more.'],
  'check-digit': ['A digit is wrong', 'ask the caller to key the number slowly.'],
  'brand-unknown': ['This kind of card is not taken', 'ask the caller for another card.'],
  'month-invalid': ['The month must be 01 to 12', 'ask the caller for month, then year, two digits each.'],
  expired: ['This date has passed', 'ask the caller to check it, or for another card.'],
  'first-digit-timeout': ['No key was pressed', 'ask the caller whether the card is at hand.'],
  'between-digits-timeout': ['The caller stopped part way', 'ask the caller to key it in one go.'],
  'uncertain-key': ['One key was not clear', 'ask the caller to key it again, slowly.'],
}

/** While the caller still keys a field that cannot become valid any more. */
export const uncertainSentence = 'One key was not clear. Ask the caller to key it again, slowly.'

/** The caller may be on mute, or gone; or the phone sends nothing in pauses. */
export const callerSilentSentence = 'Nothing is heard from the caller. Ask them to say something.'

/** Until the field is asked for again, the caller's keys go nowhere: then the button comes first. */
export function fieldErrorSentence(field: Field): string {
  const [wrong, ask] = field.error === undefined ? ['It did not work', 'ask the caller.'] : fieldErrorWords[field.error]
  return field.state === 'requested' ? `${wrong}: ${ask}` : `${wrong}. Press Request again, then ${ask}`
}

export const noticeWords: Partial<Readonly<Record<Notice, string>>> = {
  'capture-lost': 'Taking the card was interrupted and nothing was kept. Please take the card again.',
  'capture-timed-out': 'The time for this card is over and nothing was kept. Please start again.',
  'mask-failed': 'The line could not be kept safe, so nothing was kept. Do not take a card on this call.',
  'charge-unanswered': 'No answer yet. Press Charge again: the card is charged once at most.',
  UNAUTHORIZED: 'This panel’s token is wrong or has run out. Please reopen the panel.',
  FORBIDDEN: 'This panel’s token belongs to another call. Please reopen the panel.',
  CALL_UNKNOWN: 'This call is not known here. Please reopen the panel.',
  CALL_ENDED: 'The call has ended.',
  CALL_NOT_ANSWERED: 'The call is still ringing.',
  CAPTURE_EXISTS: 'A card is already being taken on this call.',
  CAPTURE_CLOSED: 'That card is finished. Please start again.',
  CAPTURE_UNKNOWN: 'That card is finished. Please start again.',
  FIELD_MISSING: 'Something is still missing: look at the rows above.',
  ORDER_PAID: 'This order is paid already. Nothing more was charged.',
  GATEWAY_ACCOUNT_UNKNOWN: 'This payment account is not set up. Please tell your supervisor.',
  CDE_DOWN: 'Cards cannot be taken for a moment and none was kept. Try again in a few seconds.',
  TOO_MANY: 'Too many requests just now. Wait a moment, then try again.',
  UNREACHABLE: 'Tonewall cannot be reached just now. Please try again.',
}

/** For as long as the panel is cut off in a way that waiting may not mend. */
export const linkWords: Partial<Readonly<Record<Link, string>>> = {
  unreachable: 'Cannot reach Tonewall at this address (or this page’s origin is not in allowedOrigins).',
  'token-expired': noticeWords.UNAUTHORIZED ?? '',
  'wrong-call': noticeWords.FORBIDDEN ?? '',
  'unknown-call': noticeWords.CALL_UNKNOWN ?? '',
}

export const noticeOf = (notice: Notice): string =>
  noticeWords[notice] ?? 'That did not work. Please try again, or tell your supervisor.'
