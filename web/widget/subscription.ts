/**
 * The call's event stream, held open by streaming fetch: it resumes where it broke off (Last-Event-ID) and backs off.
 */
import { widgetLimits } from '../../src/lib/limits.ts'
import { isObject } from './read-event.ts'
import { EventStreamReader, type ServerEvent } from './sse.ts'
import type { Link } from './state.ts'

/** A panel that has never been connected says so after this many tries; one that was waits in patience. */
const TRIES_UNTIL_UNREACHABLE = 3

export interface SubscriptionOptions {
  readonly url: string
  readonly authorization: string
  readonly onEvent: (event: ServerEvent) => void
  readonly onLink: (link: Exclude<Link, 'connecting'>) => void
  /** Waits between two tries; resolves early when the signal aborts. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
}

/**
 * How long to wait before the next try: doubling, bounded, and spread so that panels do not all come back at once.
 * @param attempt tries since the stream last worked, from 0
 * @param unit a random number in [0, 1)
 */
export function reconnectDelayMs(attempt: number, unit: number): number {
  const longest = Math.min(widgetLimits.reconnectLongestMs, widgetLimits.reconnectFirstMs * 2 ** Math.min(attempt, 16))
  return longest * (0.5 + unit / 2)
}

/** Opens the stream and keeps it open until `signal` aborts or control refuses the token or the call. */
export async function subscribe(options: SubscriptionOptions, signal: AbortSignal): Promise<void> {
  let lastEventId: string | undefined
  let attempt = 0
  let everLive = false
  while (!signal.aborted) {
    const reader = new EventStreamReader()
    const end = await readOnce(options, reader, lastEventId, signal, () => {
      attempt = 0
      everLive = true
      options.onLink('live')
    })
    lastEventId = reader.lastEventId ?? lastEventId
    if (signal.aborted) return
    if (end !== 'broken') {
      options.onLink(end)
      return
    }
    attempt += 1
    options.onLink(!everLive && attempt >= TRIES_UNTIL_UNREACHABLE ? 'unreachable' : 'lost')
    await options.pause(reconnectDelayMs(attempt - 1, Math.random()), signal)
  }
}

async function readOnce(
  options: SubscriptionOptions,
  reader: EventStreamReader,
  lastEventId: string | undefined,
  signal: AbortSignal,
  onOpen: () => void,
): Promise<'broken' | Refused> {
  const quiet = new AbortController()
  let quietTimer = setTimeout(() => quiet.abort(), widgetLimits.streamQuietMs)
  try {
    const headers: Record<string, string> = { authorization: options.authorization, accept: 'text/event-stream' }
    if (lastEventId !== undefined) headers['last-event-id'] = lastEventId
    const response = await fetch(options.url, {
      headers,
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.any([signal, quiet.signal]),
    })
    if (!response.ok || response.body === null) return await refusalIn(response)
    onOpen()
    const chunks = response.body.getReader()
    for (let chunk = await chunks.read(); !chunk.done; chunk = await chunks.read()) {
      clearTimeout(quietTimer)
      quietTimer = setTimeout(() => quiet.abort(), widgetLimits.streamQuietMs)
      for (const event of reader.push(chunk.value)) options.onEvent(event)
    }
    return 'broken'
  } catch {
    return 'broken'
  } finally {
    clearTimeout(quietTimer)
  }
}

type Refused = 'token-expired' | 'wrong-call' | 'unknown-call'

const refusals: Readonly<Record<string, Refused>> = {
  FORBIDDEN: 'wrong-call',
  CALL_UNKNOWN: 'unknown-call',
}

/** Besides a refused token only control's own word ends the tries: a proxy between may answer anything for a while. */
async function refusalIn(response: Response): Promise<'broken' | Refused> {
  if (response.status === 401) return 'token-expired'
  const body: unknown = await response.json()
  const error = isObject(body) ? body['error'] : undefined
  const code = isObject(error) ? error['code'] : undefined
  return typeof code === 'string' ? (refusals[code] ?? 'broken') : 'broken'
}

/** The pause of the real clock. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
}
