/** From one codec to another, for the two sides of a call that share none. One per stream: the coders keep state. */
import { mediaLimits } from '../../lib/limits.ts'
import type { AudioDecoder, AudioEncoder } from './codecs/codec.ts'
import { newDecoder, newEncoder } from './codecs/coders.ts'
import type { SpeechCodec } from './codecs/speech-codecs.ts'
import { Decimator, Interpolator, SPEECH_REACH } from './resample.ts'

/** One packet at 16 kHz: 120 ms are the most that a codec of ours carries (RFC 6716 2.1.4). */
const SAMPLES_MAX = 1_920

/** The transcoder of a stream whose codecs may change with a new offer: the last pair is kept, any other begins anew. */
export class Transcoders {
  #last: { readonly from: SpeechCodec; readonly to: SpeechCodec; readonly coder: Transcoder } | undefined

  /** @returns `payload` itself where there is nothing to do; else as `Transcoder.transcode` */
  transcode(payload: Uint8Array, from: SpeechCodec, to: SpeechCodec): Uint8Array | undefined {
    if (from === to) return payload
    if (this.#last?.from !== from || this.#last.to !== to) {
      this.close()
      this.#last = { from, to, coder: new Transcoder(from, to) }
    }
    return this.#last.coder.transcode(payload)
  }

  close(): void {
    this.#last?.coder.close()
    this.#last = undefined
  }
}

class Transcoder {
  readonly #decoder: AudioDecoder
  readonly #encoder: AudioEncoder
  readonly #resampler: Decimator | Interpolator | undefined
  readonly #decoded = new Int16Array(SAMPLES_MAX)
  readonly #resampled = new Int16Array(SAMPLES_MAX)
  readonly #payload = new Uint8Array(mediaLimits.packetOctetsMax)

  constructor(from: SpeechCodec, to: SpeechCodec) {
    this.#decoder = newDecoder(from)
    this.#encoder = newEncoder(to)
    const ratio = this.#encoder.sampleRateHz / this.#decoder.sampleRateHz
    if (ratio > 1) this.#resampler = new Interpolator(ratio, SPEECH_REACH)
    else if (ratio < 1) this.#resampler = new Decimator(1 / ratio, SPEECH_REACH)
  }

  /**
   * In the order of arrival; what is missing is left to the listener's own concealment.
   * @returns the payload, good until the next call; undefined when there is none: not decodable, or, towards Opus, of a
   * length that is no frame (RFC 6716 2.1.4)
   */
  transcode(payload: Uint8Array): Uint8Array | undefined {
    const count = this.#decoder.decode(payload, this.#decoded)
    if (typeof count === 'string') return undefined
    const decoded = this.#decoded.subarray(0, count)
    const octets = this.#encoder.encode(this.#atTargetRate(decoded), this.#payload)
    return octets === 0 ? undefined : this.#payload.subarray(0, octets)
  }

  close(): void {
    this.#decoder.close()
    this.#encoder.close()
    this.#decoded.fill(0)
    this.#resampled.fill(0)
  }

  #atTargetRate(samples: Int16Array): Int16Array {
    if (this.#resampler === undefined) return samples
    const room =
      this.#encoder.sampleRateHz > this.#decoder.sampleRateHz ? samples.subarray(0, SAMPLES_MAX / 2) : samples
    return this.#resampled.subarray(0, this.#resampler.push(room, this.#resampled))
  }
}
