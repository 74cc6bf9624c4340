import * as http from 'node:http'
import * as https from 'node:https'
import { gatewayLimits } from '../../../lib/limits.ts'
import type { Outcome } from '../../../wall/messages.ts'

type NotSentWhy = Extract<Outcome, { kind: 'not-sent' }>['why']

export interface ExchangeRequest {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  /** On an ArrayBuffer of its own; zeroed when the exchange is over, whatever happened. */
  readonly body?: Uint8Array<ArrayBuffer>
  /** For the whole exchange, from now to the last octet of the answer. */
  readonly exchangeMs: number
}

/** `not-sent` is certain: no octet of the request had been handed to the connection. */
export type Exchange =
  | { readonly kind: 'answered'; readonly status: number; readonly body: Uint8Array }
  | { readonly kind: 'not-sent'; readonly why: Exclude<NotSentWhy, 'throttled'> }
  | { readonly kind: 'unknown'; readonly why: 'timeout' | 'reset' | 'unparseable' }

/**
 * One request on one fresh connection, no redirects, no retries, no agent: a kept-alive connection that has died gives
 * its error only after octets were written (gateways.md 1.7). Never rejects.
 */
export async function exchange(request: ExchangeRequest): Promise<Exchange> {
  try {
    return await new Promise((settle) => run(request, settle))
  } finally {
    request.body?.fill(0)
  }
}

function run(request: ExchangeRequest, settled: (result: Exchange) => void): void {
  const secure = request.url.protocol === 'https:'
  const headers = { ...request.headers, ...(request.body ? { 'content-length': String(request.body.length) } : {}) }
  const outgoing = (secure ? https : http).request(request.url, { method: request.method, headers, agent: false })
  const progress = { reached: false, writing: false }

  const end = (result: Exchange): void => {
    clearTimeout(connectTimer)
    clearTimeout(exchangeTimer)
    // The socket goes first: nothing of the body, zeroed or not, is written after this line.
    outgoing.destroy()
    settled(result)
  }
  const lost = (error: NodeJS.ErrnoException): void => {
    if (!progress.writing) end({ kind: 'not-sent', why: reasonNotSent(error, secure && progress.reached) })
    else end({ kind: 'unknown', why: error.code?.startsWith('HPE_') ? 'unparseable' : 'reset' })
  }
  const tooLate = (): void => {
    end(progress.writing ? { kind: 'unknown', why: 'timeout' } : { kind: 'not-sent', why: 'connect-timeout' })
  }
  const connectTimer = setTimeout(tooLate, Math.min(gatewayLimits.connectMs, request.exchangeMs))
  const exchangeTimer = setTimeout(tooLate, request.exchangeMs)

  outgoing.on('socket', (socket) => {
    socket.once('connect', () => {
      progress.reached = true
    })
    // Not one octet is written before the connection stands, so that every failure up to here is certain.
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      clearTimeout(connectTimer)
      progress.writing = true
      write(outgoing, request.body)
    })
  })
  outgoing.on('error', lost)
  outgoing.on('response', (answer) => collect(answer, end, lost))
  outgoing.on('close', () => lost(new Error('closed')))
}

/**
 * Head, body and end are written one after the other: of several pieces written at once Node's TLS makes one piece of its
 * own and never clears it (measured on Node 24: one copy of the card number stays).
 */
function write(outgoing: http.ClientRequest, body: Uint8Array<ArrayBuffer> | undefined): void {
  if (!body) return void outgoing.end()
  outgoing.flushHeaders()
  outgoing.write(body, () => outgoing.end())
}

/** Reads the answer up to its bound. The parts are zeroed: a gateway might echo what it was sent. */
function collect(
  answer: http.IncomingMessage,
  end: (result: Exchange) => void,
  lost: (error: NodeJS.ErrnoException) => void,
): void {
  const body = new Uint8Array(new ArrayBuffer(gatewayLimits.answerOctetsMax))
  let octets = 0
  answer.on('data', (part: Buffer) => {
    if (octets + part.length > body.length) {
      body.fill(0)
      return end({ kind: 'unknown', why: 'unparseable' })
    }
    body.set(part, octets)
    part.fill(0)
    octets += part.length
  })
  answer.on('error', lost)
  // Node says `end` of a whole answer only, and `error` of one that was cut off.
  answer.on('end', () => end({ kind: 'answered', status: answer.statusCode ?? 0, body: body.subarray(0, octets) }))
}

function reasonNotSent(error: NodeJS.ErrnoException, duringTls: boolean): Exclude<NotSentWhy, 'throttled'> {
  if (duringTls) return 'tls-failed'
  if (error.code === 'ENOTFOUND' || error.code?.startsWith('EAI_')) return 'name-not-found'
  return error.code === 'ETIMEDOUT' ? 'connect-timeout' : 'connection-refused'
}
