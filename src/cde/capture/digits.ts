import { captureLimits } from '../../lib/limits.ts'

/** Where the octets of a `Digits` live. Tests pass their own to look at them after the wipe. */
export type AllocateStore = (octets: number) => ArrayBuffer

const PRINTED = '[digits]'

/**
 * The digits of one field: a type, never a string (STYLE rule 7). It prints `[digits]` however it is printed, copied or
 * thrown, and `reveal` is the one way to look inside.
 *
 * The octets are the values 0–9 on an ArrayBuffer of their own: V8 keeps typed arrays of up to 64 octets on its heap and
 * leaves an uncleared copy behind when native code touches one.
 *
 * Deviation from the sketch in STYLE rule 7: `reveal` does not wipe, because a field is looked at after every key (brand,
 * length). Whoever ends a field calls `wipe`; connectors wipe as soon as the request is rendered.
 */
export class Digits {
  readonly #values: Uint8Array
  #count = 0

  constructor(allocate: AllocateStore = (octets) => new ArrayBuffer(octets)) {
    this.#values = new Uint8Array(allocate(captureLimits.digitStoreOctets), 0, captureLimits.digitsPerFieldMax)
  }

  get count(): number {
    return this.#count
  }

  /**
   * Adds one digit, 0–9.
   * @throws RangeError when it is no digit or the field is full (`captureLimits.digitsPerFieldMax`); it does not say which digit
   */
  push(digit: number): void {
    if (!Number.isInteger(digit) || digit < 0 || digit > 9) throw new RangeError('not a digit')
    if (this.#count >= this.#values.length) throw new RangeError('no room for another digit')
    this.#values[this.#count] = digit
    this.#count += 1
  }

  /** Takes one digit out; those behind it move up. @throws RangeError when there is none in that place */
  removeAt(place: number): void {
    if (!Number.isInteger(place) || place < 0 || place >= this.#count) throw new RangeError('no digit there')
    this.#values.copyWithin(place, place + 1, this.#count)
    this.#count -= 1
    this.#values[this.#count] = 0
  }

  /**
   * Lends the values (0–9, one octet each) to `use`, which must not keep the array nor make a string of it.
   * May be called in cde/capture and cde/gateways/<name>/request.ts only; test/tidy.test.ts holds that.
   */
  reveal<T>(use: (digits: Uint8Array) => T): T {
    return use(this.#values.subarray(0, this.#count))
  }

  /** Overwrites the digits with zeros. They are gone; the object may be filled anew. */
  wipe(): void {
    this.#values.fill(0)
    this.#count = 0
  }

  toString(): string {
    return PRINTED
  }

  toJSON(): string {
    return PRINTED
  }

  [Symbol.toPrimitive](): string {
    return PRINTED
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return PRINTED
  }
}
