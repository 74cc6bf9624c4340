/** ITU-T G.722 at 64 kbit/s (mode 1), one octet per two samples of 16 kHz: two bits of the higher band, six of the lower. */
import type { AudioDecoder, AudioEncoder, DecodeProblem } from '../codec.ts'
import { HighBand, LowBand } from './bands.ts'
import { BandJoiner, BandSplitter } from './qmf.ts'

const SAMPLE_RATE_HZ = 16_000

export class G722Encoder implements AudioEncoder {
  readonly sampleRateHz = SAMPLE_RATE_HZ
  readonly #split = new BandSplitter()
  readonly #low = new LowBand()
  readonly #high = new HighBand()

  /** @param samples an even number of them, 16 bits. @returns the octets written, half as many */
  encode(samples: Int16Array, payload: Uint8Array): number {
    const octets = Math.min(samples.length >> 1, payload.length)
    for (let i = 0; i < octets; i++) {
      this.#split.push(samples[2 * i] as number, samples[2 * i + 1] as number)
      payload[i] = (this.#high.encode(this.#split.high) << 6) | this.#low.encode(this.#split.low)
    }
    return octets
  }

  reset(): void {
    this.#split.reset()
    this.#low.reset()
    this.#high.reset()
  }

  close(): void {
    this.reset()
  }
}

export class G722Decoder implements AudioDecoder {
  readonly sampleRateHz = SAMPLE_RATE_HZ
  readonly #join = new BandJoiner()
  readonly #low = new LowBand()
  readonly #high = new HighBand()

  /** Every octet is decodable. @returns the samples written, two for each octet */
  decode(payload: Uint8Array, samples: Int16Array): number | DecodeProblem {
    if (payload.length === 0) return 'empty'
    if (2 * payload.length > samples.length) return 'too-long'
    for (let i = 0; i < payload.length; i++) {
      const octet = payload[i] as number
      this.#join.push(this.#low.decode(octet & 0x3f), this.#high.decode(octet >> 6))
      samples[2 * i] = this.#join.first
      samples[2 * i + 1] = this.#join.second
    }
    return 2 * payload.length
  }

  reset(): void {
    this.#join.reset()
    this.#low.reset()
    this.#high.reset()
  }

  close(): void {
    this.reset()
  }
}
