import { TonewallError } from '../../lib/errors.ts'
import { requireKey } from '../access/scope.ts'
import { issueWidgetToken } from '../access/widget-tokens.ts'
import { callView } from '../calls/views.ts'
import { controlLimits } from '../../lib/limits.ts'
import { callsOf } from '../store/calls.ts'
import { liveCaptureOf } from '../store/captures.ts'
import { isoTime } from '../store/iso-time.ts'
import type { Db } from '../store/open.ts'
import type { CallRow } from '../store/schema.ts'
import { principalFor } from './auth.ts'
import type { Api, ApiParts } from './parts.ts'
import { visibleCall } from './visible-call.ts'
import { call, callParams, calls, callsQuery, emptyBody, errorBody, newWidgetToken } from './schemas.ts'

const tags = ['calls']

export function addCallRoutes(app: Api, parts: ApiParts): void {
  addReading(app, parts)
  addOrders(app, parts)
}

function addReading(app: Api, { store }: ApiParts): void {
  app.get(
    '/v1/calls',
    {
      schema: {
        tags,
        summary: "The merchant's calls, newest first",
        querystring: callsQuery,
        response: { 200: calls, default: errorBody },
      },
    },
    async (request) => {
      const principal = principalFor(request)
      requireKey(principal)
      const live = request.query.state === 'live'
      const rows = await callsOf(store.db, principal.merchant, live, controlLimits.listRowsMax)
      return calls.parse({ calls: await Promise.all(rows.map((row) => viewOf(store.db, row))) })
    },
  )

  app.get(
    '/v1/calls/:callId',
    { schema: { tags, summary: 'One call', params: callParams, response: { 200: call, default: errorBody } } },
    async (request) => {
      const found = await visibleCall(store.db, principalFor(request), request.params.callId)
      return call.parse(await viewOf(store.db, found))
    },
  )
}

function addOrders(app: Api, { store, port, clock, random }: ApiParts): void {
  app.post(
    '/v1/calls/:callId/hang-up',
    {
      schema: {
        tags,
        summary: 'End the call',
        params: callParams,
        body: emptyBody,
        response: { 202: call, default: errorBody },
      },
    },
    async (request, reply) => {
      const principal = principalFor(request)
      requireKey(principal)
      const found = await visibleCall(store.db, principal, request.params.callId)
      if (found.state === 'ended') throw new TonewallError('CALL_ENDED')
      if (!port.send({ type: 'hang-up', callId: found.id })) throw new TonewallError('CDE_DOWN')
      return reply.code(202).send(call.parse(await viewOf(store.db, found)))
    },
  )

  app.post(
    '/v1/calls/:callId/widget-tokens',
    {
      schema: {
        tags,
        summary: "A token for the agent's page, good for this call only",
        params: callParams,
        body: emptyBody,
        response: { 201: newWidgetToken, default: errorBody },
      },
    },
    async (request, reply) => {
      const principal = principalFor(request)
      requireKey(principal)
      const found = await visibleCall(store.db, principal, request.params.callId)
      if (found.state === 'ended') throw new TonewallError('CALL_ENDED')
      const place = { merchant: found.merchant_id, callId: found.id }
      const { token, expiresAtMs } = await store.transact(({ db }) =>
        issueWidgetToken(db, place, random, clock.wallMs()),
      )
      return reply.code(201).send({ token, expiresAt: isoTime(expiresAtMs), callId: found.id })
    },
  )
}

async function viewOf(db: Db, row: CallRow): Promise<ReturnType<typeof callView>> {
  const capture = row.state === 'answered' ? await liveCaptureOf(db, row.id) : undefined
  return callView(row, capture?.state === 'open' ? capture.id : undefined)
}
