/** What we said in SDP on one leg, and its version (RFC 3264 section 8, SIP-08: a change adds exactly one, a refresh adds nothing). */
import { createHash } from 'node:crypto'
import type { Address } from '../../lib/address.ts'
import { type AudioCodec, type AudioFormat, defaultCodecs } from '../media/audio-formats.ts'
import { readAudio } from '../media/audio-session.ts'
import { type LocalMedia, sameButOrigin } from '../media/offer-answer.ts'
import { type Sdp, serializeSdp } from '../media/sdp.ts'
import type { LegSecurity } from '../media/srtp/leg-security.ts'

type Refused = 'no-common-codec'

export class LocalSdp {
  /** The keys of this leg: what its peer's SDP said of them, and what ours says. */
  readonly security: LegSecurity
  /** What may be negotiated, our preferred one first. */
  readonly codecs: readonly AudioCodec[]
  #media: LocalMedia
  /** Without keys; those are remembered by their digest only. */
  #last: { readonly sdp: Sdp; readonly keysDigest: string } | undefined

  /** @param sessionId the number in our `o=` line, fresh for each leg, below 2^53 */
  constructor(address: Address, sessionId: number, security: LegSecurity, codecs = defaultCodecs) {
    this.#media = { address, sessionId, version: 1, codecs }
    this.codecs = codecs
    this.security = security
  }

  /** The formats of our last description: a conforming peer sends with these payload type numbers (RFC 3264 5.1). */
  get formats(): readonly AudioFormat[] {
    const audio = this.#last === undefined ? 'no-audio' : readAudio(this.#last.sdp, this.codecs)
    return typeof audio === 'string' ? [] : audio.formats
  }

  /** Writes an offer with the version it deserves. @param make builds it for a version */
  offer(make: (local: LocalMedia) => Sdp): Uint8Array {
    return this.#describe(make, make(this.#media), (sdp) => this.security.ownOffer(sdp))
  }

  /** Writes the answer to the peer's last offer. @param make as for `offer`; may refuse */
  answer(make: (local: LocalMedia) => Sdp | Refused): Uint8Array | Refused {
    const draft = make(this.#media)
    if (typeof draft === 'string') return draft
    return this.#describe(make, draft, (sdp) => this.security.ownAnswer(sdp))
  }

  #describe(make: (local: LocalMedia) => Sdp | Refused, draft: Sdp, secure: (sdp: Sdp) => Sdp): Uint8Array {
    const last = this.#last
    const keysDigest = digestOf(secure(draft))
    const changed = last !== undefined && !(sameButOrigin(draft, last.sdp) && keysDigest === last.keysDigest)
    if (changed) this.#media = { ...this.#media, version: this.#media.version + 1 }
    const final = changed ? make(this.#media) : draft
    const sdp = typeof final === 'string' ? draft : final
    this.#last = { sdp, keysDigest }
    return serializeSdp(secure(sdp))
  }
}

/** Of the media sections: where the keys are. */
function digestOf({ media }: Sdp): string {
  return createHash('sha256')
    .update(serializeSdp({ session: [], media }))
    .digest('base64')
}
