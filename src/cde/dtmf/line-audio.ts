/**
 * The codecs at both ends of the delay line. The line decides at 8 kHz; where the agent hears 16 kHz, the wide samples go
 * through it beside the narrow ones, two for each position, and are masked with them.
 */
import type { AudioDecoder, AudioEncoder } from '../media/codecs/codec.ts'
import { newDecoder, newEncoder, silentPayload } from '../media/codecs/coders.ts'
import { type SpeechCodec, speechCodecs } from '../media/codecs/speech-codecs.ts'
import { decodeG711, encodeG711, type G711Codec } from '../media/g711.ts'
import { DECISION_REACH, Decimator, Interpolator, SPEECH_REACH } from '../media/resample.ts'

/** Room for 20 ms of any codec. */
const PAYLOAD_OCTETS_MAX = 320
/**
 * SILK predicts each frame from those before (RFC 6716 4.2): after a lost one the rest of a tone is bent out of shape, so that it
 * may not look like a tone any more, and still give the key away.
 */
const UNSETTLED_SAMPLES = 640

/** The samples of one packet, at 8 kHz and, on a wide line, at 16 kHz too. */
export interface LineSamples {
  readonly narrow: Int16Array
  readonly wide: Int16Array | undefined
  /** How far, from the packet's beginning, the decoder may still ring with what it missed or heard out of order; in samples of 8 kHz. */
  readonly unsettledSamples: number
}

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
  constructor(agentCodec: SpeechCodec | undefined, frameSamples: number, samplesMax: number) {
    this.isWide = agentCodec !== undefined && speechCodecs[agentCodec].sampleRateHz === 16_000
    this.#source = new SourceAudio(this.isWide, samplesMax)
    this.#agent = new AgentAudio(frameSamples)
    this.frame = new Int16Array(frameSamples)
    this.wideFrame = this.isWide ? new Int16Array(2 * frameSamples) : undefined
  }

  /** One packet. @returns samples that are good until the next call; undefined for what is no audio */
  decode(codec: SpeechCodec, payload: Uint8Array, sequence: number): LineSamples | undefined {
    return this.#source.decode(codec, payload, sequence)
  }

  /** Zeroes the samples of the last packet, which are on the line now. */
  forget(): void {
    this.#source.forget()
  }

  /** Encodes what the line has filled. @returns the payload, good until the next call */
  encode(codec: SpeechCodec): Uint8Array {
    return this.#agent.encode(codec, this.frame, this.wideFrame)
  }

  silence(): void {
    this.frame.fill(0)
    this.wideFrame?.fill(0)
  }

  /** Zeroes all audio and gives the coders back. */
  wipe(): void {
    this.silence()
    this.#source.wipe()
    this.#agent.wipe()
  }
}

/** Caller → line: one source's decoder, and what makes narrow and wide samples belong together. */
class SourceAudio {
  readonly #isWide: boolean
  readonly #decoders = new Coders(newDecoder)
  readonly #toNarrow: Decimator
  readonly #toWide = new Interpolator(2, DECISION_REACH)
  readonly #narrowDelay = new Delay(DECISION_REACH)
  readonly #wideDelay = new Delay(2 * DECISION_REACH)
  readonly #narrow: Int16Array
  readonly #wide: Int16Array
  #lastCodec: SpeechCodec | undefined
  #nextSequence = 0

  /** @param isWide whether the line takes wide samples too; then all audio is 1.5 ms late, whatever its codec */
  constructor(isWide: boolean, samplesMax: number) {
    this.#isWide = isWide
    this.#toNarrow = new Decimator(2, isWide ? DECISION_REACH : SPEECH_REACH)
    this.#narrow = new Int16Array(samplesMax)
    this.#wide = new Int16Array(2 * samplesMax)
  }

  decode(codec: SpeechCodec, payload: Uint8Array, sequence: number): LineSamples | undefined {
    // Between two packets of one codec its decoder misses nothing; at the first one it knows nothing of what came before.
    const isInOrder = codec === this.#lastCodec && sequence === this.#nextSequence
    this.#lastCodec = codec
    this.#nextSequence = (sequence + 1) & 0xffff
    const unsettledSamples = codec === 'opus' && !isInOrder ? UNSETTLED_SAMPLES : 0
    return isNarrow(codec) ? this.#decodeNarrow(codec, payload) : this.#decodeWide(codec, payload, unsettledSamples)
  }

  #decodeWide(codec: WideCodec, payload: Uint8Array, unsettledSamples: number): LineSamples | undefined {
    const count = this.#decoders.of(codec).decode(payload, this.#wide)
    if (typeof count === 'string') return undefined
    const wide = this.#wide.subarray(0, count)
    const narrow = this.#narrow.subarray(0, count / 2)
    this.#toNarrow.push(wide, narrow)
    if (!this.#isWide) return { narrow, wide: undefined, unsettledSamples }
    this.#wideDelay.pass(wide)
    return { narrow, wide, unsettledSamples }
  }

  #decodeNarrow(codec: G711Codec, payload: Uint8Array): LineSamples | undefined {
    if (payload.length > this.#narrow.length) return undefined
    const narrow = this.#narrow.subarray(0, payload.length)
    decodeG711(codec, payload, narrow)
    if (!this.#isWide) return { narrow, wide: undefined, unsettledSamples: 0 }
    const wide = this.#wide.subarray(0, 2 * payload.length)
    this.#toWide.push(narrow, wide)
    this.#narrowDelay.pass(narrow)
    return { narrow, wide, unsettledSamples: 0 }
  }

  /** Zeroes the samples of the last packet, which are on the line now. */
  forget(): void {
    this.#narrow.fill(0)
    this.#wide.fill(0)
  }

  wipe(): void {
    this.forget()
    this.#decoders.close()
    this.#toNarrow.reset()
    this.#toWide.reset()
    this.#narrowDelay.reset()
    this.#wideDelay.reset()
  }
}

/** Line → agent: one encoder for as long as the line lives, fed without a break, so that it never holds what was not masked. */
class AgentAudio {
  readonly #encoders = new Coders(newEncoder)
  readonly #toWide = new Interpolator(2, SPEECH_REACH)
  readonly #widened: Int16Array
  readonly #payload = new Uint8Array(PAYLOAD_OCTETS_MAX)

  constructor(frameSamples: number) {
    this.#widened = new Int16Array(2 * frameSamples)
  }

  /** @param wide undefined on a narrow line. @returns the payload, good until the next call */
  encode(codec: SpeechCodec, narrow: Int16Array, wide: Int16Array | undefined): Uint8Array {
    if (isNarrow(codec)) return encodeG711(codec, narrow, this.#payload.subarray(0, narrow.length))
    if (wide === undefined) this.#toWide.push(narrow, this.#widened)
    const octets = this.#encoders.of(codec).encode(wide ?? this.#widened, this.#payload)
    // A thread that has no coder left to give: silence, like everything that cannot be masked.
    return octets === 0 ? silentPayload(codec) : this.#payload.subarray(0, octets)
  }

  wipe(): void {
    this.#encoders.close()
    this.#toWide.reset()
    this.#widened.fill(0)
    this.#payload.fill(0)
  }
}

type WideCodec = Exclude<SpeechCodec, G711Codec>

function isNarrow(codec: SpeechCodec): codec is G711Codec {
  return codec === 'PCMA' || codec === 'PCMU'
}

/** One coder for each codec that the line meets, made when it is needed: those of Opus hold memory that has to be given back. */
class Coders<Coder extends AudioDecoder | AudioEncoder> {
  readonly #make: (codec: WideCodec) => Coder
  readonly #made = new Map<WideCodec, Coder>()

  constructor(make: (codec: WideCodec) => Coder) {
    this.#make = make
  }

  of(codec: WideCodec): Coder {
    const made = this.#made.get(codec) ?? this.#make(codec)
    this.#made.set(codec, made)
    return made
  }

  close(): void {
    for (const coder of this.#made.values()) {
      coder.reset()
      coder.close()
    }
    this.#made.clear()
  }
}

/**
 * The wide samples of masked positions are made from the narrow ones, in which the replacement stands: whatever it is, it is
 * the same for all keys at either rate. A straight line between two of them is enough for a pip of 440 Hz.
 * @param from position of the first one. @param to after the last one
 */
export function coverWide(wide: Int16Array, narrow: Int16Array, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const sample = narrow[i] as number
    const next = i + 1 < to ? (narrow[i + 1] as number) : sample
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
