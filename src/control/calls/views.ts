/** Calls and captures as the API and the events show them. */
import type { StoredCapture } from '../store/captures.ts'
import { isoTime } from '../store/iso-time.ts'
import type { CallRow, CaptureFieldRow } from '../store/schema.ts'
import type { CallQualityReport } from '../../wall/call-quality.ts'
import { callQualityView, type CallQualityView } from './quality.ts'

export interface CallView {
  callId: string
  number: string
  state: 'ringing' | 'answered' | 'ended'
  headers: { name: string; value: string }[]
  /** The capture that is open on the call. */
  captureId?: string
  result?: string
  reason?: string
  startedAt: string
  answeredAt?: string
  endedAt?: string
  /** So far, or at its end. */
  quality?: CallQualityView
}

export interface FieldView {
  field: string
  state: 'idle' | 'requested' | 'collecting' | 'valid' | 'error'
  count: number
  expected?: number
  brand?: string
  lastFour?: string
  error?: string
  uncertain?: { why: string; at?: number }
}

export interface CaptureView {
  captureId: string
  callId: string
  state: 'open' | 'closed'
  mode: 'field' | 'continuous'
  secured: boolean
  closeReason?: string
  fields: FieldView[]
}

export function callView(call: CallRow, captureId?: string): CallView {
  return {
    callId: call.id,
    number: call.number_id,
    state: call.state,
    headers: JSON.parse(call.headers) as { name: string; value: string }[],
    ...(captureId !== undefined && { captureId }),
    ...(call.result !== null && { result: call.result }),
    ...(call.reason !== null && { reason: call.reason }),
    startedAt: isoTime(call.started_at_ms),
    ...(call.answered_at_ms !== null && { answeredAt: isoTime(call.answered_at_ms) }),
    ...(call.ended_at_ms !== null && { endedAt: isoTime(call.ended_at_ms) }),
    ...(call.quality !== null && { quality: callQualityView(JSON.parse(call.quality) as CallQualityReport) }),
  }
}

export function fieldView(row: Omit<CaptureFieldRow, 'capture_id' | 'merchant_id' | 'position'>): FieldView {
  return {
    field: row.name,
    state: row.state,
    count: row.count,
    ...(row.expected !== null && { expected: row.expected }),
    ...(row.brand !== null && { brand: row.brand }),
    ...(row.last_four !== null && { lastFour: row.last_four }),
    ...(row.error !== null && { error: row.error }),
    ...(row.uncertain !== null && {
      uncertain: { why: row.uncertain, ...(row.uncertain_at !== null && { at: row.uncertain_at }) },
    }),
  }
}

export function captureView({ capture, fields }: StoredCapture): CaptureView {
  return {
    captureId: capture.id,
    callId: capture.call_id,
    state: capture.state === 'closed' ? 'closed' : 'open',
    mode: capture.mode,
    secured: capture.secured === 1,
    ...(capture.close_reason !== null && { closeReason: capture.close_reason }),
    fields: fields.map(fieldView),
  }
}
