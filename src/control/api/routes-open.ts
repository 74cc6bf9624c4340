/** What needs no merchant's key: health, metrics (a key of their own), the API's own description, the widget's script. */
import { TonewallError } from '../../lib/errors.ts'
import { mayReadMetrics } from './metrics-access.ts'
import type { Api, ApiParts } from './parts.ts'
import { errorBody, health } from './schemas.ts'

export function addOpenRoutes(app: Api, { port, events, readWidget, metricsKeyHash }: ApiParts): void {
  app.get(
    '/healthz',
    {
      schema: {
        tags: ['service'],
        summary: 'Is it there',
        security: [],
        response: { 200: health, default: errorBody },
      },
    },
    async () => ({ status: 'ok' as const, cde: port.up ? ('up' as const) : ('down' as const) }),
  )

  app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    if (!mayReadMetrics(request, metricsKeyHash)) throw new TonewallError('UNAUTHORIZED')
    const { metrics } = events
    return reply.type(metrics.contentType).send(await metrics.text())
  })

  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())

  app.get('/widget.js', { schema: { hide: true } }, async (_request, reply) => {
    const script = await readWidget()
    if (script === undefined) throw new TonewallError('NOT_FOUND')
    // A page of any origin may load the script; what it may then ask is decided by allowedOrigins and the token.
    void reply.header('access-control-allow-origin', '*').header('cross-origin-resource-policy', 'cross-origin')
    return reply.type('text/javascript; charset=utf-8').header('cache-control', 'no-cache').send(script)
  })
}
