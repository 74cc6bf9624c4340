/** Live sound and state for the page: every frame and every change goes to all connected browsers. */
import type { WebSocket } from 'ws'
import { simLimits } from '../lib/limits.ts'
import { FRAME_SAMPLES } from './audio-source.ts'
import type { SimState, StateHolder } from './state.ts'

/** 0: what the caller sends; 1: what the agent hears. */
export type LiveLeg = 0 | 1

const HEADER_OCTETS = 4

/** One binary message: octet 0 = leg, octets 1–3 zero, then 160 samples of 16 bits, little-endian. */
export function writeLiveFrame(leg: LiveLeg, samples: Int16Array): Uint8Array {
  const message = new Uint8Array(HEADER_OCTETS + FRAME_SAMPLES * 2)
  const view = new DataView(message.buffer)
  view.setUint8(0, leg)
  for (let i = 0; i < FRAME_SAMPLES; i++) view.setInt16(HEADER_OCTETS + i * 2, samples[i] ?? 0, true)
  return message
}

export class LiveHub {
  readonly #state: StateHolder
  readonly #clients = new Set<WebSocket>()
  #droppedFrames = 0
  #deserted: NodeJS.Timeout | undefined

  constructor(state: StateHolder) {
    this.#state = state
    state.onChange((value) => this.#tell(value))
  }

  /** Frames left out because a browser did not keep up. */
  get droppedFrames(): number {
    return this.#droppedFrames
  }

  get full(): boolean {
    return this.#clients.size >= simLimits.liveClientsMax
  }

  /** A browser listens. */
  get watched(): boolean {
    return this.#clients.size > 0
  }

  /** Called when the last browser has left and none came within `simLimits.desertedMs`. */
  onDeserted: () => void = () => {}

  /** Takes a browser in and tells it the present state. */
  join(client: WebSocket): void {
    this.#clients.add(client)
    clearTimeout(this.#deserted)
    client.on('close', () => this.#leave(client))
    // A broken browser connection closes itself; nothing else depends on it.
    client.on('error', () => client.terminate())
    // Browsers only listen here; one that talks is not our page.
    client.on('message', () => client.close(1_008))
    client.send(JSON.stringify(this.#state.value))
  }

  frame(leg: LiveLeg, samples: Int16Array): void {
    if (this.#clients.size === 0) return
    const message = writeLiveFrame(leg, samples)
    for (const client of this.#clients) {
      if (client.bufferedAmount > simLimits.liveBacklogOctetsMax) this.#droppedFrames++
      else client.send(message)
    }
  }

  close(): void {
    this.onDeserted = () => {}
    clearTimeout(this.#deserted)
    for (const client of this.#clients) client.terminate()
  }

  #leave(client: WebSocket): void {
    this.#clients.delete(client)
    if (this.#clients.size > 0) return
    this.#deserted = setTimeout(() => this.onDeserted(), simLimits.desertedMs)
    this.#deserted.unref()
  }

  #tell(state: SimState): void {
    const text = JSON.stringify(state)
    for (const client of this.#clients) client.send(text)
  }
}
