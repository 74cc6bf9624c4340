import { dtmfLimits } from '../../lib/limits.ts'
import { type AudioFormat, isSpeech, type SpeechFormat } from '../media/audio-formats.ts'
import { durationUnits } from '../media/codecs/speech-codecs.ts'

/** What an incoming payload type is on the caller's side. */
export type Incoming = SpeechFormat | 'telephone-event' | 'CN' | 'unknown'

const EVENT_CLOCK_HZ = 8_000

/** The negotiated formats of both legs, as one lookup. */
export class Formats {
  readonly #caller: readonly AudioFormat[]
  readonly #isUntouched = new Uint8Array(128)
  /** What the agent gets; undefined while the agent takes no audio that we know. */
  readonly agentAudio: SpeechFormat | undefined
  /** In the clock of the audio where the agent has them so (RFC 4733 2.1); undefined when the agent takes no events. */
  readonly agentEvents: AudioFormat | undefined
  /** Comfort noise in the clock of the audio (RFC 3389 4). */
  readonly agentNoise: AudioFormat | undefined

  constructor(caller: readonly AudioFormat[], agent: readonly AudioFormat[]) {
    this.#caller = caller
    // MED-08: the same codec on both legs where both have it.
    const audio = agent.filter(isSpeech)
    this.agentAudio = audio.find(({ codec }) => caller.some((format) => format.codec === codec)) ?? audio[0]
    const events = agent.filter(({ codec }) => codec === 'telephone-event')
    this.agentEvents = events.find(({ clockHz }) => clockHz === this.agentAudio?.clockHz) ?? events[0]
    this.agentNoise = agent.find(({ codec, clockHz }) => codec === 'CN' && clockHz === this.agentAudio?.clockHz)
    for (const { payloadType, codec } of caller.toReversed()) {
      this.#isUntouched[payloadType] = codec === this.agentAudio?.codec ? 1 : 0
    }
  }

  /** True for audio in the agent's codec: its payload crosses as it is while nothing is masked. */
  isUntouched(payloadType: number): boolean {
    return this.#isUntouched[payloadType] === 1
  }

  incoming(payloadType: number): Incoming {
    const format = this.#caller.find((candidate) => candidate.payloadType === payloadType)
    if (format === undefined) return 'unknown'
    if (isSpeech(format)) return format
    return format.codec === 'CN' ? 'CN' : 'telephone-event'
  }

  /** Clock of a payload type of the caller's, in Hz. */
  clockHz(payloadType: number): number {
    return this.#caller.find((format) => format.payloadType === payloadType)?.clockHz ?? EVENT_CLOCK_HZ
  }

  get callerHasEvents(): boolean {
    return this.#caller.some(({ codec }) => codec === 'telephone-event')
  }
}

/**
 * MED-18: lengths are what they are. Of G.711 and G.722 five milliseconds are the least that anyone sends as audio; a packet of
 * Opus says its length itself, and four octets stay suspect.
 * @param start of the payload in `octets`
 * @returns how long the audio is, in units of its clock; 0 for what is none
 */
export function audioUnits(
  { codec }: Pick<SpeechFormat, 'codec'>,
  octets: Uint8Array,
  start: number,
  length: number,
): number {
  if (length === 4) return 0
  const units = durationUnits(codec, octets, start, length)
  if (codec === 'opus') return units
  return units >= dtmfLimits.audioSamplesMin && units <= dtmfLimits.audioSamplesMax ? units : 0
}
