import { requireKey } from '../access/scope.ts'
import { principalFor } from './auth.ts'
import type { Api, ApiParts } from './parts.ts'
import { callParams, lastEventId } from './schemas.ts'
import { visibleCall } from './visible-call.ts'

const tags = ['events']
const produces = ['text/event-stream']

/** Both answer with a stream that stays open (docs: src/control/api/README.md), so they have no response schema. */
export function addEventRoutes(app: Api, { store, streams }: ApiParts): void {
  app.get(
    '/v1/calls/:callId/events',
    {
      schema: {
        tags,
        summary: 'Server-sent events of one call, from its first event or from Last-Event-ID',
        produces,
        params: callParams,
        headers: lastEventId,
      },
    },
    async (request, reply) => {
      const principal = principalFor(request)
      const found = await visibleCall(store.db, principal, request.params.callId)
      await streams.open(request, reply, principal, found.id)
    },
  )

  app.get(
    '/v1/events',
    {
      schema: {
        tags,
        summary: "Server-sent events of all the merchant's calls, from now or from Last-Event-ID",
        produces,
        headers: lastEventId,
      },
    },
    async (request, reply) => {
      const principal = principalFor(request)
      requireKey(principal)
      await streams.open(request, reply, principal)
    },
  )
}
