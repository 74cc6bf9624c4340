/**
 * The call's event stream, held open by streaming fetch: it resumes where it broke off (Last-Event-ID) and backs off.
 */
import { widgetLimits } from '../../src/lib/limits.ts'
import { EventStreamReader, type ServerEvent } from './sse.ts'

export interface SubscriptionOptions {
  readonly url: string
  readonly authorization: string
  readonly onEvent: (event: ServerEvent) => void
  readonly onLink: (link: 'live' | 'lost' | 'token-expired') => void
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

/** Opens the stream and keeps it open until `signal` aborts or control refuses the token. */
export async function subscribe(options: SubscriptionOptions, signal: AbortSignal): Promise<void> {
  let lastEventId: string | undefined
  let attempt = 0
  while (!signal.aborted) {
    const reader = new EventStreamReader()
    const end = await readOnce(options, reader, lastEventId, signal, () => {
      attempt = 0
      options.onLink('live')
    })
    lastEventId = reader.lastEventId ?? lastEventId
    if (signal.aborted) return
    if (end === 'refused') {
      options.onLink('token-expired')
      return
    }
    options.onLink('lost')
    await options.pause(reconnectDelayMs(attempt, Math.random()), signal)
    attempt += 1
  }
}

async function readOnce(
  options: SubscriptionOptions,
  reader: EventStreamReader,
  lastEventId: string | undefined,
  signal: AbortSignal,
  onOpen: () => void,
): Promise<'broken' | 'refused'> {
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
    if (response.status === 401 || response.status === 403) return 'refused'
    if (!response.ok || response.body === null) return 'broken'
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
