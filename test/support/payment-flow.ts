/** What a desk does over the API during a call: open a capture, wait for the fields, submit. Answers are held to their schemas. */
import type { z } from 'zod'
import * as schemas from '../../src/control/api/schemas.ts'
import { eventually } from './eventually.ts'
import type { Product } from './product.ts'

export type CaptureJson = z.infer<typeof schemas.capture>
export type PaymentJson = z.infer<typeof schemas.payment>

/** The id of the only live call, once it is answered. */
export async function answeredCall(product: Product): Promise<string> {
  return await eventually('one answered call', 10_000, async () => {
    const { calls } = schemas.calls.parse(await product.get('/v1/calls?state=live'))
    return calls.find(({ state }) => state === 'answered')?.callId
  })
}

/** Opens a capture of card number, expiry and security code, one after the other without further orders. */
export async function openCapture(product: Product, callId: string): Promise<string> {
  const body = await product.post(`/v1/calls/${callId}/captures`, { mode: 'continuous' })
  return schemas.capture.parse(body).captureId
}

/** Waits until every field is valid; rejects at once when the capture closes or a field is in error. */
export async function allFieldsValid(product: Product, captureId: string, timeoutMs: number): Promise<CaptureJson> {
  let last = ''
  const look = async (): Promise<CaptureJson | undefined> => {
    const capture = schemas.capture.parse(await product.get(`/v1/captures/${captureId}`))
    last = capture.fields.map(({ field, state, count, error }) => `${field} ${error ?? state} ${count}`).join(', ')
    const isLost = capture.state === 'closed' || capture.fields.some(({ state }) => state === 'error')
    if (isLost) throw new Error(`the capture is ${capture.closeReason ?? capture.state}`)
    return capture.fields.every(({ state }) => state === 'valid') ? capture : undefined
  }
  try {
    return await eventually('every field valid', timeoutMs, look)
  } catch (error) {
    throw new Error(`fields: ${last}`, { cause: error })
  }
}

export async function submit(product: Product, captureId: string, orderReference: string): Promise<PaymentJson> {
  const body = await product.post(
    `/v1/captures/${captureId}/payments`,
    { amountMinor: 4_250, currency: 'GBP', orderReference },
    { 'idempotency-key': `key-of-${orderReference}` },
  )
  return schemas.payment.parse(body)
}

/** Waits until the payment is in one of the states. */
export async function paymentIn(
  product: Product,
  paymentId: string,
  states: readonly PaymentJson['state'][],
  timeoutMs: number,
): Promise<PaymentJson> {
  let last = ''
  try {
    return await eventually(`payment ${states.join(' or ')}`, timeoutMs, async () => {
      const payment = schemas.payment.parse(await product.get(`/v1/payments/${paymentId}`))
      last = payment.state
      return states.includes(payment.state) ? payment : undefined
    })
  } catch (error) {
    throw new Error(`the payment is ${last}`, { cause: error })
  }
}
