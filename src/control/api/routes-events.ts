import { requireKey } from '../access/scope.ts'
import { principalFor } from './auth.ts'
import { event } from './event-schemas.ts'
import type { Api, ApiParts } from './parts.ts'
import { callParams, errorBody, lastEventId } from './schemas.ts'
import { visibleCall } from './visible-call.ts'

const tags = ['events']
const response = {
  // OpenAPI 3.1 knows no schema for one message of a stream (3.2 does): it is that of each `data:`.
  200: {
    description:
      'Server-sent events; the JSON behind `data:` of each message is an Event, its `event:` the type, its `id:` the seq',
    content: { 'text/event-stream': { schema: event } },
  },
  default: errorBody,
}

/** Both answer with a stream that stays open; what is on it is told in README.md. */
export function addEventRoutes(app: Api, { store, streams }: ApiParts): void {
  app.get(
    '/v1/calls/:callId/events',
    {
      schema: {
        tags,
        summary: 'Server-sent events of one call, from its first event or from Last-Event-ID',
        params: callParams,
        headers: lastEventId,
        response,
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
        headers: lastEventId,
        response,
      },
    },
    async (request, reply) => {
      const principal = principalFor(request)
      requireKey(principal)
      await streams.open(request, reply, principal)
    },
  )
}
