/**
 * What the agent's panel knows, and how it learns. No DOM, no clock, no network: (panel, action) → panel.
 *
 *            request                    all valid, charge                 gateway's word
 *    ready ───────────▶ taking the card ────────────────▶ charging ──────────────────────▶ approved
 *      ▲   ◀───────────       │                              │  └─────────────────────────▶ declined ──┐
 *      │     cancel, lost     │ call ends                    ▼                                         │
 *      │                      ▼                           checking (do not take the card again)        │
 *      │                   call ended                                                                  │
 *      └────────────────────────────────────────────────────────────────────────────── take a card again
 *
 * The truth is the event stream: an answer to an order may arrive after events that are younger than it, so
 * answers only
 * tell what the stream has not told yet.
 */
import type { CallEvent, Capture, CaptureMode, Field, Payment, Refusal } from './contract.ts'

/**
 * `unreachable`: not reached since the panel was opened, so the address or the origin may be wrong. The last three need
 * other attributes.
 */
export type Link = 'connecting' | 'live' | 'lost' | 'unreachable' | 'token-expired' | 'wrong-call' | 'unknown-call'
export type CallState = 'unknown' | 'ringing' | 'answered' | 'ended'
/** An order that was sent and not answered yet. */
export type Busy = 'none' | 'opening' | 'charging' | 'cancelling'
/** What went wrong last; the sentences are in words.ts. */
export type Notice = Refusal | 'capture-lost' | 'capture-timed-out' | 'mask-failed' | 'charge-unanswered'

export interface PanelCapture {
  readonly captureId: string
  readonly mode: CaptureMode
  readonly open: boolean
  /** It is certain that what the caller keys has no way to the agent. */
  readonly secured: boolean
  readonly fields: readonly Field[]
}

export interface Panel {
  readonly orderReference: string
  readonly link: Link
  readonly cardZone: 'up' | 'down'
  readonly call: CallState
  readonly mode: CaptureMode
  readonly capture: PanelCapture | undefined
  readonly payment: Payment | undefined
  /** A declined payment that the agent has put aside; its late events are not shown again. */
  readonly putAside: string | undefined
  readonly busy: Busy
  readonly notice: Notice | undefined
  /** While a capture is open: nothing has come from the caller for a while. */
  readonly callerSilent: boolean
  readonly confirmingCancel: boolean
}

export type Action =
  | { readonly type: 'event'; readonly event: CallEvent }
  | { readonly type: 'link'; readonly link: Link }
  | { readonly type: 'call'; readonly call: CallState }
  | { readonly type: 'mode'; readonly mode: CaptureMode }
  | { readonly type: 'busy'; readonly busy: Busy }
  | { readonly type: 'opened'; readonly capture: Capture }
  | { readonly type: 'paid'; readonly payment: Payment }
  | { readonly type: 'refused'; readonly notice: Notice }
  | { readonly type: 'confirm-cancel'; readonly open: boolean }
  | { readonly type: 'again' }

export const defaultFields = ['cardNumber', 'expiry', 'securityCode'] as const

const idle = (field: string): Field => ({ field, state: 'idle', count: 0 })

/** The panel before it has heard anything. */
export function emptyPanel(orderReference: string): Panel {
  return {
    orderReference,
    link: 'connecting',
    cardZone: 'up',
    call: 'unknown',
    mode: 'field',
    capture: undefined,
    payment: undefined,
    putAside: undefined,
    busy: 'none',
    notice: undefined,
    callerSilent: false,
    confirmingCancel: false,
  }
}

/** The one way in which a panel changes. */
export function reduce(panel: Panel, action: Action): Panel {
  switch (action.type) {
    case 'event':
      return heard(panel, action.event)
    case 'link':
      return { ...panel, link: action.link }
    case 'call':
      return panel.call === 'unknown' ? { ...panel, call: action.call } : panel
    case 'mode':
      return isTaking(panel) ? panel : { ...panel, mode: action.mode }
    case 'busy':
      return { ...panel, busy: action.busy, notice: undefined, confirmingCancel: false }
    case 'opened':
      return { ...opened(panel, action.capture), busy: 'none' }
    case 'paid':
      return { ...paid(panel, action.payment, 'answer'), busy: 'none' }
    case 'refused':
      return { ...panel, busy: 'none', notice: action.notice, confirmingCancel: false }
    case 'confirm-cancel':
      return { ...panel, confirmingCancel: action.open && isTaking(panel) }
    case 'again':
      return canTakeAgain(panel) ? again(panel) : panel
  }
}

/** What was never sent may have left its capture open: then the card is still there and can be charged once more. */
function again(panel: Panel): Panel {
  const inHand = panel.payment?.state === 'not-sent' && panel.capture?.open === true
  const capture = inHand ? panel.capture : undefined
  return { ...panel, capture, payment: undefined, putAside: panel.payment?.paymentId, notice: undefined }
}

function heard(panel: Panel, event: CallEvent): Panel {
  switch (event.type) {
    case 'call.started':
      return { ...panel, call: 'ringing' }
    case 'call.answered':
      return { ...panel, call: 'answered' }
    case 'call.ended':
      return { ...panel, call: 'ended', busy: panel.busy === 'charging' ? 'charging' : 'none', confirmingCancel: false }
    case 'keys.dropped':
      return panel
    case 'caller.silent':
      return { ...panel, callerSilent: isTaking(panel) }
    case 'caller.heard':
      return { ...panel, callerSilent: false }
    case 'cde.down':
      return { ...panel, cardZone: 'down', confirmingCancel: false }
    case 'cde.up':
      return { ...panel, cardZone: 'up' }
    case 'capture.started':
      return panel.capture?.captureId === event.capture.captureId
        ? panel
        : opened({ ...panel, notice: undefined, callerSilent: false }, event.capture)
    case 'capture.secured':
      return panel.capture?.captureId === event.captureId
        ? { ...panel, capture: { ...panel.capture, secured: true } }
        : panel
    case 'capture.field':
      return fieldChanged(panel, event.captureId, event.field)
    case 'capture.closed':
      return closed(panel, event.captureId, event.reason)
    case 'capture.lost':
      return panel.capture?.captureId === event.captureId && panel.busy !== 'charging'
        ? { ...panel, capture: undefined, busy: 'none', notice: 'capture-lost', confirmingCancel: false }
        : panel
    case 'payment.changed':
      return paid(panel, event.payment, 'stream')
  }
}

/** A capture of our call was started, here or by another program that holds the call. */
function opened(panel: Panel, capture: Capture): Panel {
  if (panel.capture?.captureId === capture.captureId) {
    // The stream was faster with the states; only the answer knows which fields this capture has.
    const known = new Map(panel.capture.fields.map((field) => [field.field, field]))
    const fields = capture.fields.map((field) => {
      const heardField = known.get(field.field)
      return heardField === undefined || heardField.state === 'idle' ? field : heardField
    })
    const secured = panel.capture.secured || capture.secured === true
    return { ...panel, mode: capture.mode, capture: { ...panel.capture, mode: capture.mode, fields, secured } }
  }
  const { captureId, mode, fields } = capture
  return {
    ...panel,
    mode,
    payment: undefined,
    capture: { captureId, mode, fields, open: capture.state === 'open', secured: capture.secured === true },
  }
}

function fieldChanged(panel: Panel, captureId: string, field: Field): Panel {
  if (panel.capture?.captureId !== captureId) return panel
  const old = panel.capture.fields.find((other) => other.field === field.field)
  // In one go, a field with an error is asked for again at once: the agent must still see what was wrong.
  const repeats = panel.mode === 'continuous' && field.state === 'requested' && old?.error !== undefined
  const shown = repeats ? { ...field, error: old.error } : field
  const fields =
    old === undefined
      ? [...panel.capture.fields, shown]
      : panel.capture.fields.map((other) => (other.field === field.field ? shown : other))
  return { ...panel, notice: undefined, capture: { ...panel.capture, fields } }
}

function closed(panel: Panel, captureId: string, reason: Capture['closeReason']): Panel {
  if (panel.capture?.captureId !== captureId) return panel
  // The card has gone to the gateway: the rows stay until the payment has its word.
  if (reason === 'submitted' && (panel.payment !== undefined || panel.busy === 'charging')) {
    return { ...panel, capture: { ...panel.capture, open: false } }
  }
  const notice = reason === 'timed-out' ? 'capture-timed-out' : reason === 'mask-failed' ? 'mask-failed' : undefined
  return { ...panel, capture: undefined, busy: 'none', confirmingCancel: false, notice }
}

function paid(panel: Panel, payment: Payment, source: 'stream' | 'answer'): Panel {
  // Without a reference no payment is ours: a call may pay several orders, and another's result must not be shown.
  const ours = panel.orderReference !== '' && payment.orderReference === panel.orderReference
  if (!ours || payment.paymentId === panel.putAside) return panel
  const known = panel.payment?.paymentId === payment.paymentId
  if (known && source === 'answer') return panel
  // A capture that is open now is younger than any payment of another capture.
  if (panel.capture?.open === true && panel.capture.captureId !== payment.captureId) return panel
  return { ...panel, payment, busy: 'none', notice: undefined, confirmingCancel: false }
}

/** A capture is open and nothing has been sent: it can be cancelled. */
export function isTaking(panel: Panel): boolean {
  return panel.capture?.open === true && panel.payment === undefined && panel.busy !== 'charging'
}

/** A payment that took no money and may be tried with a card once more. */
export function canTakeAgain(panel: Panel): boolean {
  const state = panel.payment?.state
  return state === 'declined' || state === 'not-sent' || state === 'reversed'
}

/** Orders reach the card zone and the call can be heard. */
export function canOrder(panel: Panel): boolean {
  return panel.call === 'answered' && panel.cardZone === 'up' && panel.link === 'live'
}

export function allValid(panel: Panel): boolean {
  return isTaking(panel) && panel.capture?.fields.every((field) => field.state === 'valid') === true
}

/** The rows to show: those of the capture, or the usual three before it exists. */
export function rows(panel: Panel): readonly Field[] {
  return panel.capture?.fields ?? defaultFields.map(idle)
}

/** The caller may key now: what they press goes into a field. */
export function openField(panel: Panel): Field | undefined {
  return isTaking(panel)
    ? panel.capture?.fields.find((field) => field.state === 'requested' || field.state === 'collecting')
    : undefined
}

export type Screen =
  | 'card'
  | 'charging'
  | 'approved'
  | 'declined'
  | 'checking'
  | 'not-sent'
  | 'reversed'
  | 'needs-review'

/** Which of the panel's faces is shown. */
export function screenOf(panel: Panel): Screen {
  if (panel.notice === 'PAYMENT_IN_DOUBT') return 'checking'
  if (panel.payment === undefined) return panel.busy === 'charging' ? 'charging' : 'card'
  return panel.payment.state === 'submitting' ? 'charging' : panel.payment.state
}
