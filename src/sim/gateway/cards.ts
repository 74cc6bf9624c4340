/**
 * The test cards of the sandbox gateway. All are published test numbers of real gateways; no other number is ever
 * approved. `docs/reference/sandbox-cards.md` is compared with this table in both directions.
 */
export type CardBrand = 'visa' | 'mastercard' | 'amex' | 'discover' | 'diners' | 'jcb' | 'unionpay' | 'maestro'

/** What the gateway does with a charge. Where it says "accepting", the money has moved and the ledger knows it. */
export type CardBehaviour =
  | 'approve'
  | 'approve after 3 s'
  | 'approve half of the amount'
  | 'never answer after accepting'
  | 'answer 500 after accepting'
  | 'reset the connection after accepting'
  | 'reset the connection before accepting'
  | 'answer 429 before accepting'
  | `decline: ${string}`

export interface TestCard {
  readonly number: string
  readonly brand: CardBrand
  readonly behaviour: CardBehaviour
}

export const testCards: readonly TestCard[] = [
  { number: '4242424242424242', brand: 'visa', behaviour: 'approve' },
  { number: '4111111111111111', brand: 'visa', behaviour: 'approve' },
  { number: '4222222222222', brand: 'visa', behaviour: 'approve' },
  { number: '5105105105105100', brand: 'mastercard', behaviour: 'approve' },
  { number: '5555555555554444', brand: 'mastercard', behaviour: 'approve' },
  { number: '2223003122003222', brand: 'mastercard', behaviour: 'approve' },
  { number: '378282246310005', brand: 'amex', behaviour: 'approve' },
  { number: '371449635398431', brand: 'amex', behaviour: 'approve' },
  { number: '6011111111111117', brand: 'discover', behaviour: 'approve' },
  { number: '30569309025904', brand: 'diners', behaviour: 'approve' },
  { number: '3530111333300000', brand: 'jcb', behaviour: 'approve' },
  { number: '6200000000000005', brand: 'unionpay', behaviour: 'approve' },
  { number: '6304000000000000', brand: 'maestro', behaviour: 'approve' },
  { number: '4000000000000002', brand: 'visa', behaviour: 'decline: card_declined' },
  { number: '4000000000009995', brand: 'visa', behaviour: 'decline: insufficient_funds' },
  { number: '4000000000000069', brand: 'visa', behaviour: 'decline: expired_card' },
  { number: '4000000000000127', brand: 'visa', behaviour: 'decline: incorrect_cvc' },
  { number: '4000000000000119', brand: 'visa', behaviour: 'decline: processing_error' },
  { number: '4000000000009987', brand: 'visa', behaviour: 'decline: lost_card' },
  { number: '4000000000009979', brand: 'visa', behaviour: 'decline: stolen_card' },
  { number: '4100000000000019', brand: 'visa', behaviour: 'decline: fraudulent' },
  { number: '4000000000006975', brand: 'visa', behaviour: 'decline: card_velocity_exceeded' },
  { number: '4000000000003220', brand: 'visa', behaviour: 'decline: authentication_required' },
  { number: '4012888888881881', brand: 'visa', behaviour: 'approve after 3 s' },
  { number: '4000056655665556', brand: 'visa', behaviour: 'approve half of the amount' },
  { number: '4000000000000077', brand: 'visa', behaviour: 'never answer after accepting' },
  { number: '4000000000005126', brand: 'visa', behaviour: 'answer 500 after accepting' },
  { number: '4000000000000259', brand: 'visa', behaviour: 'reset the connection after accepting' },
  { number: '4000000000000341', brand: 'visa', behaviour: 'reset the connection before accepting' },
  { number: '4000000000000101', brand: 'visa', behaviour: 'answer 429 before accepting' },
]

/** How long a slow card takes, unless a test says otherwise. */
export const SLOW_MS = 3_000
