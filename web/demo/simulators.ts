/**
 * The simulators' side of the page: orders by POST, state and sound by WebSocket. All keypad traffic goes here and
 * nowhere else.
 */
import { type LiveFrame, readLiveFrame } from './live-frame.ts'

export type Carriage = 'in-band' | 'event' | 'info'

export interface SimState {
  readonly call: { readonly state: 'idle' | 'calling' | 'ringing' | 'answered' | 'ended'; readonly callId?: string }
  readonly widget?: { readonly api: string; readonly token: string; readonly callId: string }
  readonly carriage: Carriage
}

type Order =
  | readonly ['/caller/call' | '/caller/hang-up' | '/caller/speak', object]
  | readonly ['/caller/key', { readonly key: string; readonly carriage: Carriage }]

const RECONNECT_MS = 1_500

/** @returns false when the simulators refuse or do not answer */
export async function order(...[path, body]: Order): Promise<boolean> {
  try {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
    return response.ok
  } catch {
    return false
  }
}

export interface LiveListener {
  onState(state: SimState): void
  onFrame(frame: LiveFrame): void
  onConnected(connected: boolean): void
}

/** Listens for as long as the page is open; comes back by itself when the simulators were restarted. */
export function listen(listener: LiveListener): void {
  const address = new URL('/live', location.href)
  address.protocol = address.protocol.replace('http', 'ws')
  const socket = new WebSocket(address)
  socket.binaryType = 'arraybuffer'
  socket.addEventListener('open', () => listener.onConnected(true))
  socket.addEventListener('close', () => {
    listener.onConnected(false)
    setTimeout(() => listen(listener), RECONNECT_MS)
  })
  socket.addEventListener('message', (event: MessageEvent<string | ArrayBuffer>) => {
    if (typeof event.data === 'string') {
      listener.onState(JSON.parse(event.data) as SimState)
      return
    }
    const frame = readLiveFrame(event.data)
    if (typeof frame !== 'string') listener.onFrame(frame)
  })
}
