/** A call's end of its media: what our SDP says on both legs, and the orders to where the packets are. */
import type { Address } from '../../lib/address.ts'
import { type RandomBytes, randomUnit } from '../../lib/random.ts'
import type { AudioCodec, AudioSession } from '../media/audio-session.ts'
import type { Fingerprint } from '../media/dtls/fingerprint.ts'
import { LegSecurity, type SrtpPolicy } from '../media/srtp/leg-security.ts'
import { LocalSdp } from './local-sdp.ts'
import type { MediaLink, MediaOrder, MediaTerms } from './media-orders.ts'
import type { Side } from './negotiation.ts'

/** What is wanted of a leg, and whether keys may be in its SIP messages. */
export interface LegWish {
  readonly policy: SrtpPolicy
  readonly keysAllowed: boolean
  /** The leg is behind NAT, and this is the host of its signalling. */
  readonly learnFrom?: string
}

export interface NegotiatedMediaOptions {
  readonly addresses: Readonly<Record<Side, Address>>
  readonly wishes: Readonly<Record<Side, LegWish>>
  /** What may be negotiated on either leg; `defaultCodecs` when not given. */
  readonly codecs?: readonly AudioCodec[]
  readonly random: RandomBytes
  /** Of our certificate, where the media can do DTLS. */
  readonly dtls?: Fingerprint | undefined
}

export class NegotiatedMedia {
  readonly localSdp: Readonly<Record<Side, LocalSdp>>
  /** Where each leg's RTP is received. */
  readonly addresses: Readonly<Record<Side, Address>>
  readonly #link: MediaLink
  readonly #learnFrom: NonNullable<MediaTerms['learnFrom']>

  constructor(link: MediaLink, { addresses, wishes, codecs, random, dtls }: NegotiatedMediaOptions) {
    this.#link = link
    const { caller, agent } = wishes
    this.#learnFrom = {
      ...(caller.learnFrom !== undefined && { caller: caller.learnFrom }),
      ...(agent.learnFrom !== undefined && { agent: agent.learnFrom }),
    }
    this.addresses = addresses
    const sdp = (side: Side): LocalSdp => {
      const security = new LegSecurity({ ...wishes[side], random, dtls })
      return new LocalSdp(addresses[side], Math.floor(randomUnit(random) * 2 ** 32), security, codecs)
    }
    this.localSdp = { caller: sdp('caller'), agent: sdp('agent') }
  }

  /** After each complete offer and answer: where each side is and what it speaks. */
  use(sessions: Readonly<Partial<Record<Side, AudioSession>>>): void {
    const { caller, agent } = this.localSdp
    const ownFormats = { caller: caller.formats, agent: agent.formats }
    const keys = { caller: caller.security.agreement, agent: agent.security.agreement }
    const dtls = { caller: caller.security.dtls, agent: agent.security.dtls }
    this.#link.send({ type: 'use', terms: { sessions, ownFormats, keys, dtls, learnFrom: this.#learnFrom } })
  }

  send(order: Exclude<MediaOrder, { type: 'use' | 'close' }>): void {
    this.#link.send(order)
  }

  sendKey(key: number): void {
    this.#link.sendKey(key)
  }

  /** For good; the keys of both legs are wiped at both ends. */
  close(): void {
    this.#link.send({ type: 'close' })
    for (const { security } of [this.localSdp.caller, this.localSdp.agent]) security.wipe()
  }
}
