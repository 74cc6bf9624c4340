import type { FastifyInstance } from 'fastify'

/**
 * Cross-origin access for the pages that hold the widget: exact origins from the configuration and no others.
 * The origin in the answer is the configured text, never what was sent.
 */
export function addCors(app: FastifyInstance, allowedOrigins: readonly string[]): void {
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('vary', 'Origin')
    const origin = allowedOrigins.find((allowed) => allowed === request.headers.origin)
    if (origin !== undefined) {
      void reply.header('access-control-allow-origin', origin)
      void reply.header('access-control-expose-headers', 'Idempotent-Replayed, X-Request-Id')
    }
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return
    if (origin !== undefined) {
      void reply.header('access-control-allow-methods', 'GET, POST')
      void reply.header('access-control-allow-headers', 'Authorization, Content-Type, Idempotency-Key, Last-Event-ID')
      void reply.header('access-control-max-age', '600')
    }
    return reply.code(204).send()
  })
}
