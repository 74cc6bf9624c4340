/** What we said in SDP on one leg, and its version (RFC 3264 section 8, SIP-08: a change adds exactly one, a refresh adds nothing). */
import type { Address } from '../../lib/address.ts'
import { type AudioFormat, readAudio } from '../media/audio-session.ts'
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

  /** The formats of our last description: a conforming peer sends with these payload type numbers (RFC 3264 5.1). */
  get formats(): readonly AudioFormat[] {
    const audio = this.#last === undefined ? 'no-audio' : readAudio(this.#last)
    return typeof audio === 'string' ? [] : audio.formats
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
