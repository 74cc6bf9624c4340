/**
 * SRTP keys from the thread that negotiated them to the one that uses them. LegSrtp knows a key that goes on by its object;
 * between threads, where objects are copied, a number says the same.
 */
import { MasterKey } from '../media/srtp/master-key.ts'
import type { SrtpAgreement } from '../media/srtp/leg-srtp.ts'
import { secretOctets } from '../media/srtp/secret-octets.ts'
import { suiteNamed } from '../media/srtp/suites.ts'
import type { KeysOnTheWay, Secret } from './messages.ts'

/** A copy in a buffer of its own, to be handed over whole. */
export function secretCopy(octets: Uint8Array): Secret {
  const copy = secretOctets(octets.length) as Secret
  copy.set(octets)
  return copy
}

/** One octet, written where it stays. */
export function secretOctet(value: number): Secret {
  const octet = secretOctets(1) as Secret
  octet[0] = value
  return octet
}

export function wipeKeys(keys: KeysOnTheWay | undefined): void {
  keys?.own.fill(0)
  for (const { octets } of keys?.peer ?? []) octets.fill(0)
}

/** The sending end. */
export class KeyNumbers {
  readonly #numbers = new WeakMap<object, number>()
  #last = 0

  /** @returns copies of the keys, whose buffers are added to `transfer` */
  send(agreement: SrtpAgreement | undefined, transfer: ArrayBuffer[]): KeysOnTheWay | undefined {
    if (agreement === undefined) return undefined
    const { suite, own, peer } = agreement
    const copy = ({ concatenated }: MasterKey): Secret => {
      const octets = secretCopy(concatenated)
      transfer.push(octets.buffer)
      return octets
    }
    return {
      suite: suite.name,
      ownNumber: this.#numberOf(own),
      own: copy(own),
      peerNumber: this.#numberOf(peer),
      peer: peer.map(({ master, mki, lifetimePackets }) => ({ octets: copy(master), mki, lifetimePackets })),
    }
  }

  #numberOf(key: object): number {
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    this.#numbers.set(key, ++this.#last)
    return this.#last
  }
}

/** The receiving end, of one leg. */
export class ReceivedKeys {
  #numbers = { own: 0, peer: 0 }
  #agreement: SrtpAgreement | undefined

  /** @returns the same objects for the same keys */
  take(keys: KeysOnTheWay | undefined): SrtpAgreement | undefined {
    const suite = suiteNamed(keys?.suite ?? '')
    if (keys === undefined || suite === undefined) {
      wipeKeys(keys)
      return undefined
    }
    const before = this.#agreement
    const isOwnKnown = before !== undefined && keys.ownNumber === this.#numbers.own
    const isPeerKnown = before !== undefined && keys.peerNumber === this.#numbers.peer
    const master = (octets: Secret): MasterKey => new MasterKey(octets, suite.keyOctets)
    const own = isOwnKnown ? before.own : master(keys.own)
    const peer = isPeerKnown
      ? before.peer
      : keys.peer.map(({ octets, mki, lifetimePackets }) => ({ master: master(octets), mki, lifetimePackets }))
    if (isOwnKnown) keys.own.fill(0)
    else before?.own.wipe()
    if (isPeerKnown) for (const { octets } of keys.peer) octets.fill(0)
    else for (const key of before?.peer ?? []) key.master.wipe()
    this.#numbers = { own: keys.ownNumber, peer: keys.peerNumber }
    this.#agreement = { suite, own, peer }
    return this.#agreement
  }

  wipe(): void {
    this.#agreement?.own.wipe()
    for (const { master } of this.#agreement?.peer ?? []) master.wipe()
    this.#agreement = undefined
  }
}
