/**
 * What every speech codec offers. Samples are counted at the codec's own rate; RTP timestamps are another thing
 * (RFC 3551 4.5.2: G.722 samples at 16 kHz under a clock of 8 kHz): `clockUnits` of `speech-codecs.ts` converts.
 * Coders keep state from frame to frame: one per stream and direction, never shared. Callers own the buffers, so that nothing
 * is allocated per packet; `reset` forgets the stream, `close` gives back what is not the garbage collector's.
 */

/** Why a payload is not audio. */
export type DecodeProblem = 'empty' | 'too-long' | 'not-decodable'

export interface AudioDecoder {
  /** 8,000 or 16,000 */
  readonly sampleRateHz: number
  /**
   * One RTP payload to samples.
   * @param samples room for 120 ms at `sampleRateHz`; written from its start
   * @returns how many samples were written. After a problem the state is as before
   */
  decode(payload: Uint8Array, samples: Int16Array): number | DecodeProblem
  reset(): void
  close(): void
}

export interface AudioEncoder {
  readonly sampleRateHz: number
  /**
   * One frame of samples to one RTP payload.
   * @param samples 10, 20, 40 or 60 ms
   * @param payload room for 1,500 octets; written from its start
   * @returns how many octets were written
   */
  encode(samples: Int16Array, payload: Uint8Array): number
  reset(): void
  close(): void
}
