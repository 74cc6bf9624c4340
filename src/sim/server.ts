/** The simulators' own HTTP and WebSocket server: the demo page, its keypad, and the live sound of both legs. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { z } from 'zod'
import type { Address } from '../lib/address.ts'
import { simLimits } from '../lib/limits.ts'
import type { LiveHub } from './live.ts'
import type { Carriage } from '../cde/dtmf/key-codes.ts'
import { callBody, emptyBody, isOwnPage, keyBody } from './requests.ts'
import type { SimState } from './state.ts'
import { readStaticFile } from './static-files.ts'

/** What the page can do. Each returns false when the call's state does not allow it. */
export interface PageOrders {
  call(number: string | undefined): boolean
  hangUp(): boolean
  key(key: number, carriage: Carriage | undefined, holdMs: number | undefined): boolean
  callerSpeaks(): boolean
  agentSpeaks(): boolean
  state(): SimState
}

export interface SimServerOptions {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly allowedHosts: readonly string[]
  readonly webRoot: string | undefined
  /** Control's origin: the page's widget talks to it. */
  readonly apiOrigin: string | undefined
  readonly orders: PageOrders
  readonly live: LiveHub
}

export interface SimServer {
  readonly local: Address
  close(): Promise<void>
}

type Problem = 'FORBIDDEN' | 'NOT_FOUND' | 'METHOD_NOT_ALLOWED' | 'BODY_TOO_LARGE' | 'BODY_INVALID' | 'CALL_STATE'
type Reply = { readonly state: SimState } | { readonly problem: Problem; readonly expected?: string | undefined }

// Fixed texts: what was sent is never repeated.
const problems: Readonly<Record<Problem, readonly [httpStatus: number, message: string]>> = {
  FORBIDDEN: [403, 'Only the simulators’ own page on this machine may ask.'],
  NOT_FOUND: [404, 'There is nothing at this address.'],
  METHOD_NOT_ALLOWED: [405, 'Use POST for orders and GET for /state and the page.'],
  BODY_TOO_LARGE: [413, 'The body is too large.'],
  BODY_INVALID: [400, 'The body is not as expected.'],
  CALL_STATE: [409, 'The call is not in a state for that: see GET /state.'],
}

/** Starts the server. Rejects when the address cannot be bound. */
export async function startSimServer(options: SimServerOptions): Promise<SimServer> {
  const server = createServer({
    headersTimeout: simLimits.headersTimeoutMs,
    requestTimeout: simLimits.headersTimeoutMs,
  })
  server.on('request', (request, response) => void answer(request, response, options))
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1_024, perMessageDeflate: false })
  server.on('upgrade', (request, socket, head) => upgrade(request, socket, head, sockets, options))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  const bound = server.address()
  const port = bound !== null && typeof bound === 'object' ? bound.port : options.port
  return { local: { host: options.host, port }, close: () => closeServer(server, options.live) }
}

async function closeServer(server: Server, live: LiveHub): Promise<void> {
  live.close()
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}

function upgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  sockets: WebSocketServer,
  options: SimServerOptions,
): void {
  socket.on('error', () => socket.destroy())
  const allowed = isOwnPage(request.headers, options.host, options.allowedHosts)
  if (!allowed || request.url !== '/live' || options.live.full) {
    socket.end(`HTTP/1.1 ${allowed ? '404 Not Found' : '403 Forbidden'}\r\nconnection: close\r\n\r\n`)
    return
  }
  sockets.handleUpgrade(request, socket, head, (client) => options.live.join(client))
}

async function answer(request: IncomingMessage, response: ServerResponse, options: SimServerOptions): Promise<void> {
  response.on('error', () => response.destroy())
  const [path = '/'] = (request.url ?? '/').split('?')
  if (!isOwnPage(request.headers, options.host, options.allowedHosts)) sendReply(response, { problem: 'FORBIDDEN' })
  else if (request.method === 'POST') sendReply(response, await order(path, request, options.orders))
  else if (request.method !== 'GET') sendReply(response, { problem: 'METHOD_NOT_ALLOWED' })
  else if (path === '/state') sendReply(response, { state: options.orders.state() })
  else await sendFile(path, response, options)
}

async function order(path: string, request: IncomingMessage, orders: PageOrders): Promise<Reply> {
  const done = (ok: boolean): Reply => (ok ? { state: orders.state() } : { problem: 'CALL_STATE' })
  switch (path) {
    case '/caller/call':
      return withBody(request, callBody, ({ number }) => done(orders.call(number)))
    case '/caller/hang-up':
      return withBody(request, emptyBody, () => done(orders.hangUp()))
    case '/caller/key':
      return withBody(request, keyBody, ({ key, carriage, holdMs }) => done(orders.key(key, carriage, holdMs)))
    case '/caller/speak':
      return withBody(request, emptyBody, () => done(orders.callerSpeaks()))
    case '/agent/speak':
      return withBody(request, emptyBody, () => done(orders.agentSpeaks()))
    default:
      return { problem: 'NOT_FOUND' }
  }
}

async function withBody<T>(request: IncomingMessage, schema: z.ZodType<T>, use: (body: T) => Reply): Promise<Reply> {
  const text = await readBody(request)
  if (text === undefined) return { problem: 'BODY_TOO_LARGE' }
  // A foreign page can send plain text without asking first, but not JSON.
  const isJson = /^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')
  const invalid: Reply = { problem: 'BODY_INVALID', expected: schema.description }
  if (text !== '' && !isJson) return invalid
  let json: unknown
  try {
    json = text === '' ? {} : JSON.parse(text)
  } catch {
    return invalid
  }
  const checked = schema.safeParse(json)
  return checked.success ? use(checked.data) : invalid
}

/** @returns undefined when the body exceeds the limit or breaks off */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let octets = 0
  try {
    // The connection must outlive a refusal, or the sender never reads it.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      octets += chunk.length
      if (octets > simLimits.requestOctetsMax) return undefined
      chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(chunks).toString('utf8')
}

function sendReply(response: ServerResponse, reply: Reply): void {
  const failed = 'problem' in reply
  const [httpStatus, message] = failed ? problems[reply.problem] : [200, '']
  const body = failed ? { error: { code: reply.problem, message, expected: reply.expected } } : reply.state
  response.writeHead(httpStatus, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(failed ? { connection: 'close' } : {}),
  })
  response.end(JSON.stringify(body))
}

async function sendFile(path: string, response: ServerResponse, options: SimServerOptions): Promise<void> {
  const file = options.webRoot === undefined ? undefined : await readStaticFile(options.webRoot, path)
  if (file === undefined) {
    sendReply(response, { problem: 'NOT_FOUND' })
    return
  }
  const api = options.apiOrigin ?? ''
  response.writeHead(200, {
    'content-type': file.contentType,
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-security-policy':
      `default-src 'self'; script-src 'self' blob: ${api}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; ` +
      `connect-src 'self' ${api}; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  })
  response.end(file.body)
}
