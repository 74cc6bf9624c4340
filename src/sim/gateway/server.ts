import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import * as http from 'node:http'
import type { Address } from '../../lib/address.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { sandboxLimits } from '../../lib/limits.ts'
import { SLOW_MS } from './cards.ts'
import { charge, type Reaction } from './charging.ts'
import { Ledger, type LedgerEntry } from './ledger.ts'
import { type Answer, readChargeRequest, readReverseRequest, refused, shown } from './wire.ts'

export interface SandboxGatewayOptions {
  readonly host: string
  /** 0 takes a free one; `address` tells which. */
  readonly port: number
  /** The key that clients send as `Authorization: Bearer <key>`. */
  readonly key: string
  /** How long the slow card takes. */
  readonly slowMs?: number
  /** A charge can be queried only this long after it was received, as with gateways that index late. */
  readonly queryLagMs?: number
  readonly clock?: Clock
}

export interface SandboxGateway {
  readonly address: Address
  /** What was charged, digit-free, in the order of arrival. */
  ledger(): LedgerEntry[]
  close(): Promise<void>
}

/** Starts the simulated payment gateway: a real HTTP server with the documented test cards. */
export async function startSandboxGateway(options: SandboxGatewayOptions): Promise<SandboxGateway> {
  const gateway = new Gateway(options)
  const server = http.createServer((request, response) => gateway.serve(request, response))
  server.headersTimeout = sandboxLimits.headersTimeoutMs
  server.listen(options.port, options.host)
  await once(server, 'listening')
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('the sandbox gateway has no port')
  return {
    address: { host: options.host, port: bound.port },
    ledger: () => gateway.ledger.entries(),
    close: async () => {
      gateway.stop()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

class Gateway {
  readonly ledger = new Ledger()
  readonly #options: SandboxGatewayOptions
  readonly #clock: Clock
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #keyHash: Buffer

  constructor(options: SandboxGatewayOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#keyHash = sha256(`Bearer ${options.key}`)
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }

  serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const parts: Buffer[] = []
    let octets = 0
    request.on('error', () => response.destroy())
    request.on('data', (part: Buffer) => {
      octets += part.length
      if (octets <= sandboxLimits.requestOctetsMax) parts.push(part)
    })
    request.on('end', () => {
      const tooLarge = octets > sandboxLimits.requestOctetsMax
      const reaction = tooLarge
        ? ({ kind: 'answer', answer: refused('too_large') } as const)
        : this.#react(request, Buffer.concat(parts).toString('utf8'))
      this.#perform(reaction, request, response)
    })
  }

  #react(request: http.IncomingMessage, text: string): Reaction {
    const authorized = timingSafeEqual(sha256(request.headers.authorization ?? ''), this.#keyHash)
    if (!authorized) return { kind: 'answer', answer: refused('unauthorized') }
    const url = new URL(request.url ?? '/', 'http://sandbox.invalid')
    const nowMs = this.#clock.monotonicMs()
    switch (`${request.method} ${url.pathname}`) {
      case 'POST /v1/charges': {
        const read = readChargeRequest(text)
        return 'status' in read ? { kind: 'answer', answer: read } : charge(this.ledger, read, nowMs)
      }
      case 'GET /v1/charges':
        return { kind: 'answer', answer: this.#query(url.searchParams.get('reference') ?? '', nowMs) }
      case 'POST /v1/charges/reverse':
        return { kind: 'answer', answer: this.#reverse(text) }
      default:
        return { kind: 'answer', answer: refused('not_found') }
    }
  }

  #query(reference: string, nowMs: number): Answer {
    const found = this.ledger.find(reference)
    const indexed = found && nowMs - found.receivedAtMs >= (this.#options.queryLagMs ?? 0)
    return indexed ? shown(found) : refused('charge_not_found')
  }

  #reverse(text: string): Answer {
    const reference = readReverseRequest(text)
    if (reference === undefined) return refused('invalid_request')
    const found = this.ledger.reverse(reference)
    return found ? shown(found) : refused('charge_not_found')
  }

  #perform(reaction: Reaction, request: http.IncomingMessage, response: http.ServerResponse): void {
    switch (reaction.kind) {
      case 'answer':
        return send(response, reaction.answer)
      case 'answer-later':
        // The charge goes through even if the client has gone by then.
        return this.#after(this.#options.slowMs ?? SLOW_MS, () => send(response, reaction.later()))
      case 'silence':
        return this.#after(sandboxLimits.silenceMs, () => response.destroy())
      case 'reset':
        request.socket.resetAndDestroy()
    }
  }

  #after(delayMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, delayMs)
    this.#timers.add(timer)
  }
}

function send(response: http.ServerResponse, answer: Answer): void {
  const body = Buffer.from(JSON.stringify(answer.body))
  response.writeHead(answer.status, { 'content-type': 'application/json', 'content-length': body.length }).end(body)
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
