import { requireCall } from '../access/scope.ts'
import { captureView } from '../calls/views.ts'
import type { StoredCapture } from '../store/captures.ts'
import { principalFor } from './auth.ts'
import type { Api, ApiParts } from './parts.ts'
import { callParams, capture, captureParams, emptyBody, errorBody, fieldParams, newCapture } from './schemas.ts'

const tags = ['captures']
const view = (stored: StoredCapture) => capture.parse(captureView(stored))

export function addCaptureRoutes(app: Api, parts: ApiParts): void {
  addStartAndRead(app, parts)
  addFieldOrders(app, parts)
  addWholeOrders(app, parts)
}

function addStartAndRead(app: Api, { captures, store }: ApiParts): void {
  const summary = 'Start to collect fields on the call; from now on every key is masked'
  app.post(
    '/v1/calls/:callId/captures',
    { schema: { tags, summary, params: callParams, body: newCapture, response: { 201: capture, default: errorBody } } },
    async (request, reply) => {
      const principal = principalFor(request)
      const { callId } = request.params
      requireCall(principal, callId)
      return reply.code(201).send(view(await captures.start(principal, { callId, ...request.body })))
    },
  )

  app.get(
    '/v1/captures/:captureId',
    { schema: { tags, summary: 'One capture', params: captureParams, response: { 200: capture, default: errorBody } } },
    async (request) => view(await captures.find(store.db, principalFor(request), request.params.captureId)),
  )
}

/** Orders that the CDE carries out; 202 shows the capture as it was, the event stream what comes of it. */
const ordered = { body: emptyBody, response: { 202: capture, default: errorBody } }

function addFieldOrders(app: Api, { captures }: ApiParts): void {
  app.post(
    '/v1/captures/:captureId/fields/:field/request',
    { schema: { tags, summary: 'Ask for one field', params: fieldParams, ...ordered } },
    async (request, reply) => {
      const { captureId, field } = request.params
      return reply.code(202).send(view(await captures.requestField(principalFor(request), captureId, field)))
    },
  )

  app.post(
    '/v1/captures/:captureId/fields/:field/reset',
    { schema: { tags, summary: 'Forget one field', params: fieldParams, ...ordered } },
    async (request, reply) => {
      const { captureId, field } = request.params
      return reply.code(202).send(view(await captures.reset(principalFor(request), captureId, field)))
    },
  )
}

function addWholeOrders(app: Api, { captures }: ApiParts): void {
  app.post(
    '/v1/captures/:captureId/reset',
    { schema: { tags, summary: 'Forget all fields', params: captureParams, ...ordered } },
    async (request, reply) => {
      const { captureId } = request.params
      return reply.code(202).send(view(await captures.reset(principalFor(request), captureId, undefined)))
    },
  )

  app.post(
    '/v1/captures/:captureId/cancel',
    { schema: { tags, summary: 'Close the capture', params: captureParams, ...ordered } },
    async (request, reply) => {
      const { captureId } = request.params
      return reply.code(202).send(view(await captures.cancel(principalFor(request), captureId)))
    },
  )
}
