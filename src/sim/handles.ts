/** The phones as programs use them: tests, the terminal demo, probes. */
import type { Carriage, KeyCode } from '../cde/dtmf/key-codes.ts'
import type { Address } from '../lib/address.ts'
import type { Phone, PhoneState } from './phone.ts'
import type { PhoneRecordings } from './phone-media.ts'

/** Long enough for every detector, short enough for a brisk typist. */
export const DEFAULT_HOLD_MS = 100

export class SimulatedPhone {
  protected readonly phone: Phone
  readonly #clip: Int16Array

  constructor(phone: Phone, clip: Int16Array) {
    this.phone = phone
    this.#clip = clip
  }

  get state(): PhoneState {
    return this.phone.state
  }

  /** Where it takes SIP. */
  get sip(): Address {
    return this.phone.sip
  }

  get speaking(): boolean {
    return this.phone.speaking
  }

  /** Plays its voice clip from the start. @returns false without an answered call */
  speak(): boolean {
    return this.phone.speak(this.#clip)
  }

  /** @returns false when there is no call */
  hangUp(): boolean {
    return this.phone.hangUp()
  }

  /** Of the present or the last call, all on one clock. */
  recordings(): PhoneRecordings {
    return this.phone.recordings()
  }

  counters(): Readonly<Record<string, number>> {
    return this.phone.counters()
  }
}

export class SimulatedCaller extends SimulatedPhone {
  readonly #dial: (number: string | undefined) => void
  readonly #carriage: () => Carriage

  constructor(phone: Phone, clip: Int16Array, dial: (number: string | undefined) => void, carriage: () => Carriage) {
    super(phone, clip)
    this.#dial = dial
    this.#carriage = carriage
  }

  /** Dials; the configured number when none is given. @returns false when a call is up */
  call(number?: string): boolean {
    if (this.phone.busy) return false
    this.#dial(number)
    return true
  }

  /**
   * Presses a key after those that were pressed before.
   * @returns a promise of true when it is over, its pause included; of false when it is refused or the call ended before
   */
  async key(key: KeyCode, carriage?: Carriage, holdMs?: number): Promise<boolean> {
    return (await this.press(key, carriage, holdMs)) ?? false
  }

  /** As `key`, but says at once, with undefined, that the press is refused. */
  press(key: KeyCode, carriage = this.#carriage(), holdMs = DEFAULT_HOLD_MS): Promise<boolean> | undefined {
    return this.phone.press(key, carriage, holdMs)
  }
}
