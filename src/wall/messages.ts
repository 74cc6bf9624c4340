/**
 * The complete list of messages that cross between the zones, both ways (DESIGN section 1). Checked at both ends.
 * Nothing here can carry a digit of a card: fields are enums, counts, ids made of letters, a brand, a last-four, amounts,
 * and headers from an allow-list. Times are not sent: 13 digits of milliseconds look like a card number; each zone has its own clock.
 */
import { z } from 'zod'
import { ID_PATTERN } from '../lib/ids.ts'
import { callLimits, wallLimits } from '../lib/limits.ts'
import { findCardNumber } from '../lib/luhn-scan.ts'
import { callQuality } from './call-quality.ts'
import { cdeSettings, maskPolicies } from './settings.ts'

const id = z.string().regex(ID_PATTERN)
const count = z.number().int().min(0).max(1_000_000_000)
/** Packets of days of media. What counts further begins again at zero (`wrapTotals`): a longer number could be a card's. */
const total = z.number().int().min(0).max(wallLimits.totalMax)
/** No group of an IP address is longer than four digits, and no name of ours. */
const hasNoLongNumber = (text: string): boolean => !/\d{5}/.test(text)
const totalName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,63}$/)
  .refine(hasNoLongNumber)
/** A name chosen in the configuration: a field, a gateway account, a number's id. */
export const configuredName = z.string().regex(/^[a-z][a-zA-Z0-9-]{0,39}$/)
/** Free text from outside the zone, bounded, and refused when it looks like a card number. */
const safeText = (octetsMax: number) =>
  z
    .string()
    .max(octetsMax)
    .refine((text) => findCardNumber(text) === -1)

export const brands = ['visa', 'mastercard', 'amex', 'discover', 'diners', 'jcb', 'unionpay', 'maestro'] as const
export const brand = z.enum(brands)
export type Brand = z.infer<typeof brand>

/** Why a field is not valid: which rule failed, never what was keyed. */
export const fieldErrors = [
  'too-short',
  'too-long',
  'check-digit',
  'brand-unknown',
  'month-invalid',
  'expired',
  'first-digit-timeout',
  'between-digits-timeout',
  'uncertain-key',
] as const
/**
 * Why a press was seen but not which key it was. `too-short`: a tone pair, but too little of it; `too-near`: two keys fit;
 * `at-the-edge`: level, twist or frequency between what must be taken and what must be refused; `carriages-differ`: tone and
 * event, or tone and INFO, name different keys; `not-negotiated`: an event of a payload type that nobody agreed on; `doubled`:
 * the line sends keys twice, and that was noticed too late to put this field right.
 */
export const uncertainReasons = [
  'too-short',
  'too-near',
  'at-the-edge',
  'carriages-differ',
  'not-negotiated',
  'doubled',
] as const
export type UncertainReason = (typeof uncertainReasons)[number]
export const fieldStates = ['idle', 'requested', 'collecting', 'valid', 'error'] as const
export const captureModes = ['field', 'continuous'] as const
export const captureCloseReasons = ['submitted', 'cancelled', 'call-ended', 'timed-out', 'mask-failed'] as const
/** Refusals of an order by the CDE; the words of lib/errors.ts. */
export const refusals = [
  'CALL_UNKNOWN',
  'CALL_ENDED',
  'CALL_NOT_ANSWERED',
  'CAPTURE_EXISTS',
  'CAPTURE_UNKNOWN',
  'CAPTURE_CLOSED',
  'FIELD_UNKNOWN',
  'FIELD_MISSING',
  'GATEWAY_ACCOUNT_UNKNOWN',
  'TOO_MANY',
] as const

/** The whole product's verdict words (STYLE rule 11): whose fault it was. */
export const results = ['success', 'client', 'server', 'upstream', 'unknown'] as const

export const callEndReasons = [
  'caller-hung-up',
  'agent-hung-up',
  'cancelled',
  'busy',
  'declined',
  'no-answer',
  'unreachable',
  'not-acceptable',
  'no-route',
  'loop',
  'overload',
  'hung-up-by-order',
  'time-limit',
  'lost',
  'failed',
] as const

/** Our decline words, one list for all gateways (`docs/reference/declines.md`). */
export const declineCodes = [
  'insufficient_funds',
  'card_declined',
  'call_issuer',
  'expired_card',
  'invalid_number',
  'invalid_expiry',
  'incorrect_cvc',
  'pick_up_card',
  'fraud_suspected',
  'do_not_retry',
  'try_later',
  'issuer_unavailable',
  'limit_exceeded',
  'not_permitted',
  'authentication_required',
  'invalid_amount',
  'currency_unsupported',
  'duplicate',
  'processing_error',
  'config_error',
] as const
export const declineAdvice = ['same_card', 'other_card', 'later', 'never'] as const

/** What one exchange with a gateway ended in. `not-sent` is certain; `unknown` never is. */
export const outcome = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('approved'),
    gatewayId: safeText(64),
    authCode: safeText(16).optional(),
    captured: z.boolean(),
    amountMinor: count,
  }),
  z.strictObject({ kind: z.literal('declined'), code: z.enum(declineCodes), advice: z.enum(declineAdvice) }),
  z.strictObject({
    kind: z.literal('not-sent'),
    why: z.enum(['connection-refused', 'name-not-found', 'tls-failed', 'connect-timeout', 'throttled']),
  }),
  z.strictObject({
    kind: z.literal('unknown'),
    why: z.enum(['timeout', 'reset', 'server-error', 'unparseable', 'in-progress', 'amount-differs', 'crash']),
  }),
])
export type Outcome = z.infer<typeof outcome>

/** What the gateway knows of a reference. `not-found` is evidence only after the gateway's query lag. */
export const queryOutcome = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('found'), outcome, reversed: z.boolean() }),
  z.strictObject({ kind: z.literal('not-found') }),
  z.strictObject({ kind: z.literal('unavailable') }),
])
export type QueryOutcome = z.infer<typeof queryOutcome>

export const reverseOutcome = z.enum(['reversed', 'nothing-to-reverse', 'unavailable'])
export type ReverseOutcome = z.infer<typeof reverseOutcome>

/** Control orders, CDE executes. */
export const order = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('configure'), settings: cdeSettings }),
  z.strictObject({
    type: z.literal('capture-start'),
    captureId: id,
    callId: id,
    fields: z.array(configuredName).min(1).max(16),
    mode: z.enum(captureModes),
    /** Without it, what the number's settings say. */
    maskPolicy: z.enum(maskPolicies).optional(),
  }),
  z.strictObject({ type: z.literal('field-request'), captureId: id, field: configuredName }),
  z.strictObject({ type: z.literal('field-reset'), captureId: id, field: configuredName.optional() }),
  z.strictObject({ type: z.literal('capture-cancel'), captureId: id }),
  z.strictObject({
    type: z.literal('submit'),
    attemptId: id,
    captureId: id,
    gatewayAccount: configuredName,
    reference: id,
    amountMinor: z.number().int().min(1).max(99_999_999_999),
    currency: z.string().regex(/^[A-Z]{3}$/),
  }),
  z.strictObject({ type: z.literal('query'), attemptId: id, gatewayAccount: configuredName, reference: id }),
  z.strictObject({ type: z.literal('reverse'), attemptId: id, gatewayAccount: configuredName, reference: id }),
  z.strictObject({ type: z.literal('hang-up'), callId: id }),
  z.strictObject({ type: z.literal('stop') }),
])
export type Order = z.infer<typeof order>

/** The state of one field, as the agent may see it. `expected` is the length when the brand fixes it. */
export const fieldReport = z.strictObject({
  type: z.literal('field'),
  captureId: id,
  field: configuredName,
  state: z.enum(fieldStates),
  count: z.number().int().min(0).max(32),
  expected: z.number().int().min(1).max(32).optional(),
  brand: brand.optional(),
  lastFour: z
    .string()
    .regex(/^\d{4}$/)
    .optional(),
  error: z.enum(fieldErrors).optional(),
  /** A key of this field was not clear; `at`: which one, counted from 1, when that is known. It cannot become valid any more. */
  uncertain: z
    .strictObject({ why: z.enum(uncertainReasons), at: z.number().int().min(1).max(32).optional() })
    .optional(),
})
export type FieldReport = z.infer<typeof fieldReport>

/**
 * What became of the keys of one trunk, since the CDE started. A trunk is one of our numbers and the address that its calls come
 * from, or `other`.
 */
export const trunkReport = z.strictObject({
  number: configuredName,
  source: z
    .string()
    .regex(/^(other|[0-9a-fA-F:.]{2,45})$/)
    .refine(hasNoLongNumber),
  reported: total,
  /** Surely pressed, but too little of it came, or not in the way agreed on; or faster than any finger. */
  lost: total,
  /** Recognised as sent twice by the line, and counted once. */
  doubled: total,
  /** Surely pressed, and it was not clear which key. */
  uncertain: total,
  slow: z.boolean(),
})
export type TrunkReport = z.infer<typeof trunkReport>

/** CDE reports, control remembers. */
export const report = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  z.strictObject({
    type: z.literal('configured'),
    sipPort: z.number().int().min(1).max(65_535),
    mediaEngine: z.enum(['uring', 'epoll', 'dgram']),
    kernelForwarding: z.boolean(),
  }),
  z.strictObject({
    type: z.literal('configure-failed'),
    problem: z.enum([
      'sip-port-taken',
      'address-not-local',
      'credential-unreadable',
      'already-configured',
      'media-engine-unavailable',
      'kernel-forwarding-unavailable',
    ]),
  }),
  z.strictObject({
    type: z.literal('call-started'),
    callId: id,
    number: configuredName,
    headers: z
      .array(z.strictObject({ name: z.string().regex(/^[A-Za-z0-9-]{1,64}$/), value: safeText(1_024) }))
      .max(32),
  }),
  z.strictObject({ type: z.literal('call-answered'), callId: id }),
  z.strictObject({
    type: z.literal('call-ended'),
    callId: id,
    result: z.enum(results),
    reason: z.enum(callEndReasons),
  }),
  /** Every so often while the call lives, and once more, final, when its media are closed: that may be after `call-ended`. */
  z.strictObject({ type: z.literal('call-quality'), callId: id, isFinal: z.boolean(), quality: callQuality }),
  /** While a capture is open: nothing came from the caller for 2 s, or something came again. */
  z.strictObject({ type: z.literal('caller-sound'), callId: id, state: z.enum(['silent', 'heard']) }),
  z.strictObject({ type: z.literal('capture-started'), captureId: id }),
  /** Once after each `capture-started`: it is certain, too, that the kernel forwards no packet of the caller any more. */
  z.strictObject({ type: z.literal('line-secured'), captureId: id }),
  z.strictObject({ type: z.literal('capture-refused'), captureId: id, code: z.enum(refusals) }),
  fieldReport,
  /** A key arrived while no field was requested: masked, dropped, counted. */
  z.strictObject({ type: z.literal('keys-dropped'), callId: id, count }),
  /** The call's line sends every key twice, which is put right from now on; or does so no more. */
  z.strictObject({ type: z.literal('slow-mode'), callId: id, on: z.boolean() }),
  z.strictObject({ type: z.literal('capture-closed'), captureId: id, reason: z.enum(captureCloseReasons) }),
  z.strictObject({ type: z.literal('submit-refused'), attemptId: id, code: z.enum(refusals) }),
  z.strictObject({ type: z.literal('submit-result'), attemptId: id, outcome }),
  z.strictObject({ type: z.literal('query-result'), attemptId: id, outcome: queryOutcome }),
  z.strictObject({ type: z.literal('reverse-result'), attemptId: id, outcome: reverseOutcome }),
  /** Totals since the CDE started, by fixed name; for metrics. */
  z.strictObject({
    type: z.literal('counters'),
    counters: z.record(totalName, total),
    trunks: z
      .array(trunkReport)
      .max(callLimits.trunksMax + 1)
      .optional(),
  }),
])
export type Report = z.infer<typeof report>

/** Totals as they may cross: a CDE must not become mute because it has run long. Whoever reads them knows that counters start again. */
export function wrapTotals(totals: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(totals).map(([name, count]) => [name, count % (wallLimits.totalMax + 1)]))
}
