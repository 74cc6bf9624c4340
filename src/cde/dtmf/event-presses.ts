import { dtmfLimits } from '../../lib/limits.ts'
import { secretOctets } from '../media/srtp/secret-octets.ts'
import { KEY_CODE_MAX, NO_KEY } from './key-codes.ts'
import type { TelephoneEvent } from './events.ts'

/** What one block of an event packet means. */
export type EventMeaning = 'new-press' | 'same-press' | 'not-a-key'

const SLOTS = dtmfLimits.eventPressesMax
const SEGMENT_UNITS_MAX = 0xffff
const SILENT_MS_MIN = 100
const UPDATE_MS_DEFAULT = 50
/** A press that goes on under a new SSRC: at most one update interval and a 40 ms gap later. */
const SSRC_CHANGE_MS = 90
/** Late copies of an ended press are known by SSRC and timestamp alone; its key is forgotten by then. */
const KEY_KEPT_MS = 500

/**
 * Presses from RFC 4733 packets: each is told once, however many packets it takes (dtmf reference, 3 and 9).
 * A press is known by (SSRC, timestamp), never by marker or sequence.
 * ```
 *   unknown ──any packet──▶ down ──E bit, no update for a while, or the next press──▶ up ──slot reused──▶ unknown
 * ```
 * Any further packet of a press, down or up, changes at most its duration and its state.
 */
export class EventPresses {
  readonly #ssrc = new Uint32Array(SLOTS)
  readonly #timestamp = new Uint32Array(SLOTS)
  readonly #durationUnits = new Float64Array(SLOTS)
  readonly #lastMs = new Float64Array(SLOTS).fill(Number.NEGATIVE_INFINITY)
  readonly #updateMs = new Float64Array(SLOTS)
  readonly #key = secretOctets(SLOTS).fill(NO_KEY)
  readonly #isDown = new Uint8Array(SLOTS)
  #latest = SLOTS - 1

  /**
   * Takes in one block.
   * @param ssrc of the packet
   * @param timestamp where this block begins: the packet's timestamp plus the durations of the blocks before it (2.5.1.5)
   */
  take(ssrc: number, timestamp: number, block: TelephoneEvent, nowMs: number): EventMeaning {
    this.wake(nowMs)
    if (block.event > KEY_CODE_MAX) return 'not-a-key'
    const slot = this.#find(ssrc, timestamp, block, nowMs)
    if (slot !== -1) {
      this.#update(slot, block, nowMs)
      return 'same-press'
    }
    this.#up(this.#latest)
    this.#begin(ssrc, timestamp, block, nowMs)
    return 'new-press'
  }

  /** True while the latest key is held, as far as its packets tell. */
  get isDown(): boolean {
    return this.#isDown[this.#latest] === 1
  }

  /** Ends presses whose updates stopped, and forgets the keys of ended ones. */
  wake(nowMs: number): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      const silentMs = nowMs - (this.#lastMs[slot] ?? 0)
      if (this.#isDown[slot] === 1 && silentMs > Math.max(SILENT_MS_MIN, 3 * (this.#updateMs[slot] ?? 0))) {
        this.#up(slot)
      }
      if (this.#isDown[slot] === 0 && silentMs > KEY_KEPT_MS) this.#key[slot] = NO_KEY
    }
  }

  wipe(): void {
    this.#key.fill(NO_KEY)
    this.#isDown.fill(0)
  }

  #find(ssrc: number, timestamp: number, block: TelephoneEvent, nowMs: number): number {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#lastMs[slot] === Number.NEGATIVE_INFINITY) continue
      if (this.#ssrc[slot] === ssrc && this.#timestamp[slot] === timestamp && this.#mayBe(slot, block)) return slot
    }
    const slot = this.#latest
    if (this.#key[slot] !== block.event) return -1
    if (this.#continues(slot, ssrc, timestamp, block, nowMs)) {
      this.#ssrc[slot] = ssrc
      this.#timestamp[slot] = timestamp
      this.#durationUnits[slot] = 0
      return slot
    }
    return -1
  }

  /** A sender whose timestamp stands still may begin another key at the same one. */
  #mayBe(slot: number, block: TelephoneEvent): boolean {
    return this.#key[slot] === block.event || this.#key[slot] === NO_KEY
  }

  /** Whether a block with the same key but another SSRC or timestamp belongs to the latest press all the same. */
  #continues(slot: number, ssrc: number, timestamp: number, block: TelephoneEvent, nowMs: number): boolean {
    const isDown = this.#isDown[slot] === 1
    if (this.#ssrc[slot] !== ssrc) return isDown && nowMs - (this.#lastMs[slot] ?? 0) <= SSRC_CHANGE_MS
    const laterUnits = (timestamp - (this.#timestamp[slot] ?? 0)) | 0
    const durationUnits = this.#durationUnits[slot] ?? 0
    // RFC 4733 2.5.1.3: the next segment of a long press begins where the one before ended, at 0xFFFF.
    if (isDown && laterUnits === SEGMENT_UNITS_MAX) return true
    // Seen behind a relay: end packets with a timestamp of their own, inside the press and with its duration.
    return block.end && laterUnits > 0 && laterUnits <= durationUnits && block.durationUnits === durationUnits
  }

  #begin(ssrc: number, timestamp: number, block: TelephoneEvent, nowMs: number): void {
    const slot = (this.#latest + 1) % SLOTS
    this.#latest = slot
    this.#ssrc[slot] = ssrc
    this.#timestamp[slot] = timestamp
    this.#durationUnits[slot] = block.durationUnits
    this.#lastMs[slot] = nowMs
    this.#updateMs[slot] = UPDATE_MS_DEFAULT
    this.#key[slot] = block.event
    this.#isDown[slot] = block.end ? 0 : 1
  }

  #update(slot: number, block: TelephoneEvent, nowMs: number): void {
    // A duration that jumps back is a late or faulty packet: the longest one holds.
    this.#durationUnits[slot] = Math.max(this.#durationUnits[slot] ?? 0, block.durationUnits)
    this.#updateMs[slot] = Math.min(UPDATE_MS_DEFAULT * 4, nowMs - (this.#lastMs[slot] ?? nowMs))
    this.#lastMs[slot] = nowMs
    if (block.end) this.#up(slot)
  }

  #up(slot: number): void {
    this.#isDown[slot] = 0
  }
}
