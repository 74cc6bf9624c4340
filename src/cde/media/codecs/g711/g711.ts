/** G.711 as a codec among the others; tables and laws are in `lib/g711.ts`. It has no state. */
import { decodeG711, encodeG711, type G711Codec } from '../../g711.ts'
import type { AudioDecoder, AudioEncoder, DecodeProblem } from '../codec.ts'

export class G711Encoder implements AudioEncoder {
  readonly sampleRateHz = 8_000
  readonly #codec: G711Codec

  constructor(codec: G711Codec) {
    this.#codec = codec
  }

  encode(samples: Int16Array, payload: Uint8Array): number {
    encodeG711(this.#codec, samples, payload)
    return samples.length
  }

  reset(): void {}

  close(): void {}
}

export class G711Decoder implements AudioDecoder {
  readonly sampleRateHz = 8_000
  readonly #codec: G711Codec

  constructor(codec: G711Codec) {
    this.#codec = codec
  }

  /** Every octet is decodable. */
  decode(payload: Uint8Array, samples: Int16Array): number | DecodeProblem {
    if (payload.length === 0) return 'empty'
    if (payload.length > samples.length) return 'too-long'
    decodeG711(this.#codec, payload, samples)
    return payload.length
  }

  reset(): void {}

  close(): void {}
}
