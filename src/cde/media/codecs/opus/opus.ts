/**
 * Opus (RFC 6716) in RTP (RFC 7587), mono. The RTP clock is 48 kHz whatever the rate of the samples here (RFC 7587 4.1).
 * Sent at a constant bit rate, without in-band FEC and without DTX, so that neither the size of a packet nor a copy of its
 * predecessor says anything about what was masked (dtmf reference, 6).
 */
import type { AudioDecoder, AudioEncoder, DecodeProblem } from '../codec.ts'
import { type OpusHandler, opusNative } from './native.ts'
import { readOpusPacket } from './packet.ts'

export type OpusRateHz = 8_000 | 16_000

// Requests of libopus, `opus_defines.h`.
const SET_APPLICATION = 4_000
const SET_BITRATE = 4_002
const SET_VBR = 4_006
const SET_COMPLEXITY = 4_010
const SET_INBAND_FEC = 4_012
const SET_DTX = 4_016
const RESET_STATE = 4_028

/**
 * The CELT layer only (RFC 6716 2.1). SILK costs eight times as much, looks 4 ms further ahead, can carry copies of the frame
 * before (LBRR), and at the edge of a tone in silence it may overshoot to full scale, in libopus of any build.
 */
const RESTRICTED_LOWDELAY = 2_051
/** 80 octets per 20 ms: wide-band speech (RFC 7587 3.1.1 recommends 16 to 20 kbit/s and up to 40 for full band). */
const BITRATE = 32_000
/** 0–10, quality against cost; the cost is in ../README.md. */
const COMPLEXITY = 3

/** Frames of libopus, in 10 ms, and the most that a packet may last (RFC 6716 2.1.4, 3.2.5). */
const libopusTens: readonly number[] = [1, 2, 4, 6]
const TENS_MAX = 12
/** RFC 6716 3.2.1. */
const FRAME_OCTETS_MAX = 1_276

export class OpusEncoder implements AudioEncoder {
  readonly sampleRateHz: OpusRateHz
  #handler: OpusHandler | undefined

  constructor(sampleRateHz: OpusRateHz) {
    this.sampleRateHz = sampleRateHz
    const handler = opusNative().open('encoder', sampleRateHz)
    handler?._encoder_ctl(SET_APPLICATION, RESTRICTED_LOWDELAY)
    handler?._encoder_ctl(SET_BITRATE, BITRATE)
    handler?._encoder_ctl(SET_VBR, 0)
    handler?._encoder_ctl(SET_INBAND_FEC, 0)
    handler?._encoder_ctl(SET_DTX, 0)
    handler?._encoder_ctl(SET_COMPLEXITY, COMPLEXITY)
    this.#handler = handler
  }

  /** @returns octets written; 0 when the frame's length is none of Opus', the encoder was closed or the thread had none to give */
  encode(samples: Int16Array, payload: Uint8Array): number {
    const tens = (100 * samples.length) / this.sampleRateHz
    if (libopusTens.includes(tens)) return this.#encodeFrame(samples, payload)
    return Number.isInteger(tens) && tens <= TENS_MAX ? this.#encodeTens(samples, payload) : 0
  }

  /**
   * What libopus has no frame for, as frames of 10 ms in one packet: they are of one size, so they follow each other without lengths
   * (RFC 6716 3.2.5: two octets, code 3 and the count of frames at a constant rate).
   */
  #encodeTens(samples: Int16Array, payload: Uint8Array): number {
    const frame = this.sampleRateHz / 100
    const packet = new Uint8Array(FRAME_OCTETS_MAX)
    let octets = 2
    for (let from = 0; from < samples.length; from += frame) {
      const length = this.#encodeFrame(samples.subarray(from, from + frame), packet)
      if (length === 0) return 0
      payload.set(packet.subarray(1, length), octets)
      octets += length - 1
    }
    payload[0] = (packet[0] ?? 0) | 3
    payload[1] = samples.length / frame
    return octets
  }

  #encodeFrame(samples: Int16Array, payload: Uint8Array): number {
    if (this.#handler === undefined) return 0
    return Math.max(0, opusNative().encode(this.#handler, samples, payload))
  }

  reset(): void {
    this.#handler?._encoder_ctl(RESET_STATE, 0)
  }

  close(): void {
    if (this.#handler !== undefined) opusNative().close('encoder', this.sampleRateHz, this.#handler)
    this.#handler = undefined
  }
}

export class OpusDecoder implements AudioDecoder {
  readonly sampleRateHz: OpusRateHz
  #handler: OpusHandler | undefined

  constructor(sampleRateHz: OpusRateHz) {
    this.sampleRateHz = sampleRateHz
    this.#handler = opusNative().open('decoder', sampleRateHz)
  }

  /** What the sender left out (DTX) is silence: libopus would go on with what was said last, and that may be a tone. */
  decode(payload: Uint8Array, samples: Int16Array): number | DecodeProblem {
    const packet = readOpusPacket(payload)
    if (packet === 'empty' || packet === 'too-long') return packet
    if (packet === 'no-frame-count' || this.#handler === undefined) return 'not-decodable'
    const expected = (packet.durationSamples48k * this.sampleRateHz) / 48_000
    if (expected > samples.length) return 'too-long'
    const count = opusNative().decode(this.#handler, payload, samples)
    if (count !== expected) return 'not-decodable'
    if (packet.isSilent) samples.fill(0, 0, count)
    return count
  }

  reset(): void {
    this.#handler?._decoder_ctl(RESET_STATE, 0)
  }

  close(): void {
    if (this.#handler !== undefined) opusNative().close('decoder', this.sampleRateHz, this.#handler)
    this.#handler = undefined
  }
}
