import type { AudioFormat } from './audio-formats.ts'

const DEFAULT_PER_MS = 8

/** By payload type: how fast the timestamps of one direction of a leg run. */
export class PayloadClocks {
  readonly #perMs = new Uint8Array(128).fill(DEFAULT_PER_MS)

  /** After each offer and answer. @param formats where two say different things about a number, the first counts */
  use(formats: readonly AudioFormat[]): void {
    this.#perMs.fill(DEFAULT_PER_MS)
    for (const { payloadType, codec, clockHz } of formats.toReversed()) {
      // RFC 4733 2.2.1: all packets of one event carry the time of its beginning, so they say nothing about their way here.
      this.#perMs[payloadType] = codec === 'telephone-event' ? 0 : clockHz / 1_000
    }
  }

  /** @returns units of the timestamp in a millisecond; 0 when the timestamps do not tell when packets were sent */
  perMs(payloadType: number): number {
    return this.#perMs[payloadType] ?? DEFAULT_PER_MS
  }
}
