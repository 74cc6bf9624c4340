import { type AudioFormat, isG711 } from '../media/audio-formats.ts'
import type { LineCodec } from './line-audio.ts'

/** A negotiated way to send audio: payload type and codec. */
export interface AudioType {
  readonly payloadType: number
  readonly codec: LineCodec
}

/** What an incoming payload type is on the caller's side. */
export type IncomingType = LineCodec | 'telephone-event' | 'unknown'

const EVENT_CLOCK_HZ = 8_000

/** The negotiated formats of both legs, as one lookup. */
export class Formats {
  readonly #caller: readonly AudioFormat[]
  readonly #untouched = new Int16Array(128).fill(-1)
  /** What the agent gets; undefined while the agent takes no audio that we know. */
  readonly agentAudio: AudioType | undefined
  /** Undefined when the agent did not negotiate telephone-event at 8 kHz. */
  readonly agentEventType: number | undefined

  constructor(caller: readonly AudioFormat[], agent: readonly AudioFormat[]) {
    this.#caller = caller
    // MED-08: the same codec on both legs where both have it.
    const audio = agent.map(audioType).filter((type) => type !== undefined)
    this.agentAudio = audio.find(({ codec }) => caller.some((format) => format.codec === codec)) ?? audio[0]
    this.agentEventType = agent.find(isEventAt8k)?.payloadType
    for (const { payloadType, codec } of caller.toReversed()) {
      this.#untouched[payloadType] = codec === this.agentAudio?.codec ? this.agentAudio.payloadType : -1
    }
  }

  /** @returns the agent's payload type for audio whose payload crosses as it is; −1 for all else */
  untouched(payloadType: number): number {
    return this.#untouched[payloadType] ?? -1
  }

  incoming(payloadType: number): IncomingType {
    const format = this.#caller.find((candidate) => candidate.payloadType === payloadType)
    if (format === undefined) return 'unknown'
    if (format.codec === 'telephone-event') return format.codec
    return isLineFormat(format) ? format.codec : 'unknown'
  }

  /** Clock of an event payload type (RFC 4733 2.4.1), in Hz. */
  clockHz(payloadType: number): number {
    return this.#caller.find((format) => format.payloadType === payloadType)?.clockHz ?? EVENT_CLOCK_HZ
  }

  get callerHasEvents(): boolean {
    return this.#caller.some(({ codec }) => codec === 'telephone-event')
  }
}

function audioType(format: AudioFormat): AudioType | undefined {
  return isLineFormat(format) ? { payloadType: format.payloadType, codec: format.codec } : undefined
}

/** Opus has another clock; comfort noise is left out, and its pauses are silence. */
function isLineFormat(format: AudioFormat): format is AudioFormat & { readonly codec: LineCodec } {
  return isG711(format) || format.codec === 'G722'
}

function isEventAt8k(format: AudioFormat): boolean {
  return format.codec === 'telephone-event' && format.clockHz === EVENT_CLOCK_HZ
}
