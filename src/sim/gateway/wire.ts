import { z } from 'zod'
import type { Charge } from './ledger.ts'

/** An answer of the gateway: status and JSON. */
export interface Answer {
  readonly status: number
  readonly body: unknown
}

const statuses = {
  unauthorized: 401,
  invalid_request: 400,
  invalid_number: 422,
  invalid_expiry: 422,
  invalid_amount: 422,
  currency_unsupported: 422,
  not_found: 404,
  charge_not_found: 404,
  in_progress: 409,
  reference_reused: 409,
  reference_reversed: 409,
  too_large: 413,
  throttled: 429,
  internal: 500,
  full: 503,
} as const

export function refused(code: keyof typeof statuses): Answer {
  return { status: statuses[code], body: { error: { code } } }
}

/** The one answer that a charge has, now and on every repetition: 200, or 402 when it was declined. */
export function answerOf(charge: Charge): Answer {
  if (charge.state === 'declined') return { status: 402, body: { error: { code: charge.declineCode } } }
  return shown(charge)
}

/** A charge as query and reversal show it. */
export function shown(charge: Charge): Answer {
  return {
    status: 200,
    body: {
      id: charge.id,
      reference: charge.reference,
      state: charge.state,
      reversed: charge.reversed,
      captured: charge.state === 'approved',
      amountMinor: charge.amountMinor,
      currency: charge.currency,
      authCode: charge.authCode,
      declineCode: charge.declineCode,
      card: { brand: charge.brand, lastFour: charge.lastFour },
    },
  }
}

const reference = z.string().regex(/^[A-Z0-9]{1,64}$/)
const chargeRequest = z.object({
  reference,
  amountMinor: z.number().int().min(1).max(99_999_999_999),
  currency: z.string().regex(/^[A-Z]{3}$/),
  channel: z.enum(['telephone']).optional(),
  card: z.object({
    number: z.string().regex(/^\d{12,19}$/),
    expiry: z.string().regex(/^(0[1-9]|1[0-2])\d\d$/),
    securityCode: z
      .string()
      .regex(/^\d{3,4}$/)
      .optional(),
  }),
  extra: z.record(z.string(), z.string().regex(/^\d{1,32}$/)).optional(),
})
export type ChargeRequest = z.infer<typeof chargeRequest>

const refusalByPath: Readonly<Record<string, keyof typeof statuses>> = {
  'card.number': 'invalid_number',
  'card.expiry': 'invalid_expiry',
  amountMinor: 'invalid_amount',
  currency: 'currency_unsupported',
}

export function readChargeRequest(text: string): ChargeRequest | Answer {
  const parsed = chargeRequest.safeParse(readJson(text))
  if (parsed.success) return parsed.data
  const path = parsed.error.issues[0]?.path.join('.') ?? ''
  return refused(refusalByPath[path] ?? 'invalid_request')
}

export function readReverseRequest(text: string): string | undefined {
  const parsed = z.object({ reference }).safeParse(readJson(text))
  return parsed.success ? parsed.data.reference : undefined
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
