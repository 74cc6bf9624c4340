/**
 * The tables, as kysely sees them. Times are wall-clock milliseconds in integers, never text (13 decimal digits look like a card number);
 * money is integer minor units; hashes are letters (letters.ts). Every row of business carries its merchant.
 */
import type { Insertable, Selectable } from 'kysely'

export interface PartnerTable {
  id: string
  name: string
}

export interface MerchantTable {
  id: string
  partner_id: string
  name: string
}

export interface NumberTable {
  id: string
  merchant_id: string
  active: number
}

export interface GatewayAccountTable {
  account: string
  merchant_id: string
  query_lag_ms: number
  position: number
  active: number
}

export interface ApiKeyTable {
  merchant_id: string
  name: string
  secret_hash: string
}

export interface WidgetTokenTable {
  id: string
  merchant_id: string
  call_id: string
  secret_hash: string
  expires_at_ms: number
}

export interface CallTable {
  id: string
  merchant_id: string
  number_id: string
  state: 'ringing' | 'answered' | 'ended'
  /** JSON array of {name, value}. */
  headers: string
  result: string | null
  reason: string | null
  started_at_ms: number
  answered_at_ms: number | null
  ended_at_ms: number | null
  /** JSON of the last `CallQualityReport`. */
  quality: string | null
}

export interface CaptureTable {
  id: string
  merchant_id: string
  call_id: string
  mode: 'field' | 'continuous'
  /** `starting` until the CDE has confirmed. */
  state: 'starting' | 'open' | 'closed'
  close_reason: string | null
  created_at_ms: number
  closed_at_ms: number | null
  /** 1 once it is certain that no packet of the caller has another way than the masked one. */
  secured: 0 | 1
}

export interface CaptureFieldTable {
  capture_id: string
  merchant_id: string
  name: string
  position: number
  state: 'idle' | 'requested' | 'collecting' | 'valid' | 'error'
  count: number
  expected: number | null
  brand: string | null
  last_four: string | null
  error: string | null
  /** Why a key of this field was not clear; null when all were. */
  uncertain: string | null
  /** Which key that was, counted from 1, when known. */
  uncertain_at: number | null
}

/** One order of a merchant: counts its attempts, and so decides between two that are made at the same moment. */
export interface MerchantOrderTable {
  merchant_id: string
  reference: string
  attempts: number
}

/** One wish to take money for an order. */
export interface PaymentTable {
  id: string
  merchant_id: string
  order_reference: string
  /** Which attempt of the order it is, counted from 1. */
  attempts: number
  latest_attempt_id: string
  created_at_ms: number
}

export type AttemptState = 'SUBMITTING' | 'APPROVED' | 'DECLINED' | 'NOT_SENT' | 'UNKNOWN' | 'REVERSED' | 'NEEDS_REVIEW'

export interface AttemptTable {
  id: string
  merchant_id: string
  payment_id: string
  call_id: string
  capture_id: string
  gateway_account: string
  /** What the gateway knows the attempt by; made by us before anything is sent. */
  reference: string
  amount_minor: number
  currency: string
  brand: string | null
  last_four: string | null
  state: AttemptState
  /** Why the attempt is where it is: one word. */
  why: string | null
  auth_code: string | null
  gateway_id: string | null
  decline_code: string | null
  decline_advice: string | null
  step: 'query' | 'reverse' | 'confirm' | null
  tries: number
  asked_at_ms: number | null
  next_try_at_ms: number | null
  unknown_since_ms: number | null
  query_lag_ms: number
  /** Counts the changes; every update names the version it read (compare and set). */
  version: number
  created_at_ms: number
  updated_at_ms: number
}

export interface IdempotencyTable {
  scope: string
  key_hash: string
  fingerprint: string
  status: number
  /** The JSON body that was answered. */
  response: string
  created_at_ms: number
}

export interface EventTable {
  seq: number
  merchant_id: string
  call_id: string | null
  type: string
  at_ms: number
  /** JSON object without seq, at, type, callId. */
  data: string
}

export interface CounterTable {
  name: string
  last: number
}

export interface Tables {
  partner: PartnerTable
  merchant: MerchantTable
  number: NumberTable
  gateway_account: GatewayAccountTable
  api_key: ApiKeyTable
  widget_token: WidgetTokenTable
  call: CallTable
  capture: CaptureTable
  capture_field: CaptureFieldTable
  merchant_order: MerchantOrderTable
  payment: PaymentTable
  attempt: AttemptTable
  idempotency: IdempotencyTable
  event: EventTable
  counter: CounterTable
}

export type CallRow = Selectable<CallTable>
export type CaptureRow = Selectable<CaptureTable>
export type CaptureFieldRow = Selectable<CaptureFieldTable>
export type PaymentRow = Selectable<PaymentTable>
export type AttemptRow = Selectable<AttemptTable>
export type EventRow = Selectable<EventTable>
export type NewAttempt = Insertable<AttemptTable>
