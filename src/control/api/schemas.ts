/** What the API takes and gives. Strict both ways; the OpenAPI document is made from these. */
import { z } from 'zod'
import { ID_PATTERN } from '../../lib/ids.ts'
import { findCardNumber } from '../../lib/luhn-scan.ts'
import {
  brands,
  captureCloseReasons,
  captureModes,
  callEndReasons,
  configuredName,
  declineAdvice,
  declineCodes,
  fieldErrors,
  fieldStates,
  results,
  uncertainReasons,
} from '../../wall/messages.ts'
import { maskPolicies } from '../../wall/settings.ts'
import { paymentStates } from '../payments/words.ts'

/** Named schemas of the OpenAPI document. */
export const registry = z.registry<{ id: string }>()
export const named = <T extends z.ZodType>(id: string, schema: T): T => {
  registry.add(schema, { id })
  return schema
}

export const id = z.string().regex(ID_PATTERN)
export const time = z.iso.datetime()
const noCard = (text: string): boolean => findCardNumber(text) === -1

export const errorBody = named(
  'Error',
  z.strictObject({
    error: z.strictObject({
      code: z.string(),
      message: z.string(),
      requestId: id,
      details: z.record(z.string(), z.unknown()).optional(),
    }),
  }),
)

/** An empty body, or none: for orders that say everything in their path. */
export const emptyBody = z.strictObject({}).nullish()

export const callParams = z.strictObject({ callId: z.string().max(64) })
export const captureParams = z.strictObject({ captureId: z.string().max(64) })
export const fieldParams = z.strictObject({ captureId: z.string().max(64), field: z.string().max(64) })
export const paymentParams = z.strictObject({ paymentId: z.string().max(64) })

/** The framework's own headers are let through; these two are described, and read by hand with errors of their own. */
export const lastEventId = z.looseObject({ 'last-event-id': z.string().optional() })
export const idempotencyKey = z.looseObject({ 'idempotency-key': z.string().optional() })

export const callsQuery = z.strictObject({ state: z.enum(['live']).optional() })

const ms = z.number()
export const legQuality = named(
  'LegQuality',
  z.strictObject({
    packets: z.number().int(),
    lost: z.number().int(),
    lossRatio: z.number(),
    jitterMs: ms,
    jitterMaxMs: ms,
    sentPackets: z.number().int(),
    farLost: z.number().int().optional(),
    farLossRatio: z.number().optional(),
    farJitterMs: ms.optional(),
    roundTripMs: ms.optional(),
  }),
)

export const call = named(
  'Call',
  z.strictObject({
    callId: id,
    number: configuredName,
    state: z.enum(['ringing', 'answered', 'ended']),
    headers: z.array(z.strictObject({ name: z.string(), value: z.string() })),
    captureId: id.optional(),
    result: z.enum(results).optional(),
    reason: z.enum(callEndReasons).optional(),
    startedAt: time,
    answeredAt: time.optional(),
    endedAt: time.optional(),
    /** Per leg; what begins with `far` the other end reports of what we sent (RTCP). Figures so far while the call lives. */
    quality: z.strictObject({ caller: legQuality, agent: legQuality }).optional(),
  }),
)
export const calls = z.strictObject({ calls: z.array(call) })

export const newWidgetToken = named('WidgetToken', z.strictObject({ token: z.string(), expiresAt: time, callId: id }))

export const newCapture = z.strictObject({
  fields: z
    .array(configuredName)
    .min(1)
    .max(16)
    .refine((names) => new Set(names).size === names.length, 'not-unique')
    .default(['cardNumber', 'expiry', 'securityCode']),
  mode: z.enum(captureModes),
  /** How much of the caller's speech is given up for certainty; without it, the merchant's setting. */
  maskPolicy: z.enum(maskPolicies).optional(),
})

export const field = named(
  'Field',
  z.strictObject({
    field: configuredName,
    state: z.enum(fieldStates),
    count: z.number().int(),
    expected: z.number().int().optional(),
    brand: z.enum(brands).optional(),
    lastFour: z.string().optional(),
    error: z.enum(fieldErrors).optional(),
    /** A key was not clear: ask the caller to key the field again. `at` counts from 1. */
    uncertain: z.strictObject({ why: z.enum(uncertainReasons), at: z.number().int().optional() }).optional(),
  }),
)

export const capture = named(
  'Capture',
  z.strictObject({
    captureId: id,
    callId: id,
    state: z.enum(['open', 'closed']),
    mode: z.enum(captureModes),
    secured: z.boolean(),
    closeReason: z.enum([...captureCloseReasons, 'lost', 'not-started']).optional(),
    fields: z.array(field),
  }),
)

export const newPayment = z.strictObject({
  amountMinor: z.number().int().min(1).max(99_999_999_999),
  currency: z.string().regex(/^[A-Z]{3}$/),
  /** The merchant's own reference. What looks like a card number is refused: references are stored and shown. */
  orderReference: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/)
    .refine(noCard, 'looks-like-card-number'),
  gatewayAccount: configuredName.optional(),
})

export const payment = named(
  'Payment',
  z.strictObject({
    paymentId: id,
    callId: id,
    captureId: id,
    orderReference: z.string(),
    amountMinor: z.number().int(),
    currency: z.string(),
    gatewayAccount: configuredName,
    state: z.enum(paymentStates),
    message: z.string(),
    reference: id,
    brand: z.enum(brands).optional(),
    lastFour: z.string().optional(),
    authCode: z.string().optional(),
    decline: z
      .strictObject({ code: z.enum(declineCodes), advice: z.enum(declineAdvice), message: z.string() })
      .optional(),
    attempts: z.number().int(),
    createdAt: time,
    updatedAt: time,
  }),
)
export const paymentsQuery = z.strictObject({ callId: z.string().max(64).optional() })
export const payments = z.strictObject({ payments: z.array(payment) })

export const health = named('Health', z.strictObject({ status: z.literal('ok'), cde: z.enum(['up', 'down']) }))
