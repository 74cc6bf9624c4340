/**
 * DTLS-SRTP of one leg in SDP (RFC 5763 5, RFC 8842): reads the peer's `a=setup` and `a=fingerprint`, writes ours.
 *
 *   a=setup of an offer:   actpass  active  passive   holdconn or none
 *   of its answer:         active   passive active    (refused)
 *
 * Whoever is `active` sends the first flight, as the client of TLS.
 */
import { attributeValues, type Sdp, type SdpMedia } from '../sdp.ts'
import type { DtlsRole } from './association.ts'
import { type Fingerprint, fingerprintsOf, writeFingerprint } from './fingerprint.ts'
import type { DtlsTerms } from './terms.ts'

/** RFC 5764 8. */
const transports: ReadonlySet<string> = new Set(['UDP/TLS/RTP/SAVP', 'UDP/TLS/RTP/SAVPF'])

export function isDtlsTransport({ description: { transport } }: SdpMedia): boolean {
  return transports.has(transport)
}

/** What a description of the peer would agree on; a number is given when it does. */
export interface DtlsProposal extends Omit<DtlsTerms, 'association'> {
  /** RFC 8842 4.2: another one asks for another association; empty where the peer gives none. */
  readonly tlsId: string
}

export class DtlsNegotiation {
  readonly #own: Fingerprint
  #agreed: (DtlsProposal & DtlsTerms) | undefined

  constructor(own: Fingerprint) {
    this.#own = own
  }

  /** In force; undefined before the first answer. */
  get agreed(): DtlsTerms | undefined {
    return this.#agreed
  }

  /** @returns undefined for an offer that cannot be answered with DTLS */
  readOffer(offer: Sdp, section: SdpMedia): DtlsProposal | undefined {
    const setup = setupOf(offer, section)
    if (setup === 'active') return this.#read(offer, section, 'server')
    if (setup === 'passive') return this.#read(offer, section, 'client')
    if (setup !== 'actpass') return undefined
    // RFC 8842 5.3: an association that goes on keeps its roles. RFC 5763 5: whoever may choose begins.
    return this.#read(offer, section, this.#agreed?.role ?? 'client')
  }

  /** Of the answer to an offer with `offerLines`. @returns undefined where it agrees on nothing */
  readAnswer(answer: Sdp, section: SdpMedia): DtlsProposal | undefined {
    const setup = setupOf(answer, section)
    if (setup === 'active') return this.#read(answer, section, 'server')
    return setup === 'passive' ? this.#read(answer, section, 'client') : undefined
  }

  /** The proposal comes into force. What is the same in role, fingerprints and id is the same association. */
  agree(proposal: DtlsProposal): void {
    const before = this.#agreed
    const isSame =
      before !== undefined &&
      before.role === proposal.role &&
      before.tlsId === proposal.tlsId &&
      sameFingerprints(before.fingerprints, proposal.fingerprints)
    const number = before?.association ?? 0
    this.#agreed = { ...proposal, association: isSame ? number : number + 1 }
  }

  /** Attributes of our offer. */
  offerLines(): readonly string[] {
    return ['setup:actpass', `fingerprint:${writeFingerprint(this.#own)}`, 'rtcp-mux']
  }

  /** Attributes of our answer, once the proposal of the offer is in force. */
  answerLines(): readonly string[] {
    const setup = this.#agreed?.role === 'client' ? 'setup:active' : 'setup:passive'
    const lines = [setup, `fingerprint:${writeFingerprint(this.#own)}`]
    return this.#agreed?.isMuxed === true ? [...lines, 'rtcp-mux'] : lines
  }

  #read(sdp: Sdp, section: SdpMedia, role: DtlsRole): DtlsProposal | undefined {
    const fingerprints = fingerprintsOf(sdp, section)
    if (fingerprints.length === 0) return undefined
    const isMuxed = attributeValues(section.lines, 'rtcp-mux').length > 0
    return { role, fingerprints, isMuxed, tlsId: attributeValues(section.lines, 'tls-id')[0] ?? '' }
  }
}

/** RFC 4145 4: of the section, or of the session. */
function setupOf(sdp: Sdp, section: SdpMedia): string | undefined {
  return [...attributeValues(section.lines, 'setup'), ...attributeValues(sdp.session, 'setup')][0]?.trim()
}

function sameFingerprints(a: readonly Fingerprint[], b: readonly Fingerprint[]): boolean {
  const texts = new Set(a.map(writeFingerprint))
  return a.length === b.length && b.every((one) => texts.has(writeFingerprint(one)))
}
