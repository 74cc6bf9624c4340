/**
 * DTLS-SRTP (RFC 5763, 5764) of one leg, where its packets are: does the handshake that SDP has agreed on, checks the peer by
 * its fingerprint, and gives its keys. Sans-I/O but for what is handed to `send`.
 *
 *   none ──agree──► handshaking ──Finished, fingerprint right, a profile of ours──► keyed
 *                     ▲    │ fault, or too late: again, a second after the last      │ agree on another one
 *                     └────┘ time at the earliest, `attemptsMax` times; then ► failed └──► handshaking
 *
 * Nothing is lost on the way from `none`: LegSrtp lets nothing pass, in either direction, until there are keys.
 */
import { type Address, sameAddress } from '../../../lib/address.ts'
import { dtlsLimits } from '../../../lib/limits.ts'
import type { SrtpAgreement } from '../srtp/leg-srtp.ts'
import type { DtlsAssociation, ExportedKeys } from './association.ts'
import type { Associate } from './open.ts'
import type { DtlsTerms } from './terms.ts'

export interface LegDtlsOptions {
  /** Undefined where this process has no DTLS. */
  readonly associate: Associate | undefined
  send(datagram: Uint8Array): void
  onKeys(agreement: SrtpAgreement, nowMs: number): void
}

// 2^48 packets, RFC 3711 9.2.
const LIFETIME_PACKETS = 2 ** 48

// RFC 6347 4.1: the content type is a record's first octet, its epoch the fourth and fifth.
const CONTENT_ALERT = 21

type Fault = 'handshake' | 'timeout' | 'fingerprint' | 'profile'

export class LegDtls {
  readonly #options: LegDtlsOptions
  readonly #faults: Record<Fault, number> = { handshake: 0, timeout: 0, fingerprint: 0, profile: 0 }
  #terms: DtlsTerms | undefined
  #association: DtlsAssociation | undefined
  #keys: ExportedKeys | undefined
  /** Which association gave them. */
  #keyed: DtlsAssociation | undefined
  #attempts = 0
  #sinceMs = 0
  /** When the next attempt may begin, after one that failed. */
  #againAtMs: number | undefined
  #second = { startMs: 0, datagrams: 0 }
  #flooded = 0
  #early: { readonly datagram: Uint8Array; readonly from: Address }[] = []

  constructor(options: LegDtlsOptions) {
    this.#options = options
  }

  /** What was agreed last; undefined for a leg without DTLS. */
  get terms(): DtlsTerms | undefined {
    return this.#terms
  }

  /**
   * The same association again goes on as it is (RFC 8842 4).
   * @param remote where the peer's SDP says that it is
   */
  agree(terms: DtlsTerms | undefined, remote: Address, nowMs: number): void {
    const isSame = terms === undefined || this.#terms?.association === terms.association
    this.#terms = terms ?? this.#terms
    const early = this.#early.splice(0)
    if (isSame) return
    this.#attempts = 0
    this.#begin(nowMs)
    for (const { datagram, from } of early) if (sameAddress(from, remote)) this.receive(datagram, nowMs)
  }

  /** RFC 5763 5: the handshake may begin before the answer is here. Who speaks is judged when it is. */
  cameEarly(datagram: Uint8Array, from: Address): void {
    if (this.#options.associate === undefined || this.#early.length >= dtlsLimits.earlyDatagramsMax) return
    this.#early.push({ datagram: datagram.slice(), from: { ...from } })
  }

  /** A datagram of the peer's address that is DTLS. */
  receive(datagram: Uint8Array, nowMs: number): void {
    if (nowMs >= this.#second.startMs + 1_000) this.#second = { startMs: nowMs, datagrams: 0 }
    if (++this.#second.datagrams > dtlsLimits.datagramsPerSecondMax) {
      this.#flooded++
      return
    }
    const association = this.#association
    if (association === undefined || isForgeableAlert(datagram)) return
    this.#send(association.receive(datagram))
    this.#look(nowMs)
  }

  /** Sends again what was lost; to be called a few times a second. */
  wake(nowMs: number): void {
    if (this.#againAtMs !== undefined && nowMs >= this.#againAtMs) this.#begin(nowMs)
    const association = this.#association
    if (association?.state !== 'handshaking') return
    this.#send(association.wake())
    this.#look(nowMs)
    if (this.#association === association && nowMs >= this.#sinceMs + dtlsLimits.handshakeMsMax)
      this.#fail('timeout', nowMs)
  }

  counters(): Readonly<Record<string, number>> {
    const { handshake, timeout, fingerprint, profile } = this.#faults
    return {
      dtls_keyed: this.#keys === undefined ? 0 : 1,
      dtls_failed_handshake: handshake,
      dtls_failed_timeout: timeout,
      dtls_failed_fingerprint: fingerprint,
      dtls_failed_profile: profile,
      dtls_flooded: this.#flooded,
    }
  }

  /** For good; all keys are wiped. */
  close(): void {
    this.#association?.close()
    this.#association = undefined
    this.#againAtMs = undefined
    this.#keys?.own.wipe()
    this.#keys?.peer.wipe()
    this.#keys = undefined
  }

  #begin(nowMs: number): void {
    this.#association?.close()
    this.#association = undefined
    this.#againAtMs = undefined
    const { associate } = this.#options
    if (this.#terms === undefined || associate === undefined) return
    this.#attempts++
    this.#sinceMs = nowMs
    this.#association = associate(this.#terms.role)
    this.#send(this.#association.start())
  }

  #look(nowMs: number): void {
    const association = this.#association
    if (association === undefined || association.state === 'handshaking') return
    // Once keyed, nothing that comes on the association changes the keys; a fault then ends the association, not the call.
    if (this.#keyed === association) return
    if (association.state === 'failed') return this.#fail('handshake', nowMs)
    if (!association.isPeer(this.#terms?.fingerprints ?? [])) return this.#fail('fingerprint', nowMs)
    const keys = association.exportKeys()
    if (keys === undefined) return this.#fail('profile', nowMs)
    this.#keys?.own.wipe()
    this.#keys?.peer.wipe()
    this.#keys = keys
    this.#keyed = association
    const peer = [{ master: keys.peer, mki: new Uint8Array(), lifetimePackets: LIFETIME_PACKETS }]
    this.#options.onKeys({ suite: keys.suite, own: keys.own, peer }, nowMs)
  }

  #fail(fault: Fault, nowMs: number): void {
    this.#faults[fault]++
    this.#association?.close()
    this.#association = undefined
    if (this.#attempts >= dtlsLimits.attemptsMax) return
    // What failed may have been forged: whoever forges is not to use up all attempts in a moment.
    const againAtMs = this.#sinceMs + dtlsLimits.attemptEveryMs
    if (nowMs >= againAtMs) this.#begin(nowMs)
    else this.#againAtMs = againAtMs
  }

  #send(datagrams: readonly Uint8Array[]): void {
    for (const datagram of datagrams) this.#options.send(datagram)
  }
}

/** RFC 6347 4.1.2.7: an alert that nothing authenticates (epoch 0) is whoever's; without it the handshake ends by time. */
function isForgeableAlert(datagram: Uint8Array): boolean {
  return datagram[0] === CONTENT_ALERT && datagram[3] === 0 && datagram[4] === 0
}
