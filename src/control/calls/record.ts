/** What the CDE reports of calls and captures, written down. Each function runs inside one transaction of the inbox. */
import type { Report } from '../../wall/messages.ts'
import type { Events } from '../events.ts'
import { callById, insertCall, liveCalls, markAnswered, markEnded, updateQuality } from '../store/calls.ts'
import {
  captureById,
  liveCaptureOf,
  liveCaptures,
  markCaptureClosed,
  markCaptureOpen,
  markLineSecured,
  updateField,
} from '../store/captures.ts'
import type { Tx } from '../store/open.ts'
import type { CallRow, CaptureRow } from '../store/schema.ts'
import { merchantOfNumber } from '../store/tenants.ts'
import { callQualityView } from './quality.ts'
import { callView, captureView, fieldView } from './views.ts'

type Of<T extends Report['type']> = Extract<Report, { type: T }>

export async function recordCallStarted(
  tx: Tx,
  events: Events,
  report: Of<'call-started'>,
  nowMs: number,
): Promise<void> {
  const merchant = await merchantOfNumber(tx.db, report.number)
  if (merchant === undefined) return events.ignored('call-started', 'number-unknown')
  if ((await callById(tx.db, report.callId)) !== undefined) return events.ignored('call-started', 'known')
  const call: CallRow = {
    id: report.callId,
    merchant_id: merchant,
    number_id: report.number,
    state: 'ringing',
    headers: JSON.stringify(report.headers),
    result: null,
    reason: null,
    started_at_ms: nowMs,
    answered_at_ms: null,
    ended_at_ms: null,
    quality: null,
  }
  await insertCall(tx.db, call)
  await events.callStarted(tx, { merchant, callId: call.id }, callView(call))
}

export async function recordCallAnswered(tx: Tx, events: Events, callId: string, nowMs: number): Promise<void> {
  const call = await callById(tx.db, callId)
  if (call === undefined) return events.ignored('call-answered', 'call-unknown')
  if (!(await markAnswered(tx.db, callId, nowMs))) return events.ignored('call-answered', 'not-ringing')
  await events.callAnswered(tx, { merchant: call.merchant_id, callId })
}

/** Ends a call and whatever capture is still open on it. */
export async function recordCallEnded(tx: Tx, events: Events, report: Of<'call-ended'>, nowMs: number): Promise<void> {
  const call = await callById(tx.db, report.callId)
  if (call === undefined) return events.ignored('call-ended', 'call-unknown')
  const capture = await liveCaptureOf(tx.db, call.id)
  if (capture !== undefined) await closeCapture(tx, events, capture, 'call-ended', nowMs)
  await endCall(tx, events, call, { result: report.result, reason: report.reason }, nowMs)
}

/** The newest figures replace those before them; the final ones are an event as well. */
export async function recordQuality(tx: Tx, events: Events, report: Of<'call-quality'>): Promise<void> {
  const call = await callById(tx.db, report.callId)
  if (call === undefined) return events.ignored('call-quality', 'call-unknown')
  await updateQuality(tx.db, call.id, JSON.stringify(report.quality))
  if (!report.isFinal) return
  await events.callQuality(tx, { merchant: call.merchant_id, callId: call.id }, callQualityView(report.quality))
}

export async function recordCallerSound(tx: Tx, events: Events, report: Of<'caller-sound'>): Promise<void> {
  const call = await callById(tx.db, report.callId)
  if (call === undefined) return events.ignored('caller-sound', 'call-unknown')
  await events.callerSound(tx, { merchant: call.merchant_id, callId: call.id }, report.state)
}

async function endCall(
  tx: Tx,
  events: Events,
  call: CallRow,
  verdict: { result: string; reason: string },
  nowMs: number,
): Promise<void> {
  if (!(await markEnded(tx.db, call.id, verdict, nowMs))) return events.ignored('call-ended', 'ended')
  await events.callEnded(tx, { merchant: call.merchant_id, callId: call.id }, verdict)
}

/** @returns true when the capture is open now; false when nobody waits for it any more */
export async function recordCaptureStarted(tx: Tx, events: Events, captureId: string): Promise<boolean> {
  if (!(await markCaptureOpen(tx.db, captureId))) {
    events.ignored('capture-started', 'not-starting')
    return false
  }
  const stored = await captureById(tx.db, captureId)
  if (stored === undefined) return false
  const { merchant_id: merchant, call_id: callId } = stored.capture
  await events.captureStarted(tx, { merchant, callId }, captureView(stored))
  return true
}

/** The kernel forwards nothing of the caller's any more, for certain. */
export async function recordLineSecured(tx: Tx, events: Events, captureId: string): Promise<void> {
  if (!(await markLineSecured(tx.db, captureId))) return events.ignored('line-secured', 'not-open')
  const stored = await captureById(tx.db, captureId)
  if (stored === undefined) return
  const { merchant_id: merchant, call_id: callId } = stored.capture
  await events.lineSecured(tx, { merchant, callId }, captureId)
}

export async function recordField(tx: Tx, events: Events, report: Of<'field'>): Promise<void> {
  const stored = await captureById(tx.db, report.captureId)
  if (stored === undefined) return events.ignored('field', 'capture-unknown')
  if (stored.capture.state === 'closed') return events.ignored('field', 'capture-closed')
  const state = {
    state: report.state,
    count: report.count,
    expected: report.expected ?? null,
    brand: report.brand ?? null,
    last_four: report.lastFour ?? null,
    error: report.error ?? null,
    uncertain: report.uncertain?.why ?? null,
    uncertain_at: report.uncertain?.at ?? null,
  }
  if (!(await updateField(tx.db, report.captureId, report.field, state)))
    return events.ignored('field', 'field-unknown')
  const { merchant_id: merchant, call_id: callId } = stored.capture
  await events.captureField(tx, { merchant, callId }, report.captureId, fieldView({ name: report.field, ...state }))
  const wasMarked = stored.fields.some(({ name, uncertain }) => name === report.field && uncertain !== null)
  if (report.uncertain === undefined || wasMarked) return
  const { captureId, field, uncertain } = report
  await events.keyUncertain(tx, { merchant, callId }, { captureId, field, ...uncertain })
}

export async function recordCaptureClosed(
  tx: Tx,
  events: Events,
  report: Of<'capture-closed'>,
  nowMs: number,
): Promise<void> {
  const stored = await captureById(tx.db, report.captureId)
  if (stored === undefined) return events.ignored('capture-closed', 'capture-unknown')
  await closeCapture(tx, events, stored.capture, report.reason, nowMs)
}

/**
 * Nobody waits any longer for a capture that was being started. Its confirmation may have been written meanwhile: then its
 * beginning is known outside, and its end must be.
 */
export async function recordNotStarted(tx: Tx, events: Events, captureId: string, nowMs: number): Promise<void> {
  const stored = await captureById(tx.db, captureId)
  if (stored !== undefined) await closeCapture(tx, events, stored.capture, 'not-started', nowMs)
}

export async function recordKeysDropped(tx: Tx, events: Events, report: Of<'keys-dropped'>): Promise<void> {
  const call = await callById(tx.db, report.callId)
  if (call === undefined) return events.ignored('keys-dropped', 'call-unknown')
  await events.keysDropped(tx, { merchant: call.merchant_id, callId: call.id }, report.count)
}

export async function recordSlowMode(tx: Tx, events: Events, report: Of<'slow-mode'>): Promise<void> {
  const call = await callById(tx.db, report.callId)
  if (call === undefined) return events.ignored('slow-mode', 'call-unknown')
  await events.lineSlow(tx, { merchant: call.merchant_id, callId: call.id }, report.on)
}

/** The CDE is gone: with it every live call's media and every digit. What it held is written off, call by call. */
export async function recordAllLost(tx: Tx, events: Events, nowMs: number): Promise<void> {
  for (const capture of await liveCaptures(tx.db)) await closeCapture(tx, events, capture, 'lost', nowMs)
  for (const call of await liveCalls(tx.db)) {
    await endCall(tx, events, call, { result: 'server', reason: 'lost' }, nowMs)
  }
}

const captureResults: Readonly<Record<string, string>> = {
  submitted: 'success',
  cancelled: 'client',
  'call-ended': 'client',
  'timed-out': 'client',
  'mask-failed': 'server',
  'not-started': 'server',
  lost: 'server',
}

async function closeCapture(tx: Tx, events: Events, capture: CaptureRow, reason: string, nowMs: number): Promise<void> {
  if (!(await markCaptureClosed(tx.db, capture.id, reason, nowMs))) return events.ignored('capture-closed', 'closed')
  // A capture that the CDE never confirmed has not begun for anyone, so its end is no event.
  if (capture.state === 'starting') return
  const place = { merchant: capture.merchant_id, callId: capture.call_id }
  await events.captureClosed(tx, place, capture.id, { result: captureResults[reason] ?? 'unknown', reason })
}
