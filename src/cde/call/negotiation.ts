/**
 * Offer and answer across the two legs (RFC 3264). Our media stands between them, so each side hears only of our addresses
 * and keys; what one side offers is offered to the other, and its answer comes back in the numbering of the offer.
 */
import type { AudioCodec } from '../media/audio-formats.ts'
import { type AudioSession, readAudio } from '../media/audio-session.ts'
import { ownOffer, relayAnswer, relayOffer } from '../media/offer-answer.ts'
import { parseSdp, type Sdp } from '../media/sdp.ts'
import type { LocalSdp } from './local-sdp.ts'

export type Side = 'caller' | 'agent'
export const otherSide = (side: Side): Side => (side === 'caller' ? 'agent' : 'caller')

/** Why a description was refused; all become 488 Not Acceptable Here. Audio that is not as secure as it must be is no audio. */
export type NegotiationRefusal = 'not-sdp' | 'no-audio' | 'no-common-codec'

export class Negotiation {
  readonly #local: Readonly<Record<Side, LocalSdp>>
  /** Without keys: those are in the legs' security. */
  readonly #offers: Partial<Record<Side, Sdp>> = {}
  /** The whole of what each side said last in a complete offer and answer. */
  readonly #agreed: Partial<Record<Side, Sdp>> = {}
  /** What each side said of its own media, after the last complete offer and answer. */
  readonly sessions: Partial<Record<Side, AudioSession>> = {}

  /** What the side that offered last said of its own media. */
  proposed: AudioSession | undefined

  constructor(local: Readonly<Record<Side, LocalSdp>>) {
    this.#local = local
  }

  /** An offer came from `from`. @returns the offer for the other side */
  offered(from: Side, body: Uint8Array): Uint8Array | NegotiationRefusal {
    const { security, codecs } = this.#local[from]
    const offer = readable(body, codecs, (sdp) => security.theirOffer(sdp))
    if (typeof offer === 'string') return offer
    this.#offers[from] = offer.sdp
    this.proposed = offer.audio
    return this.#local[otherSide(from)].offer((local) => relayOffer(offer.sdp, local))
  }

  /** `from` answered the offer that the other side had made. @returns the answer for the other side */
  answered(from: Side, body: Uint8Array): Uint8Array | NegotiationRefusal {
    const answer = this.#readAnswer(from, body)
    if (typeof answer === 'string') return answer
    const to = otherSide(from)
    this.sessions[from] = answer.audio
    this.#agreed[from] = answer.sdp
    const offer = this.#offers[to]
    // The other side made no offer (delayed offer): it gets ours now and answers in its ACK (SIP-04).
    if (offer === undefined) return this.ownOffer(to)
    const offerer = readAudio(offer, this.#local[to].codecs)
    if (typeof offerer === 'string') return 'no-audio'
    const relayed = this.#local[to].answer((local) => relayAnswer(offer, answer.sdp, local))
    if (typeof relayed === 'string') return relayed
    this.sessions[to] = offerer
    this.#agreed[to] = offer
    return relayed
  }

  /** Our own full offer to a side that sent none (SIP-04, SIP-05). Its answer goes to `answeredOurs`. */
  ownOffer(to: Side): Uint8Array {
    delete this.#offers[to]
    return this.#local[to].offer((local) => ownOffer(local, 'sendrecv'))
  }

  /** The answer to our own offer (in an ACK). */
  answeredOurs(from: Side, body: Uint8Array): NegotiationRefusal | undefined {
    const answer = this.#readAnswer(from, body)
    if (typeof answer === 'string') return answer
    this.sessions[from] = answer.audio
    this.#agreed[from] = answer.sdp
    return undefined
  }

  /**
   * `from` took back an offer that had gone on to the other side. @returns an offer for that side of what was agreed
   * before; its answer goes to `answeredOurs`
   */
  offeredAgain(from: Side): Uint8Array {
    const to = otherSide(from)
    const agreed = this.#agreed[from]
    if (agreed === undefined) return this.ownOffer(to)
    // RFC 3264 8: what was a media line once stays one.
    const added = this.#offers[from]?.media.slice(agreed.media.length) ?? []
    return this.#local[to].offer((local) => relayOffer({ ...agreed, media: [...agreed.media, ...added] }, local))
  }

  #readAnswer(from: Side, body: Uint8Array): { sdp: Sdp; audio: AudioSession } | NegotiationRefusal {
    const { security, codecs } = this.#local[from]
    return readable(body, codecs, (sdp) => security.theirAnswer(sdp))
  }
}

/** @param takeKeys reads the keys and takes them out of the description */
function readable(
  body: Uint8Array,
  codecs: readonly AudioCodec[],
  takeKeys: (sdp: Sdp) => Sdp,
): { sdp: Sdp; audio: AudioSession } | NegotiationRefusal {
  const parsed = parseSdp(body)
  if (typeof parsed === 'string') return 'not-sdp'
  const sdp = takeKeys(parsed)
  const audio = readAudio(sdp, codecs)
  if (typeof audio === 'string') return audio === 'no-common-codec' ? 'no-common-codec' : 'no-audio'
  return { sdp, audio }
}
