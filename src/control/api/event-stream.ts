/**
 * One reader of the event stream (WHATWG HTML, server-sent events): first what it missed, page by page from the store, then live.
 * No socket here: it writes to a `StreamOut`. A reader that is too slow is cut and resumes with Last-Event-ID.
 */
import { controlLimits } from '../../lib/limits.ts'
import type { Events } from '../events.ts'
import { type EventScope, eventsBetween, inScope } from '../store/events.ts'
import { isoTime } from '../store/iso-time.ts'
import type { Db } from '../store/open.ts'
import type { EventRow } from '../store/schema.ts'

/** Where a stream goes: an HTTP response, or a test's collector. */
export interface StreamOut {
  write(text: string): void
  /** Octets that the client has not taken yet. */
  queuedOctets(): number
  /** Resolves when everything written has been taken; false when that took too long or the client has gone. */
  drained(): Promise<boolean>
  end(): void
}

/** An event as the stream shows it: `{seq, at, type, callId?, …}`. */
export function eventView(row: EventRow): Record<string, unknown> {
  return {
    seq: row.seq,
    at: isoTime(row.at_ms),
    type: row.type,
    ...(row.call_id !== null && { callId: row.call_id }),
    ...(JSON.parse(row.data) as Record<string, unknown>),
  }
}

function frameOf(row: EventRow): string {
  return `id: ${row.seq}\nevent: ${row.type}\ndata: ${JSON.stringify(eventView(row))}\n\n`
}

export class EventStream {
  readonly #out: StreamOut
  readonly #scope: EventScope
  #cursor: number
  #live = false
  #ended = false
  #unsubscribe: () => void = () => {}

  /** @param after the number of the last event that the reader has seen */
  constructor(out: StreamOut, scope: EventScope, after: number) {
    this.#out = out
    this.#scope = scope
    this.#cursor = after
  }

  /** True once it has been cut for being slow. */
  cut = false

  /** Replays, then goes live. Resolves when live or ended. */
  async start(db: Db, events: Events): Promise<void> {
    // An id without data moves the reader's Last-Event-ID without dispatching anything: so even a quiet stream can be resumed.
    this.#out.write(`: tonewall\nid: ${this.#cursor}\n\n`)
    this.#unsubscribe = events.subscribe((row) => this.#take(row))
    while (!this.#ended && this.#cursor < events.lastSeq) await this.#replayPage(db, events.lastSeq)
    // No await between the last comparison and this line: nothing can have been committed in between.
    this.#live = true
  }

  async #replayPage(db: Db, upTo: number): Promise<void> {
    const rows = await eventsBetween(db, this.#scope, this.#cursor, upTo, controlLimits.streamReplayRowsMax)
    if (this.#ended) return
    for (const row of rows) this.#out.write(frameOf(row))
    const last = rows.at(-1)
    this.#cursor = last !== undefined && rows.length === controlLimits.streamReplayRowsMax ? last.seq : upTo
    if (!(await this.#out.drained())) this.#cutOff()
  }

  #take(row: EventRow): void {
    if (!this.#live || row.seq <= this.#cursor) return
    this.#cursor = row.seq
    if (!inScope(row, this.#scope)) return
    if (this.#out.queuedOctets() > controlLimits.streamQueuedOctetsMax) return this.#cutOff()
    this.#out.write(frameOf(row))
  }

  /** A comment line, so that proxies and the reader know that the stream lives. */
  beat(): void {
    if (this.#ended) return
    if (this.#out.queuedOctets() > controlLimits.streamQueuedOctetsMax) return this.#cutOff()
    this.#out.write(': beat\n\n')
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#unsubscribe()
    this.#out.end()
  }

  #cutOff(): void {
    this.cut = true
    this.end()
  }
}
