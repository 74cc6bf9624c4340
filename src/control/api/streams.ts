/** All open event streams: bounded, kept warm by a heartbeat, closed with the token that opened them. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../lib/clock.ts'
import { TonewallError } from '../../lib/errors.ts'
import { controlLimits } from '../../lib/limits.ts'
import type { Principal } from '../access/principal.ts'
import type { Events } from '../events.ts'
import { beforeFirstEventOf } from '../store/events.ts'
import type { Db } from '../store/open.ts'
import type { Timers } from '../timers.ts'
import { EventStream, type StreamOut } from './event-stream.ts'

interface OpenStream {
  readonly stream: EventStream
  readonly holder: string
  readonly expiresAtMs: number
}

export class Streams {
  readonly #db: Db
  readonly #events: Events
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #open = new Set<OpenStream>()
  #cancelBeat: () => void = () => {}

  constructor(options: { db: Db; events: Events; clock: Clock; timers: Timers }) {
    this.#db = options.db
    this.#events = options.events
    this.#clock = options.clock
    this.#timers = options.timers
  }

  /**
   * Answers the request with a stream that stays open. Without Last-Event-ID a call's stream begins with the call's first event,
   * a merchant's stream with the next one.
   * @throws TonewallError TOO_MANY
   */
  async open(request: FastifyRequest, reply: FastifyReply, principal: Principal, callId?: string): Promise<void> {
    const holder = holderOf(principal)
    this.#requireRoom(holder)
    const after = await this.#startOf(request, callId)
    this.#requireRoom(holder)
    reply.hijack()
    const headers = { ...reply.getHeaders(), 'content-type': 'text/event-stream', 'cache-control': 'no-store' }
    reply.raw.writeHead(200, { ...headers, 'x-accel-buffering': 'no' } as Record<string, string>)
    const stream = new EventStream(outOf(reply, this.#timers), { merchant: principal.merchant, callId }, after)
    const expiresAtMs = principal.kind === 'widget' ? principal.expiresAtMs : Number.POSITIVE_INFINITY
    const entry: OpenStream = { stream, holder, expiresAtMs }
    this.#open.add(entry)
    this.#events.metrics.streamOpened()
    if (this.#open.size === 1) this.#beatLater()
    const closed = (): void => {
      stream.end()
      if (this.#open.delete(entry)) this.#events.metrics.streamClosed(stream.cut)
    }
    reply.raw.once('close', closed)
    // A client that left while its place was looked up has closed already, and will not say so again.
    if (request.raw.socket.destroyed) closed()
    await stream.start(this.#db, this.#events).catch(() => stream.end())
  }

  #requireRoom(holder: string): void {
    let held = 0
    for (const entry of this.#open) if (entry.holder === holder) held++
    if (held >= controlLimits.streamsPerHolderMax || this.#open.size >= controlLimits.streamsMax) {
      throw new TonewallError('TOO_MANY')
    }
  }

  async #startOf(request: FastifyRequest, callId: string | undefined): Promise<number> {
    const given = request.headers['last-event-id']
    // A number from the future belongs to another store; it is treated as none.
    if (typeof given === 'string' && /^\d{1,12}$/.test(given) && Number(given) <= this.#events.lastSeq)
      return Number(given)
    if (callId !== undefined) return beforeFirstEventOf(this.#db, callId)
    return this.#events.lastSeq
  }

  #beatLater(): void {
    this.#cancelBeat()
    this.#cancelBeat = this.#timers.after(controlLimits.heartbeatMs, () => {
      const nowMs = this.#clock.wallMs()
      for (const { stream, expiresAtMs } of this.#open) {
        if (nowMs >= expiresAtMs) stream.end()
        else stream.beat()
      }
      if (this.#open.size > 0) this.#beatLater()
    })
  }

  close(): void {
    this.#cancelBeat()
    for (const { stream } of this.#open) stream.end()
  }
}

function holderOf(principal: Principal): string {
  const { merchant } = principal
  return principal.kind === 'key' ? `${merchant} key ${principal.name}` : `${merchant} call ${principal.callId}`
}

function outOf(reply: FastifyReply, timers: Timers): StreamOut {
  const { raw } = reply
  return {
    write: (text) => void raw.write(text),
    queuedOctets: () => raw.writableLength,
    drained: () => drained(raw, timers),
    // A slow client is cut hard: what is queued for it would otherwise stay in memory until it reads.
    end: () => (raw.writableNeedDrain ? raw.destroy() : raw.end()),
  }
}

function drained(raw: FastifyReply['raw'], timers: Timers): Promise<boolean> {
  if (raw.destroyed) return Promise.resolve(false)
  if (!raw.writableNeedDrain) return Promise.resolve(true)
  return new Promise((resolve) => {
    const done = (answer: boolean) => (): void => {
      cancel()
      raw.off('drain', onDrain)
      raw.off('close', onClose)
      resolve(answer)
    }
    const onDrain = done(true)
    const onClose = done(false)
    const cancel = timers.after(controlLimits.streamDrainMs, done(false))
    raw.once('drain', onDrain)
    raw.once('close', onClose)
  })
}
