import { dtmfLimits } from '../../lib/limits.ts'
import { secretOctets } from '../media/srtp/secret-octets.ts'
import { type Carriage, type KeyCode, NO_KEY } from './key-codes.ts'

const SLOTS = dtmfLimits.slowPressesMax

/** `single`: nothing is known yet; `lonely`: it had its time to get a double. */
export type PressRole = 'single' | 'has-double' | 'is-double' | 'lonely'

export const NO_PRESS = -1

/** The presses of the last second or so, to find of which an other one may be the double. Each is known by its slot. */
export class RecentPresses {
  readonly #key = secretOctets(SLOTS).fill(NO_KEY)
  readonly #carriage: Carriage[] = Array.from({ length: SLOTS }, () => 'event')
  readonly #role: PressRole[] = Array.from({ length: SLOTS }, () => 'single')
  readonly #from = new Float64Array(SLOTS).fill(Number.NEGATIVE_INFINITY)
  /** Which of the keys told it was, counted from 1; 0 when it was not told. */
  readonly #number = new Float64Array(SLOTS)
  /** The press of another carriage that it was taken for the same as. */
  readonly #twin = new Int16Array(SLOTS).fill(NO_PRESS)
  #latest = 0

  /** @returns its slot, which was that of the oldest one */
  add(key: KeyCode, carriage: Carriage, from: number): number {
    const slot = (this.#latest + 1) % SLOTS
    this.#latest = slot
    this.#key[slot] = key
    this.#carriage[slot] = carriage
    this.#role[slot] = 'single'
    this.#from[slot] = from
    this.#number[slot] = 0
    this.#twin[slot] = NO_PRESS
    return slot
  }

  /** The one added last. */
  get latest(): number {
    return this.#latest
  }

  fromOf(slot: number): number {
    return this.#from[slot] ?? 0
  }

  roleOf(slot: number): PressRole {
    return this.#role[slot] ?? 'single'
  }

  carriageOf(slot: number): Carriage {
    return this.#carriage[slot] ?? 'event'
  }

  numberOf(slot: number): number {
    return this.#number[slot] ?? 0
  }

  twinOf(slot: number): number {
    return this.#twin[slot] ?? NO_PRESS
  }

  setRole(slot: number, role: PressRole): void {
    this.#role[slot] = role
  }

  setNumber(slot: number, number: number): void {
    this.#number[slot] = number
  }

  setTwins(a: number, b: number): void {
    this.#twin[a] = b
    this.#twin[b] = a
  }

  /** @returns the press that began there, NO_PRESS when it is not known */
  at(carriage: Carriage, from: number): number {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#from[slot] === from && this.#carriage[slot] === carriage) return slot
    }
    return NO_PRESS
  }

  /** Of the single presses of this key in `carriage` the one whose distance to `from` is nearest to `lag`, if within `tolerance`. */
  nearest(key: KeyCode, carriage: Carriage, from: number, lag: number, tolerance: number): number {
    let best = NO_PRESS
    let bestOff = tolerance
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#key[slot] !== key || this.#carriage[slot] !== carriage || this.#role[slot] !== 'single') continue
      const off = Math.abs(from - this.fromOf(slot) - lag)
      if (off > bestOff || this.fromOf(slot) >= from) continue
      best = slot
      bestOff = off
    }
    return best
  }

  /** The presses of this key that began in `carriage` before `from`, at most `lagMax` before. */
  earlier(key: KeyCode, carriage: Carriage, from: number, lagMax: number): number[] {
    const found: number[] = []
    for (let slot = 0; slot < SLOTS; slot++) {
      const lag = from - this.fromOf(slot)
      if (this.#key[slot] === key && this.#carriage[slot] === carriage && lag > 0 && lag <= lagMax) found.push(slot)
    }
    return found
  }

  /** The press before `slot` in its carriage. */
  before(slot: number): number {
    for (let ago = 1; ago < SLOTS; ago++) {
      const other = (slot - ago + SLOTS) % SLOTS
      if (this.#from[other] !== Number.NEGATIVE_INFINITY && this.#carriage[other] === this.#carriage[slot]) return other
    }
    return NO_PRESS
  }

  /** Nothing more is expected of all those that began before `position`. */
  settleBefore(position: number): void {
    for (let slot = 0; slot < SLOTS; slot++) this.#role[slot] = this.fromOf(slot) < position ? 'has-double' : 'single'
  }

  keyOf(slot: number): KeyCode {
    return this.#key[slot] ?? NO_KEY
  }

  /** Those that began between `after` and `before`, in the order in which they came. */
  between(after: number, before: number): number[] {
    // Asked every 20 ms while keys come, and nearly always for nothing.
    const found: number[] = []
    for (let i = 1; i <= SLOTS; i++) {
      const slot = (this.#latest + i) % SLOTS
      if (this.fromOf(slot) > after && this.fromOf(slot) <= before) found.push(slot)
    }
    return found
  }

  /** Calls `each` for those that began before `position` and whose key is still held. */
  olderThan(position: number, each: (slot: number) => void): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#key[slot] !== NO_KEY && this.fromOf(slot) < position) each(slot)
    }
  }

  forgetKey(slot: number): void {
    this.#key[slot] = NO_KEY
  }

  forget(): void {
    this.#key.fill(NO_KEY)
    this.#from.fill(Number.NEGATIVE_INFINITY)
  }
}
