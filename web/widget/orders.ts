/** What the agent orders: each is one or two calls of the API and ends in actions for the panel. */
import { newId } from '../../src/lib/ids.ts'
import type { ControlApi, ChargeOrder } from './api.ts'
import type { Capture, CaptureMode } from './contract.ts'
import type { Action, Panel } from './state.ts'

const CHARGE_TRIES = 3

/** Where orders take their panel from and put what they learned. */
export interface Desk {
  readonly api: ControlApi
  readonly callId: string
  panel(): Panel
  apply(action: Action): void
}

/** Asks the caller for one field, opening the capture (which secures the line) when there is none. */
export async function requestField(desk: Desk, field: string, mode: CaptureMode): Promise<void> {
  const known = desk.panel().capture?.captureId
  const captureId = known ?? (await openCapture(desk, mode))
  // In one go, an opened capture asks for its first field by itself.
  if (captureId === undefined || (known === undefined && mode === 'continuous')) return
  await order(desk, desk.api.field(captureId, field, 'request'))
}

/**
 * Forgets what was keyed into one field; the others stay. A field that the caller is being asked for is asked for anew
 * at once: a request forgets too, and no key of the caller is lost between two orders.
 */
export async function resetField(desk: Desk, field: string): Promise<void> {
  const capture = desk.panel().capture
  if (capture === undefined) return
  const verb = capture.fields.find((other) => other.field === field)?.state === 'valid' ? 'reset' : 'request'
  await order(desk, desk.api.field(capture.captureId, field, verb))
}

/** Forgets the whole card and opens the line again. */
export async function cancelCapture(desk: Desk): Promise<void> {
  const capture = desk.panel().capture
  if (capture === undefined) return
  desk.apply({ type: 'busy', busy: 'cancelling' })
  if (await order(desk, desk.api.cancel(capture.captureId))) desk.apply({ type: 'busy', busy: 'none' })
}

/**
 * Charges the card. A lost answer is asked for again with the same key, so that the card is charged once at most.
 * @param key one per card taken, kept by the caller across repetitions
 */
export async function charge(desk: Desk, chargeOrder: ChargeOrder, key: string): Promise<void> {
  const capture = desk.panel().capture
  if (capture === undefined) return
  desk.apply({ type: 'busy', busy: 'charging' })
  for (let tries = 0; tries < CHARGE_TRIES; tries++) {
    const answer = await desk.api.charge(capture.captureId, chargeOrder, key)
    if (answer.ok) {
      desk.apply({ type: 'paid', payment: answer.value })
      return
    }
    if (answer.code !== 'UNREACHABLE' && answer.code !== 'UNEXPECTED') {
      desk.apply({ type: 'refused', notice: answer.code })
      return
    }
    // The stream may have told us meanwhile; then the lost answer does not matter.
    if (desk.panel().payment !== undefined) return
  }
  desk.apply({ type: 'refused', notice: 'charge-unanswered' })
}

/** A fresh Idempotency-Key: letters only, so that no scanner takes it for a card number. */
export function newChargeKey(): string {
  return newId((count) => crypto.getRandomValues(new Uint8Array(count)))
}

async function openCapture(desk: Desk, mode: CaptureMode): Promise<string | undefined> {
  desk.apply({ type: 'busy', busy: 'opening' })
  const answer = await desk.api.startCapture(desk.callId, mode)
  if (answer.ok) return opened(desk, answer.value)
  if (answer.code === 'CAPTURE_EXISTS' && answer.captureId !== undefined) {
    const existing = await desk.api.capture(answer.captureId)
    if (existing.ok) return opened(desk, existing.value)
  }
  desk.apply({ type: 'refused', notice: answer.code })
  return undefined
}

function opened(desk: Desk, capture: Capture): string {
  desk.apply({ type: 'opened', capture })
  return capture.captureId
}

async function order(desk: Desk, sent: ReturnType<ControlApi['field']>): Promise<boolean> {
  const answer = await sent
  if (!answer.ok) desk.apply({ type: 'refused', notice: answer.code })
  return answer.ok
}
