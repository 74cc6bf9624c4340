/** Control's API as the widget uses it. Each call returns the value or one word of a closed list; it never throws. */
import { widgetLimits } from '../../src/lib/limits.ts'
import type { Capture, CaptureMode, Payment, Refusal } from './contract.ts'
import { isCapture, isObject, isPayment } from './read-event.ts'

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: Refusal; readonly captureId?: string }

export interface ChargeOrder {
  readonly amountMinor: number
  readonly currency: string
  readonly orderReference: string
  readonly gatewayAccount?: string
}

export class ControlApi {
  readonly #base: string
  readonly #token: string

  /** @param base origin of control, with or without a slash at the end */
  constructor(base: string, token: string) {
    this.#base = base.replace(/\/+$/, '')
    this.#token = token
  }

  eventsUrl(callId: string): string {
    return `${this.#base}/v1/calls/${encodeURIComponent(callId)}/events`
  }

  get authorization(): string {
    return `Bearer ${this.#token}`
  }

  call(callId: string): Promise<Answer<Readonly<Record<string, unknown>>>> {
    return this.#ask(isObject, 'GET', `/v1/calls/${encodeURIComponent(callId)}`)
  }

  startCapture(callId: string, mode: CaptureMode): Promise<Answer<Capture>> {
    return this.#ask(isCapture, 'POST', `/v1/calls/${encodeURIComponent(callId)}/captures`, { mode })
  }

  capture(captureId: string): Promise<Answer<Capture>> {
    return this.#ask(isCapture, 'GET', `/v1/captures/${encodeURIComponent(captureId)}`)
  }

  /** `request` opens the field for keys; `reset` forgets what was keyed into it. */
  field(captureId: string, field: string, verb: 'request' | 'reset'): Promise<Answer<Capture>> {
    const path = `/v1/captures/${encodeURIComponent(captureId)}/fields/${encodeURIComponent(field)}/${verb}`
    return this.#ask(isCapture, 'POST', path, {})
  }

  cancel(captureId: string): Promise<Answer<Capture>> {
    return this.#ask(isCapture, 'POST', `/v1/captures/${encodeURIComponent(captureId)}/cancel`, {})
  }

  /** @param key the same for every repetition of one charge, so that it happens once at most */
  charge(captureId: string, order: ChargeOrder, key: string): Promise<Answer<Payment>> {
    return this.#ask(isPayment, 'POST', `/v1/captures/${encodeURIComponent(captureId)}/payments`, order, {
      'idempotency-key': key,
    })
  }

  async #ask<T>(
    fits: (value: unknown) => value is T,
    method: string,
    path: string,
    body?: object,
    extraHeaders: Readonly<Record<string, string>> = {},
  ): Promise<Answer<T>> {
    const headers: Record<string, string> = { authorization: this.authorization, ...extraHeaders }
    if (body !== undefined) headers['content-type'] = 'application/json'
    try {
      const response = await fetch(this.#base + path, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        cache: 'no-store',
        credentials: 'omit',
        signal: AbortSignal.timeout(widgetLimits.requestMs),
      })
      const json: unknown = await response.json()
      if (!response.ok) return refusalOf(json)
      return fits(json) ? { ok: true, value: json } : { ok: false, code: 'UNEXPECTED' }
    } catch (error) {
      // A body that is no JSON comes from something between us and control.
      return { ok: false, code: error instanceof SyntaxError ? 'UNEXPECTED' : 'UNREACHABLE' }
    }
  }
}

function refusalOf(json: unknown): { ok: false; code: Refusal; captureId?: string } {
  const error = isObject(json) ? json['error'] : undefined
  if (!isObject(error)) return { ok: false, code: 'UNEXPECTED' }
  const code = isRefusal(error['code']) ? error['code'] : 'UNEXPECTED'
  const captureId = isObject(error['details']) ? error['details']['captureId'] : undefined
  return typeof captureId === 'string' ? { ok: false, code, captureId } : { ok: false, code }
}

/**
 * The words have no list at run time (it would put all error texts into the bundle); an unknown one gets the general
 * sentence.
 */
function isRefusal(code: unknown): code is Refusal {
  return typeof code === 'string'
}
