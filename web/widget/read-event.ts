/** One event of control's stream, checked as far as the panel relies on it. */
import { type CallEvent, type Capture, type Field, type Payment, paymentStates } from './contract.ts'
import type { ServerEvent } from './sse.ts'

type Data = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is Data => typeof value === 'object' && value !== null

/** @returns undefined for events that the panel does not know: a newer control may send more */
export function readEvent(event: ServerEvent): CallEvent | undefined {
  const data = parse(event.data)
  if (data === undefined) return undefined
  const captureId = typeof data['captureId'] === 'string' ? data['captureId'] : undefined
  switch (event.event) {
    case 'call.started':
    case 'call.answered':
    case 'call.ended':
    case 'keys.dropped':
    case 'caller.silent':
    case 'caller.heard':
    case 'cde.down':
    case 'cde.up':
      return { type: event.event }
    case 'capture.started':
      return isCapture(data['capture']) ? { type: event.event, capture: data['capture'] } : undefined
    case 'capture.secured':
    case 'capture.lost':
      return captureId === undefined ? undefined : { type: event.event, captureId }
    case 'capture.closed':
      return captureId === undefined ? undefined : { type: event.event, captureId, reason: reasonOf(data) }
    case 'capture.field':
      return captureId === undefined || !isField(data['field'])
        ? undefined
        : { type: event.event, captureId, field: data['field'] }
    case 'payment.changed':
      return isPayment(data['payment']) ? { type: event.event, payment: data['payment'] } : undefined
    default:
      return undefined
  }
}

function parse(text: string): Data | undefined {
  try {
    const data: unknown = JSON.parse(text)
    return isObject(data) ? data : undefined
  } catch {
    return undefined
  }
}

function reasonOf(data: Data): NonNullable<Capture['closeReason']> {
  const reason = data['reason']
  switch (reason) {
    case 'submitted':
    case 'call-ended':
    case 'timed-out':
    case 'mask-failed':
    case 'lost':
    case 'not-started':
      return reason
    default:
      return 'cancelled'
  }
}

function isField(value: unknown): value is Field {
  return (
    isObject(value) &&
    typeof value['field'] === 'string' &&
    typeof value['state'] === 'string' &&
    typeof value['count'] === 'number'
  )
}

/** Also for answers of the API: enough of a capture for the panel to stand on. */
export function isCapture(value: unknown): value is Capture {
  return (
    isObject(value) &&
    typeof value['captureId'] === 'string' &&
    typeof value['mode'] === 'string' &&
    Array.isArray(value['fields']) &&
    value['fields'].every(isField)
  )
}

/** Also for answers of the API. */
export function isPayment(value: unknown): value is Payment {
  return (
    isObject(value) &&
    typeof value['paymentId'] === 'string' &&
    typeof value['message'] === 'string' &&
    paymentStates.some((state) => state === value['state'])
  )
}
