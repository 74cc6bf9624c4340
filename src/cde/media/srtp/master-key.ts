import type { RandomBytes } from '../../../lib/random.ts'
import { sameSecret, secretOctets } from './secret-octets.ts'
import type { Suite } from './suites.ts'

/** Master key and master salt (RFC 3711 3.2.1) in one wipeable store. Private: nothing that prints or serializes objects shows it. */
export class MasterKey {
  readonly #octets: Uint8Array
  readonly #keyOctets: number

  /** @param octets key and salt, one after the other, made by `secretOctets`; owned by this object from now on */
  constructor(octets: Uint8Array, keyOctets: number) {
    this.#octets = octets
    this.#keyOctets = keyOctets
  }

  static random(suite: Suite, random: RandomBytes): MasterKey {
    const octets = secretOctets(suite.keyOctets + suite.saltOctets)
    const drawn = random(octets.length)
    octets.set(drawn)
    drawn.fill(0)
    return new MasterKey(octets, suite.keyOctets)
  }

  /** Key and salt as they stand in `a=crypto` (RFC 4568 6.1). */
  get concatenated(): Uint8Array {
    return this.#octets
  }

  get key(): Uint8Array {
    return this.#octets.subarray(0, this.#keyOctets)
  }

  get salt(): Uint8Array {
    return this.#octets.subarray(this.#keyOctets)
  }

  equals(other: MasterKey): boolean {
    return this.#keyOctets === other.#keyOctets && sameSecret(this.#octets, other.#octets)
  }

  wipe(): void {
    this.#octets.fill(0)
  }
}
