import { TonewallError } from '../../lib/errors.ts'
import { controlLimits } from '../../lib/limits.ts'
import { findCardNumber } from '../../lib/luhn-scan.ts'
import { maySee } from '../access/scope.ts'
import { takePayment } from '../payments/take.ts'
import { paymentView } from '../payments/view.ts'
import { paymentById, paymentsOf } from '../store/payments.ts'
import { principalFor } from './auth.ts'
import type { Api, ApiParts } from './parts.ts'
import {
  captureParams,
  errorBody,
  idempotencyKey,
  newPayment,
  payment,
  paymentParams,
  payments,
  paymentsQuery,
} from './schemas.ts'

const tags = ['payments']

export function addPaymentRoutes(app: Api, parts: ApiParts): void {
  const { store } = parts

  app.post(
    '/v1/captures/:captureId/payments',
    {
      schema: {
        tags,
        summary: 'Send the captured card to the gateway; needs an Idempotency-Key header',
        params: captureParams,
        headers: idempotencyKey,
        body: newPayment,
        response: { 202: payment, default: errorBody },
      },
    },
    async (request, reply) => {
      const principal = principalFor(request)
      const key = idempotencyKeyOf(request.headers['idempotency-key'])
      const { gatewayAccount, ...rest } = request.body
      const wanted = { captureId: request.params.captureId, ...rest, gatewayAccount }
      const taken = await takePayment(parts, principal, wanted, key)
      if (taken.replayed) void reply.header('idempotent-replayed', 'true')
      return reply.code(202).send(payment.parse(taken.body))
    },
  )

  app.get(
    '/v1/payments/:paymentId',
    { schema: { tags, summary: 'One payment', params: paymentParams, response: { 200: payment, default: errorBody } } },
    async (request) => {
      const stored = await paymentById(store.db, request.params.paymentId)
      if (stored === undefined || !maySee(principalFor(request), stored.attempt))
        throw new TonewallError('PAYMENT_UNKNOWN')
      return payment.parse(paymentView(stored))
    },
  )

  app.get(
    '/v1/payments',
    {
      schema: {
        tags,
        summary: 'Payments, newest first',
        querystring: paymentsQuery,
        response: { 200: payments, default: errorBody },
      },
    },
    async (request) => {
      const principal = principalFor(request)
      const callId = principal.kind === 'widget' ? principal.callId : request.query.callId
      const stored = await paymentsOf(store.db, principal.merchant, callId, controlLimits.listRowsMax)
      return payments.parse({ payments: stored.map(paymentView) })
    },
  )
}

function idempotencyKeyOf(header: string | string[] | undefined): string {
  if (typeof header !== 'string' || !/^[A-Za-z0-9_-]{8,64}$/.test(header))
    throw new TonewallError('IDEMPOTENCY_KEY_MISSING')
  // The key is stored as a hash only; but a card number must not be hashed either, it could be guessed back.
  if (/^[\d-]*$/.test(header) && findCardNumber(header) !== -1) throw new TonewallError('IDEMPOTENCY_KEY_MISSING')
  return header
}
