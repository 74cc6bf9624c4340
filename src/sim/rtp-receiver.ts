/** A phone's incoming RTP: decodes G.711 onto a time line, for recording and for live listening. Sans-I/O. */
import { type AudioFormat, isG711 } from '../cde/media/audio-formats.ts'
import { decodeG711, type G711Codec } from '../cde/media/g711.ts'
import { parseRtp } from '../cde/media/rtp.ts'
import { MediaTime } from './media-time.ts'
import { Playout } from './playout.ts'
import { Recorder, type Recording } from './recorder.ts'

export class RtpReceiver {
  readonly #time = new MediaTime()
  readonly #recorder = new Recorder()
  readonly #playout = new Playout()
  readonly #onEvent: (payload: Uint8Array, ssrc: number, timestamp: number) => void
  readonly #counters = { audioPackets: 0, eventPackets: 0, otherPackets: 0, refusedPackets: 0 }
  #audio = new Map<number, G711Codec>()
  #eventPayloadType = -1

  /** @param onEvent an RFC 4733 packet as it came; an agent's phone behind Tonewall must never see one while armed */
  constructor(onEvent: (payload: Uint8Array, ssrc: number, timestamp: number) => void) {
    this.#onEvent = onEvent
  }

  /** What the other side may send: from the offer/answer. */
  setFormats(formats: readonly AudioFormat[]): void {
    this.#audio = new Map()
    this.#eventPayloadType = -1
    for (const format of formats) {
      if (format.codec === 'telephone-event') this.#eventPayloadType = format.payloadType
      else if (isG711(format)) this.#audio.set(format.payloadType, format.codec)
    }
  }

  receive(datagram: Uint8Array, nowMs: number): void {
    const packet = parseRtp(datagram)
    if (typeof packet === 'string') {
      this.#counters.refusedPackets++
      return
    }
    const codec = this.#audio.get(packet.payloadType)
    if (codec !== undefined) {
      this.#counters.audioPackets++
      const samples = decodeG711(codec, packet.payload)
      const position = this.#time.position(packet.ssrc, packet.timestamp, samples.length, nowMs)
      this.#recorder.write(position, samples)
      this.#playout.write(position, samples)
    } else if (packet.payloadType === this.#eventPayloadType) {
      this.#counters.eventPackets++
      this.#onEvent(packet.payload, packet.ssrc, packet.timestamp)
    } else this.#counters.otherPackets++
  }

  /** The next 20 ms for a live listener; call once per 20 ms. */
  nextLiveFrame(): Int16Array {
    return this.#playout.next()
  }

  /** Undefined when nothing was received. */
  recording(): Recording | undefined {
    const startedAtMs = this.#time.originMs
    return startedAtMs === undefined ? undefined : this.#recorder.recording(startedAtMs)
  }

  counters(): Readonly<Record<'audioPackets' | 'eventPackets' | 'otherPackets' | 'refusedPackets', number>> {
    return { ...this.#counters }
  }
}
