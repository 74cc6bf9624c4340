/** What we said in SDP on one leg, and its version (RFC 3264 section 8, SIP-08: a change adds exactly one, a refresh adds nothing). */
import type { Address } from '../../lib/address.ts'
import { type LocalMedia, sameButOrigin } from '../media/offer-answer.ts'
import { type Sdp, serializeSdp } from '../media/sdp.ts'

type Refused = 'no-common-codec'

export class LocalSdp {
  #media: LocalMedia
  #last: Sdp | undefined

  /** @param sessionId the number in our `o=` line, fresh for each leg, below 2^53 */
  constructor(address: Address, sessionId: number) {
    this.#media = { address, sessionId, version: 1 }
  }

  describe(make: (local: LocalMedia) => Sdp): Uint8Array
  describe(make: (local: LocalMedia) => Sdp | Refused): Uint8Array | Refused
  /** Writes a description with the version it deserves. @param make builds it for a version; may refuse */
  describe(make: (local: LocalMedia) => Sdp | Refused): Uint8Array | Refused {
    const draft = make(this.#media)
    if (typeof draft === 'string') return draft
    const changed = this.#last !== undefined && !sameButOrigin(draft, this.#last)
    if (changed) this.#media = { ...this.#media, version: this.#media.version + 1 }
    const final = changed ? make(this.#media) : draft
    if (typeof final === 'string') return final
    this.#last = final
    return serializeSdp(final)
  }
}
