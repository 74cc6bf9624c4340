/**
 * The shapes of control's API that the widget reads. The words are those of the wall, so that a new one breaks the
 * build here.
 */
import type { ErrorCode } from '../../src/lib/errors.ts'
import type {
  Brand,
  captureCloseReasons,
  captureModes,
  declineAdvice,
  fieldErrors,
  fieldStates,
} from '../../src/wall/messages.ts'

export type FieldState = (typeof fieldStates)[number]
export type FieldError = (typeof fieldErrors)[number]
export type CaptureMode = (typeof captureModes)[number]
/** The card zone's words, and control's own two: the card zone was lost, or did not confirm the capture in time. */
export type CaptureCloseReason = (typeof captureCloseReasons)[number] | 'lost' | 'not-started'
export type DeclineAdvice = (typeof declineAdvice)[number]
export type { Brand }

export interface Field {
  readonly field: string
  readonly state: FieldState
  readonly count: number
  readonly expected?: number
  readonly brand?: Brand
  readonly lastFour?: string
  readonly error?: FieldError
  /** A key was not clear: the field cannot become valid before it is keyed again. */
  readonly uncertain?: { readonly why: string; readonly at?: number }
}

export interface Capture {
  readonly captureId: string
  readonly callId: string
  readonly state: 'open' | 'closed'
  readonly mode: CaptureMode
  /** It is certain that what the caller keys has no way to the agent. */
  readonly secured?: boolean
  readonly closeReason?: CaptureCloseReason
  readonly fields: readonly Field[]
}

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

export interface Payment {
  readonly paymentId: string
  readonly captureId: string
  readonly orderReference: string
  readonly amountMinor: number
  readonly currency: string
  readonly state: PaymentState
  readonly reference: string
  readonly brand?: Brand
  readonly lastFour?: string
  readonly authCode?: string
  /** One sentence for the agent: what happened and what to do. */
  readonly message: string
  readonly decline?: { readonly advice: DeclineAdvice }
}

/** What the widget may meet when it asks control: control's own codes, and two of the way there. */
export type Refusal = ErrorCode | 'UNREACHABLE' | 'UNEXPECTED'

/** An event of control's stream, as far as the widget uses it. */
export type CallEvent =
  | { readonly type: 'call.started' | 'call.answered' | 'call.ended' | 'keys.dropped' | 'cde.down' | 'cde.up' }
  | { readonly type: 'caller.silent' | 'caller.heard' }
  | { readonly type: 'capture.started'; readonly capture: Capture }
  | { readonly type: 'capture.secured' | 'capture.lost'; readonly captureId: string }
  | { readonly type: 'capture.closed'; readonly captureId: string; readonly reason: CaptureCloseReason }
  | { readonly type: 'capture.field'; readonly captureId: string; readonly field: Field }
  | { readonly type: 'payment.changed'; readonly payment: Payment }
