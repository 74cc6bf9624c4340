/**
 * Noise in the pauses of a sender of comfort noise (RFC 3389), for a listener who does not know it: white, at the level that the
 * sender states. Its spectrum (RFC 3389 3.2) is left out.
 */
import { mediaLimits } from '../../lib/limits.ts'
import type { AudioEncoder } from './codecs/codec.ts'
import { newEncoder } from './codecs/coders.ts'
import type { SpeechCodec } from './codecs/speech-codecs.ts'

const FRAME_MS = 20
const FULL_SCALE = 32_768
/** RFC 3389 3.1: the level is seven bits, in dB below full scale. Louder than this is no background. */
const LEVEL_DB_MIN = 30
const PAYLOAD_OCTETS_MAX = 320

interface NoiseCoder {
  readonly codec: SpeechCodec
  readonly encoder: AudioEncoder
  /** 20 ms at the encoder's rate. */
  readonly samples: Int16Array
}

export class ComfortFill {
  #peak = 0
  #untilMs = Number.NEGATIVE_INFINITY
  #state = 0x2545f491
  #coder: NoiseCoder | undefined
  readonly #payload = new Uint8Array(PAYLOAD_OCTETS_MAX)

  /** From a packet of comfort noise until `stop`, or until none has come for long. */
  start(payload: Uint8Array, nowMs: number): void {
    const levelDb = Math.max(LEVEL_DB_MIN, (payload[0] ?? 0x7f) & 0x7f)
    this.#peak = FULL_SCALE * 10 ** (-levelDb / 20) * Math.sqrt(3)
    this.#untilMs = nowMs + mediaLimits.comfortFillMs
  }

  stop(): void {
    this.#untilMs = Number.NEGATIVE_INFINITY
  }

  isOn(nowMs: number): boolean {
    return nowMs < this.#untilMs
  }

  /** The next 20 ms. @returns a payload that is good until the next call */
  frame(codec: SpeechCodec): Uint8Array {
    const { encoder, samples } = this.#coderOf(codec)
    for (let i = 0; i < samples.length; i++) {
      // Marsaglia's xorshift: flat enough for noise, and no secret depends on it.
      this.#state ^= this.#state << 13
      this.#state ^= this.#state >>> 17
      this.#state ^= this.#state << 5
      samples[i] = Math.round((this.#state / 0x8000_0000) * this.#peak)
    }
    return this.#payload.subarray(0, encoder.encode(samples, this.#payload))
  }

  close(): void {
    this.stop()
    this.#coder?.encoder.close()
    this.#coder = undefined
  }

  #coderOf(codec: SpeechCodec): NoiseCoder {
    if (this.#coder?.codec === codec) return this.#coder
    this.#coder?.encoder.close()
    const encoder = newEncoder(codec)
    this.#coder = { codec, encoder, samples: new Int16Array((encoder.sampleRateHz * FRAME_MS) / 1_000) }
    return this.#coder
  }
}
