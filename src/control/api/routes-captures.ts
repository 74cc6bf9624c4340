import { requireCall } from '../access/scope.ts'
import { captureView } from '../calls/views.ts'
import type { StoredCapture } from '../store/captures.ts'
import { principalFor } from './auth.ts'
import type { Api, ApiParts } from './parts.ts'
import { callParams, capture, captureParams, emptyBody, fieldParams, newCapture } from './schemas.ts'

const tags = ['captures']
const view = (stored: StoredCapture) => capture.parse(captureView(stored))

export function addCaptureRoutes(app: Api, { captures, store }: ApiParts): void {
  app.post(
    '/v1/calls/:callId/captures',
    {
      schema: {
        tags,
        summary: 'Start to collect fields on the call; from now on every key is masked',
        params: callParams,
        body: newCapture,
        response: { 201: capture },
      },
    },
    async (request, reply) => {
      const principal = principalFor(request)
      const { callId } = request.params
      requireCall(principal, callId)
      return reply.code(201).send(view(await captures.start(principal, { callId, ...request.body })))
    },
  )

  app.get(
    '/v1/captures/:captureId',
    { schema: { tags, summary: 'One capture', params: captureParams, response: { 200: capture } } },
    async (request) => view(await captures.find(store.db, principalFor(request), request.params.captureId)),
  )

  app.post(
    '/v1/captures/:captureId/fields/:field/request',
    {
      schema: { tags, summary: 'Ask for one field', params: fieldParams, body: emptyBody, response: { 202: capture } },
    },
    async (request, reply) => {
      const { captureId, field } = request.params
      return reply.code(202).send(view(await captures.requestField(principalFor(request), captureId, field)))
    },
  )

  app.post(
    '/v1/captures/:captureId/fields/:field/reset',
    {
      schema: {
        tags,
        summary: 'Forget one field and ask for it again',
        params: fieldParams,
        body: emptyBody,
        response: { 202: capture },
      },
    },
    async (request, reply) => {
      const { captureId, field } = request.params
      return reply.code(202).send(view(await captures.reset(principalFor(request), captureId, field)))
    },
  )

  app.post(
    '/v1/captures/:captureId/reset',
    {
      schema: {
        tags,
        summary: 'Forget all fields',
        params: captureParams,
        body: emptyBody,
        response: { 202: capture },
      },
    },
    async (request, reply) => {
      const { captureId } = request.params
      return reply.code(202).send(view(await captures.reset(principalFor(request), captureId, undefined)))
    },
  )

  app.post(
    '/v1/captures/:captureId/cancel',
    {
      schema: {
        tags,
        summary: 'Close the capture',
        params: captureParams,
        body: emptyBody,
        response: { 202: capture },
      },
    },
    async (request, reply) => {
      const { captureId } = request.params
      return reply.code(202).send(view(await captures.cancel(principalFor(request), captureId)))
    },
  )
}
