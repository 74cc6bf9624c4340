/**
 * All errors that a user of Tonewall can meet: a stable code, the HTTP status where it crosses the API, and what to do.
 * `docs/reference/errors.md` is compared with this list in both directions. Messages are fixed text: they never echo input.
 */
export const errorCodes = {
  CONFIG_INVALID: [
    500,
    'The configuration has a wrong or missing setting; the lines printed name its path, the problem and an example.',
  ],
  UNAUTHORIZED: [401, 'Send a valid key: Authorization: Bearer <key>.'],
  FORBIDDEN: [403, 'This key may not do that; use a key of the merchant that owns the call.'],
  NOT_FOUND: [404, 'There is nothing at this address; see /openapi.json.'],
  BODY_INVALID: [400, 'The request does not fit the schema; "problems" names each path and rule.'],
  BODY_TOO_LARGE: [413, 'The request body is too large.'],
  IDEMPOTENCY_KEY_MISSING: [
    400,
    'Send an Idempotency-Key header: 8 to 64 letters, digits, - or _, new for each payment.',
  ],
  CALL_UNKNOWN: [404, 'No such call; list the calls with GET /v1/calls.'],
  CALL_ENDED: [409, 'The call has ended; a capture needs a live call.'],
  CALL_NOT_ANSWERED: [409, 'The call is still ringing; start the capture when it is answered.'],
  CAPTURE_UNKNOWN: [404, 'No such capture.'],
  CAPTURE_EXISTS: [409, 'The call already has an open capture; use it, or cancel it first.'],
  CAPTURE_CLOSED: [409, 'The capture is closed; start a new one.'],
  FIELD_UNKNOWN: [400, 'The capture has no such field; its fields are listed in the capture.'],
  FIELD_MISSING: [409, 'A field of the capture is not valid yet; "fields" lists which.'],
  PAYMENT_UNKNOWN: [404, 'No such payment.'],
  PAYMENT_IN_DOUBT: [
    409,
    'An earlier attempt for this order has no answer yet; wait for it, do not take the card again.',
  ],
  ORDER_PAID: [409, 'This order is already paid; to charge again use another orderReference.'],
  GATEWAY_ACCOUNT_UNKNOWN: [400, 'No such gateway account for this merchant.'],
  IDEMPOTENCY_KEY_REUSED: [409, 'This Idempotency-Key was used with another body; use a new key for a new request.'],
  CDE_DOWN: [
    503,
    'The card zone is restarting; the call goes on or has been lost, no card was kept. Try again in a few seconds.',
  ],
  TOO_MANY: [429, 'A limit is reached; try again later.'],
  INTERNAL: [500, 'Tonewall failed; the log line with this request id says where.'],
} as const satisfies Record<string, readonly [httpStatus: number, message: string]>

export type ErrorCode = keyof typeof errorCodes

/** An error for the outside. `details` must be digit-free words of our own (field names, paths), never input. */
export class TonewallError extends Error {
  override readonly name = 'TonewallError'
  readonly code: ErrorCode
  readonly httpStatus: number
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, details: Readonly<Record<string, unknown>> = {}) {
    super(errorCodes[code][1])
    this.code = code
    this.httpStatus = errorCodes[code][0]
    this.details = details
  }
}
