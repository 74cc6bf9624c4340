/**
 * The codecs at both ends of the delay line. The line decides at 8 kHz; where the agent hears 16 kHz, the wide samples go
 * through it beside the narrow ones, two for each position, and are masked with them.
 */
import { G722Decoder, G722Encoder } from '../media/codecs/g722/g722.ts'
import type { G711Codec } from '../media/g711.ts'
import { decodeG711, encodeG711 } from '../media/g711.ts'
import { DECISION_REACH, Decimator, Interpolator, SPEECH_REACH } from '../media/resample.ts'

/** Codecs whose RTP clock is 8 kHz and whose octets are units of it: what the line can carry. */
export type LineCodec = G711Codec | 'G722'

/** The audio at both ends of one line, from arming until it is played out. */
export class LineAudio {
  readonly isWide: boolean
  readonly #source: SourceAudio
  readonly #agent: AgentAudio
  /** What leaves next, for the line to fill. */
  readonly frame: Int16Array
  /** The same at 16 kHz, on a wide line. */
  readonly wideFrame: Int16Array | undefined

  /** @param agentCodec what the agent hears when the line begins; may change later. @param samplesMax of one packet, at 8 kHz */
  constructor(agentCodec: LineCodec | undefined, frameSamples: number, samplesMax: number) {
    this.isWide = agentCodec === 'G722'
    this.#source = new SourceAudio(this.isWide, samplesMax)
    this.#agent = new AgentAudio(frameSamples)
    this.frame = new Int16Array(frameSamples)
    this.wideFrame = this.isWide ? new Int16Array(2 * frameSamples) : undefined
  }

  decode(codec: LineCodec, payload: Uint8Array): ReturnType<SourceAudio['decode']> {
    return this.#source.decode(codec, payload)
  }

  /** Zeroes the samples of the last packet, which are on the line now. */
  forget(): void {
    this.#source.forget()
  }

  /** Encodes what the line has filled. @returns the payload, good until the next call */
  encode(codec: LineCodec): Uint8Array {
    return this.#agent.encode(codec, this.frame, this.wideFrame)
  }

  silence(): void {
    this.frame.fill(0)
    this.wideFrame?.fill(0)
  }

  wipe(): void {
    this.silence()
    this.#source.wipe()
  }
}

/** Caller → line: one source's decoder, and what makes narrow and wide samples belong together. */
class SourceAudio {
  readonly #isWide: boolean
  readonly #decoder = new G722Decoder()
  readonly #toNarrow: Decimator
  readonly #toWide = new Interpolator(2, DECISION_REACH)
  readonly #narrowDelay = new Delay(DECISION_REACH)
  readonly #wideDelay = new Delay(2 * DECISION_REACH)
  readonly #narrow: Int16Array
  readonly #wide: Int16Array

  /** @param isWide whether the line takes wide samples too; then all audio is 1.5 ms late, whatever its codec */
  constructor(isWide: boolean, samplesMax: number) {
    this.#isWide = isWide
    this.#toNarrow = new Decimator(2, isWide ? DECISION_REACH : SPEECH_REACH)
    this.#narrow = new Int16Array(samplesMax)
    this.#wide = new Int16Array(2 * samplesMax)
  }

  /**
   * One packet. The samples are good until the next call.
   * @param payload at most `samplesMax` octets
   */
  decode(
    codec: LineCodec,
    payload: Uint8Array,
  ): { readonly narrow: Int16Array; readonly wide: Int16Array | undefined } {
    const narrow = this.#narrow.subarray(0, payload.length)
    const wide = this.#wide.subarray(0, 2 * payload.length)
    if (codec === 'G722') {
      this.#decoder.decode(payload, wide)
      this.#toNarrow.push(wide, narrow)
      if (this.#isWide) this.#wideDelay.pass(wide)
    } else {
      decodeG711(codec, payload, narrow)
      if (this.#isWide) {
        this.#toWide.push(narrow, wide)
        this.#narrowDelay.pass(narrow)
      }
    }
    return { narrow, wide: this.#isWide ? wide : undefined }
  }

  /** Zeroes the samples of the last packet, which are on the line now. */
  forget(): void {
    this.#narrow.fill(0)
    this.#wide.fill(0)
  }

  wipe(): void {
    this.forget()
    this.#decoder.reset()
    this.#toNarrow.reset()
    this.#toWide.reset()
    this.#narrowDelay.reset()
    this.#wideDelay.reset()
  }
}

/** Line → agent: one encoder for as long as the line lives, fed without a break, so that it never holds what was not masked. */
class AgentAudio {
  readonly #encoder = new G722Encoder()
  readonly #toWide = new Interpolator(2, SPEECH_REACH)
  readonly #widened: Int16Array
  readonly #payload: Uint8Array

  constructor(frameSamples: number) {
    this.#widened = new Int16Array(2 * frameSamples)
    this.#payload = new Uint8Array(frameSamples)
  }

  /** @param wide undefined on a narrow line. @returns the payload, good until the next call */
  encode(codec: LineCodec, narrow: Int16Array, wide: Int16Array | undefined): Uint8Array {
    if (codec !== 'G722') return encodeG711(codec, narrow, this.#payload)
    if (wide === undefined) this.#toWide.push(narrow, this.#widened)
    this.#encoder.encode(wide ?? this.#widened, this.#payload)
    return this.#payload
  }
}

/**
 * The wide samples of masked positions are made from the narrow ones, in which the replacement stands: whatever it is, it is
 * the same for all keys at either rate. A straight line between two of them is enough for a pip of 440 Hz.
 * @param marks one for each narrow sample; zero where nothing is masked
 */
export function coverWide(wide: Int16Array, narrow: Int16Array, marks: Uint8Array): void {
  for (let i = 0; i < narrow.length; i++) {
    if (marks[i] === 0) continue
    const sample = narrow[i] as number
    const next = i + 1 < narrow.length && marks[i + 1] !== 0 ? (narrow[i + 1] as number) : sample
    wide[2 * i] = sample
    wide[2 * i + 1] = (sample + next) >> 1
  }
}

/** Samples come out as many later as it is long. */
class Delay {
  readonly #held: Int16Array
  readonly #leaving: Int16Array

  constructor(samples: number) {
    this.#held = new Int16Array(samples)
    this.#leaving = new Int16Array(samples)
  }

  /** @param samples shifted in place; at least as many as the delay, which every packet of 5 ms is */
  pass(samples: Int16Array): void {
    const delay = this.#held.length
    this.#leaving.set(this.#held)
    this.#held.set(samples.subarray(samples.length - delay))
    samples.copyWithin(delay, 0, samples.length - delay)
    samples.set(this.#leaving)
  }

  reset(): void {
    this.#held.fill(0)
    this.#leaving.fill(0)
  }
}
