/** The HTTP application: schemas, hooks, routes. It opens no socket; server.ts does. */
import swagger from '@fastify/swagger'
import { fastify } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { TonewallError } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { controlLimits } from '../../lib/limits.ts'
import { addAuth } from './auth.ts'
import { addCors } from './cors.ts'
import { answerError } from './errors.ts'
import { openApiOptions } from './openapi.ts'
import type { Api, ApiParts } from './parts.ts'
import { addCallRoutes } from './routes-calls.ts'
import { addCaptureRoutes } from './routes-captures.ts'
import { addEventRoutes } from './routes-events.ts'
import { addOpenRoutes } from './routes-open.ts'
import { addPaymentRoutes } from './routes-payments.ts'

export async function buildApp(parts: ApiParts): Promise<Api> {
  const { log, random } = parts
  const app = fastify({
    // Our own line per request, without path or header, is written below.
    logger: false,
    bodyLimit: controlLimits.bodyOctetsMax,
    requestTimeout: controlLimits.requestMs,
    routerOptions: { maxParamLength: 64 },
    genReqId: () => newId(random),
    requestIdHeader: false,
    // A HEAD of an event stream would be a stream without a reader.
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    // Failures before any route is found: the framework's own messages quote the path.
    frameworkErrors: (error, request, reply) => answerError(log, error, request, reply),
    // RFC 9112 section 3: what is not HTTP gets our error too, without a request to speak of.
    clientErrorHandler: (_error, socket) => {
      if (socket.writable) socket.end(`HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      else socket.destroy()
    },
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler((error, request, reply) => answerError(log, error, request, reply))
  app.setNotFoundHandler((request, reply) => answerError(log, new TonewallError('NOT_FOUND'), request, reply))
  takeEmptyJson(app)
  addHeadersAndLog(app, parts)
  addCors(app, parts.allowedOrigins)
  await app.register(swagger, openApiOptions)
  await app.register(async (scope) => addOpenRoutes(scope.withTypeProvider<ZodTypeProvider>(), parts))
  await app.register(async (plain) => {
    const scope = plain.withTypeProvider<ZodTypeProvider>()
    addAuth(plain, parts.store.db, parts.clock)
    addCallRoutes(scope, parts)
    addCaptureRoutes(scope, parts)
    addPaymentRoutes(scope, parts)
    addEventRoutes(scope, parts)
  })
  await app.ready()
  return app
}

/** `Content-Type: application/json` with nothing behind it counts as no body: browsers' helpers send that. */
function takeEmptyJson(app: Api): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else void parse(request, String(body), done)
  })
}

function addHeadersAndLog(app: Api, { log, events, clock, started }: ApiParts): void {
  const startedAtMs = new WeakMap<object, number>()
  app.addHook('onRequest', async (request, reply) => {
    startedAtMs.set(request, clock.monotonicMs())
    void reply.header('x-request-id', request.id)
    void reply.header('x-content-type-options', 'nosniff')
    void reply.header('cache-control', 'no-store')
    await started
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    const { statusCode: status } = reply
    events.metrics.requestAnswered(route, status)
    const durationMs = Math.round(clock.monotonicMs() - (startedAtMs.get(request) ?? 0))
    log.info({ requestId: request.id, method: request.method, route, status, durationMs }, 'request')
  })
}
