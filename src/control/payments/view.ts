/** Payments as the API and the events show them. */
import { isoTime } from '../store/iso-time.ts'
import type { StoredPayment } from '../store/payments.ts'
import { declineSentence, type PaymentState, paymentStateOf, sentenceOf } from './words.ts'

export interface PaymentView {
  paymentId: string
  callId: string
  captureId: string
  orderReference: string
  amountMinor: number
  currency: string
  gatewayAccount: string
  state: PaymentState
  /** One sentence for the agent. */
  message: string
  reference: string
  brand?: string
  lastFour?: string
  authCode?: string
  decline?: { code: string; advice: string; message: string }
  /** Which attempt of its order this is, counted from 1. */
  attempts: number
  createdAt: string
  updatedAt: string
}

export function paymentView({ payment, attempt }: StoredPayment): PaymentView {
  const state = paymentStateOf(attempt.state)
  const decline = state === 'declined' && attempt.decline_code !== null && declineOf(attempt.decline_code, attempt)
  return {
    paymentId: payment.id,
    callId: attempt.call_id,
    captureId: attempt.capture_id,
    orderReference: payment.order_reference,
    amountMinor: attempt.amount_minor,
    currency: attempt.currency,
    gatewayAccount: attempt.gateway_account,
    state,
    message: decline === false ? sentenceOf(state) : decline.message,
    reference: attempt.reference,
    ...(attempt.brand !== null && { brand: attempt.brand }),
    ...(attempt.last_four !== null && { lastFour: attempt.last_four }),
    ...(attempt.auth_code !== null && { authCode: attempt.auth_code }),
    ...(decline !== false && { decline }),
    attempts: payment.attempts,
    createdAt: isoTime(payment.created_at_ms),
    updatedAt: isoTime(attempt.updated_at_ms),
  }
}

function declineOf(code: string, { decline_advice: advice }: { readonly decline_advice: string | null }) {
  return { code, advice: advice ?? 'other_card', message: declineSentence(code) }
}
