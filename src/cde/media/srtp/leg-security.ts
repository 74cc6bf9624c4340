import { srtpLimits } from '../../../lib/limits.ts'
import type { RandomBytes } from '../../../lib/random.ts'
import { audioIndex } from '../audio-session.ts'
import { DtlsNegotiation, type DtlsProposal, isDtlsTransport } from '../dtls/negotiation.ts'
import type { Fingerprint } from '../dtls/fingerprint.ts'
import type { DtlsTerms } from '../dtls/terms.ts'
import { attributeName, attributeValues, type Sdp, type SdpMedia } from '../sdp.ts'
import { parseCryptoLine, usableKeys, wipeLine, writeCryptoLine } from './crypto-line.ts'
import type { SrtpAgreement } from './leg-srtp.ts'
import { MasterKey } from './master-key.ts'
import type { PeerKey } from './srtp-receiver.ts'
import { type Suite, type SuiteName, suites } from './suites.ts'

/**
 * What we want of a leg: `off` is RTP in the clear whatever the peer says, `offered` offers keys and takes an answer without
 * (RFC 8643), `required` is SRTP or no call, `dtls` is SRTP with keys from a handshake beside the media or no call,
 * `mirrored` does as the peer's first offer does.
 */
export type SrtpPolicy = 'off' | 'offered' | 'required' | 'dtls' | 'mirrored'

export interface LegSecurityOptions {
  readonly policy: SrtpPolicy
  /** Whether keys may be in the SIP messages of this leg (RFC 4568 7: whoever reads them hears the call). */
  readonly keysAllowed: boolean
  readonly random: RandomBytes
  /** Our certificate's, where this process does DTLS; without, offers of it are refused. */
  readonly dtls?: Fingerprint | undefined
}

/** What a description of the peer comes to. */
interface Read {
  /** Without keys, its audio at port 0 where it is not as secure as it must be. */
  readonly sdp: Sdp
  readonly chosen: Chosen | undefined
  readonly dtls: DtlsProposal | undefined
}

/** What the peer's line said, as far as we use it. */
interface Chosen {
  readonly tag: string
  readonly suite: Suite
  readonly peer: readonly PeerKey[]
}

/**
 * SDES (RFC 4568) of one leg: reads the peer's `a=crypto` lines, writes ours, and holds the keys. And DTLS-SRTP, as far as it
 * is in SDP (`../dtls/negotiation.ts`); its keys are where the packets are.
 *
 *   clear ──offer or answer with keys──► secure ── … ──► secure
 *
 * Nothing leads from secure back to clear: a later description without keys is refused, and so is one with the other kind.
 */
export class LegSecurity {
  readonly #policy: SrtpPolicy
  readonly #keysAllowed: boolean
  readonly #random: RandomBytes
  readonly #own = new Map<SuiteName, MasterKey>()
  readonly #dtls: DtlsNegotiation | undefined
  #dtlsProposed: DtlsProposal | undefined
  /** Tags of our last offer. */
  #offered: ReadonlyMap<string, Suite> = new Map()
  #proposed: Chosen | undefined
  #agreed: { readonly agreement: SrtpAgreement; readonly tag: string } | undefined
  /** The transport that our own offers on a secure leg go on with. */
  #transport = 'RTP/AVP'

  constructor(options: LegSecurityOptions) {
    this.#policy = options.policy
    this.#keysAllowed = options.keysAllowed && options.policy !== 'off'
    this.#random = options.random
    const mayDtls = options.policy === 'dtls' || options.policy === 'mirrored'
    if (options.dtls !== undefined && mayDtls) this.#dtls = new DtlsNegotiation(options.dtls)
    if (options.policy === 'required') this.#transport = 'RTP/SAVP'
    if (options.policy === 'dtls') this.#transport = 'UDP/TLS/RTP/SAVP'
  }

  /** The keys in force; undefined for RTP in the clear. Same keys, same objects. */
  get agreement(): SrtpAgreement | undefined {
    return this.#agreed?.agreement
  }

  /** What a handshake has been agreed on; undefined for a leg without DTLS. */
  get dtls(): DtlsTerms | undefined {
    return this.#dtls?.agreed
  }

  /**
   * The peer's offer. Of several lines the first that we can use counts; it comes into force with our answer.
   * @returns the offer without keys, its audio at port 0 where it is not as secure as it must be
   */
  theirOffer(offer: Sdp): Sdp {
    const read = this.#read(offer, undefined)
    this.#drop(this.#proposed)
    this.#proposed = read.chosen
    this.#dtlsProposed = read.dtls
    return read.sdp
  }

  /** The peer's answer to `ownOffer`; its keys are in force at once. @returns as `theirOffer` */
  theirAnswer(answer: Sdp): Sdp {
    const { sdp, chosen, dtls } = this.#read(answer, this.#offered)
    if (chosen !== undefined) this.#agree(chosen, false)
    if (dtls !== undefined) this.#dtls?.agree(dtls)
    return sdp
  }

  /** Our answer to the offer last read: its tag, and our key. */
  ownAnswer(answer: Sdp): Sdp {
    const proposed = this.#proposed
    this.#proposed = undefined
    if (proposed !== undefined) this.#agree(proposed, true)
    if (this.#dtlsProposed !== undefined) this.#dtls?.agree(this.#dtlsProposed)
    if (this.#dtls?.agreed !== undefined) return withAttributes(answer, undefined, this.#dtls.answerLines())
    if (this.#agreed === undefined) return answer
    const { agreement, tag } = this.#agreed
    return withAttributes(answer, undefined, [ownLine(tag, agreement.suite, agreement.own)])
  }

  /** Our offer: on a secure leg, or where the policy wants keys, with a line for each suite. */
  ownOffer(offer: Sdp): Sdp {
    if (this.#policy === 'dtls' || this.#dtls?.agreed !== undefined) {
      return withAttributes(offer, this.#transport, this.#dtls?.offerLines() ?? [])
    }
    const wanted = this.#agreed !== undefined || this.#policy === 'offered' || this.#policy === 'required'
    if (!wanted) return offer
    if (!this.#keysAllowed) return withAttributes(offer, this.#transport, [])
    this.#offered = new Map(suites.map((suite, i) => [String(i + 1), suite]))
    const lines = suites.map((suite, i) => ownLine(String(i + 1), suite, this.#ownKey(suite)))
    return withAttributes(offer, this.#transport, lines)
  }

  /** The leg is over: no key stays. */
  wipe(): void {
    this.#drop(this.#proposed)
    for (const { master } of this.#agreed?.agreement.peer ?? []) master.wipe()
    for (const key of this.#own.values()) key.wipe()
    this.#own.clear()
    this.#proposed = undefined
    this.#agreed = undefined
  }

  /** @param tags of our offer where `sdp` is the answer to it */
  #read(sdp: Sdp, tags: ReadonlyMap<string, Suite> | undefined): Read {
    const handshakes = sdp.media.map((section) => this.#handshake(sdp, section, tags !== undefined))
    const choices = sdp.media.map((section) => (isAudio(section) ? this.#choose(section, tags) : undefined))
    const isSecure = this.#agreed !== undefined || this.#dtls?.agreed !== undefined
    const mustBeSecure = isSecure || this.#policy === 'required' || this.#policy === 'dtls'
    const media = sdp.media.map((section, i) => {
      const clear = choices[i] === undefined && handshakes[i] === undefined
      const refused = isAudio(section) && clear && (mustBeSecure || isSecureTransport(section))
      return withoutCrypto(section, refused)
    })
    const read = { ...sdp, media }
    const index = audioIndex(read)
    for (const [i, choice] of choices.entries()) if (i !== index) this.#drop(choice)
    const chosen = choices[index]
    const dtls = handshakes[index]
    if (chosen !== undefined || dtls !== undefined) {
      this.#transport = media[index]?.description.transport ?? this.#transport
    }
    return { sdp: read, chosen, dtls }
  }

  #handshake(sdp: Sdp, section: SdpMedia, isAnswer: boolean): DtlsProposal | undefined {
    if (!isAudio(section) || !isDtlsTransport(section) || this.#agreed !== undefined) return undefined
    return isAnswer ? this.#dtls?.readAnswer(sdp, section) : this.#dtls?.readOffer(sdp, section)
  }

  #choose(section: SdpMedia, tags: ReadonlyMap<string, Suite> | undefined): Chosen | undefined {
    const mayHaveKeys = this.#keysAllowed && this.#policy !== 'dtls' && this.#dtls?.agreed === undefined
    if (!mayHaveKeys || isDtlsTransport(section)) return undefined
    for (const value of attributeValues(section.lines, 'crypto').slice(0, srtpLimits.cryptoLinesMax)) {
      const line = parseCryptoLine(value)
      if (typeof line === 'string') continue
      const usable = usableKeys(line)
      // RFC 4568 5.1.2: the answer repeats tag and suite of one line of the offer.
      if (usable !== undefined && (tags === undefined || tags.get(line.tag) === usable.suite)) {
        return { tag: line.tag, suite: usable.suite, peer: usable.keys }
      }
      wipeLine(line)
    }
    return undefined
  }

  /**
   * The same key again keeps everything as it is, rollover counter included. With a new key of an offerer comes a new one of
   * ours: the peer has begun anew, and would not know our rollover counter.
   */
  #agree(chosen: Chosen, answering: boolean): void {
    const before = this.#agreed?.agreement
    const same = before?.suite === chosen.suite && sameKeys(before.peer, chosen.peer)
    if (same) {
      this.#drop(chosen)
      this.#agreed = { agreement: { ...before, own: this.#ownKey(chosen.suite) }, tag: chosen.tag }
      return
    }
    if (before !== undefined) {
      for (const { master } of before.peer) master.wipe()
      if (answering) this.#renewOwnKey(chosen.suite)
    }
    const agreement = { suite: chosen.suite, own: this.#ownKey(chosen.suite), peer: chosen.peer }
    this.#agreed = { agreement, tag: chosen.tag }
  }

  #ownKey(suite: Suite): MasterKey {
    const known = this.#own.get(suite.name)
    if (known !== undefined) return known
    const fresh = MasterKey.random(suite, this.#random)
    this.#own.set(suite.name, fresh)
    return fresh
  }

  #renewOwnKey(suite: Suite): void {
    this.#own.get(suite.name)?.wipe()
    this.#own.delete(suite.name)
  }

  #drop(chosen: Chosen | undefined): void {
    for (const { master } of chosen?.peer ?? []) master.wipe()
  }
}

function isAudio({ description: { media } }: SdpMedia): boolean {
  return media === 'audio'
}

function isSecureTransport({ description: { transport } }: SdpMedia): boolean {
  return transport.endsWith('/SAVP') || transport.endsWith('/SAVPF')
}

function sameKeys(a: readonly PeerKey[], b: readonly PeerKey[]): boolean {
  return a.length === b.length && a.every(({ master }, i) => b[i] !== undefined && master.equals(b[i].master))
}

function withoutCrypto(section: SdpMedia, refused: boolean): SdpMedia {
  const lines = section.lines.filter((line) => attributeName(line) !== 'crypto')
  return { description: refused ? { ...section.description, port: 0 } : section.description, lines }
}

/** @param transport in place of the audio line's own; undefined keeps it, as an answer must */
function withAttributes(sdp: Sdp, transport: string | undefined, values: readonly string[]): Sdp {
  const index = audioIndex(sdp)
  const media = sdp.media.map((section, i) => {
    if (i !== index || section.description.port === 0) return section
    const description = transport === undefined ? section.description : { ...section.description, transport }
    return { description, lines: [...values.map((value) => ({ type: 'a', value })), ...section.lines] }
  })
  return { ...sdp, media }
}

function ownLine(tag: string, suite: Suite, { concatenated }: MasterKey): string {
  const keys = [{ octets: concatenated, lifetime: '', mki: undefined }]
  return `crypto:${writeCryptoLine({ tag, suite: suite.name, keys, parameters: [] })}`
}
