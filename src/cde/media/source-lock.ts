import { type Address, sameAddress } from '../../lib/address.ts'
import { mediaLimits } from '../../lib/limits.ts'
import { isUnspecified } from './ip-host.ts'
import { parseRtp, type RtpNumbers } from './rtp.ts'
import { StreamContinuity } from './stream-continuity.ts'

/** Where the peer says its media is, and which payload types were agreed. */
export interface AgreedSource {
  readonly remote: Address
  /** A learned source must show one of these; undefined for RTCP. */
  readonly payloadTypes?: ReadonlySet<number>
  /**
   * Given only for peers that the settings put behind NAT, and never with SRTP: the host that their signalling comes from. The
   * source is then learned once per offer/answer, from this host only.
   */
  readonly learnFrom?: string | undefined
}

type DropReason = 'wrong-source' | 'implausible'

/**
 * Decides whose packets count on one port of one leg, and where ours go (reference sip.md 6.1: the RTPbleed class of attacks).
 * RTP and RTCP have one lock each.
 *
 * ```
 *       agree (nothing to learn, or armed)      agree (learnFrom)
 *  unset ─────────────► locked ◄──────────────────────── learning
 *                         ▲     first 5 packets or 500 ms:  │
 *                         └──── one with an agreed type ────┘  (else locked to what the SDP says)
 * ```
 */
export class SourceLock {
  readonly #continuity = new StreamContinuity()
  readonly #drops: Record<DropReason, number> = { 'wrong-source': 0, implausible: 0 }
  #agreed: AgreedSource | undefined
  #source: Address | undefined
  #proposed: Address | undefined
  #learning: { packets: number; sinceMs: number | undefined } | undefined
  #armed = false
  #acceptedAtMs: number | undefined

  /**
   * An answer is complete: from now on this source counts and this destination is served. The same address again changes
   * nothing but the payload types, and does not open the learning again.
   */
  agree(agreed: AgreedSource): void {
    const unchanged = this.#agreed !== undefined && sameAddress(this.#agreed.remote, agreed.remote)
    this.#agreed = agreed
    this.#proposed = undefined
    if (unchanged) return
    // A peer on hold by 0.0.0.0 names no source: the one it had stays the only one that may speak.
    if (isUnspecified(agreed.remote.host)) return
    this.#source = agreed.remote
    const mayLearn = agreed.learnFrom !== undefined && !this.#armed
    this.#learning = mayLearn ? { packets: 0, sinceMs: undefined } : undefined
  }

  /** MED-13: an offer is open. Its address is accepted beside the agreed one; only the agreed one is served. */
  propose(remote: Address): void {
    this.#proposed = isUnspecified(remote.host) ? undefined : remote
  }

  /** The offer failed: what was agreed stays alone. */
  withdraw(): void {
    this.#proposed = undefined
  }

  /** While armed nothing is learned; a learning that has begun ends at what the SDP says. */
  setArmed(armed: boolean): void {
    this.#armed = armed
    if (armed) this.#learning = undefined
  }

  /** Where to send, undefined while nobody is there (nothing agreed, or hold by 0.0.0.0). */
  get destination(): Address | undefined {
    if (this.#agreed === undefined || isUnspecified(this.#agreed.remote.host)) return undefined
    return this.#source
  }

  /** When the locked source was last heard; undefined before its first packet. Its silence is for the call to judge. */
  get acceptedAtMs(): number | undefined {
    return this.#acceptedAtMs
  }

  /**
   * @param rtp the datagram, for RTP: then its SSRC and sequence must continue as well (6.1 rule 4)
   * @returns true when the packet counts; otherwise it is dropped and counted
   */
  accepts(from: Address, nowMs: number, rtp?: Uint8Array): boolean {
    if (!this.#isSource(from) && !this.#learn(from, nowMs, rtp)) return this.#drop('wrong-source')
    if (rtp !== undefined && !this.#continuity.accepts(rtp, nowMs)) return this.#drop('implausible')
    this.#acceptedAtMs = nowMs
    return true
  }

  /** True for a packet that `accepts` would take without changing its mind about anything: the common case, read in place. */
  isSettledOn(from: Address, rtp: RtpNumbers): boolean {
    return (
      this.#source !== undefined &&
      this.#learning === undefined &&
      (from === this.#source || sameAddress(from, this.#source)) &&
      this.#continuity.continues(rtp.ssrc, rtp.sequence)
    )
  }

  /** Takes a packet on which the lock is settled. */
  take(rtp: RtpNumbers, nowMs: number): void {
    this.#continuity.goOn(rtp.ssrc, rtp.sequence, nowMs)
    this.#acceptedAtMs = nowMs
  }

  /** Whether packets from there may count. */
  hears(from: Address): boolean {
    return this.#source !== undefined && sameAddress(from, this.#source)
  }

  /** Packets of the source that is locked on were forwarded where nobody looked at them. */
  heardElsewhere(nowMs: number): void {
    this.#continuity.heard(nowMs)
    this.#acceptedAtMs = nowMs
  }

  counters(): Readonly<Record<string, number>> {
    return { source_wrong: this.#drops['wrong-source'], source_implausible: this.#drops.implausible }
  }

  #isSource(from: Address): boolean {
    if (this.#source !== undefined && sameAddress(from, this.#source)) {
      // The SDP's own address has spoken: there is nothing to learn any more.
      this.#learning = undefined
      return true
    }
    return this.#proposed !== undefined && sameAddress(from, this.#proposed)
  }

  #learn(from: Address, nowMs: number, rtp: Uint8Array | undefined): boolean {
    const learning = this.#learning
    if (learning === undefined || from.host !== this.#agreed?.learnFrom) return false
    learning.sinceMs ??= nowMs
    learning.packets++
    if (learning.packets > mediaLimits.learnPacketsMax || nowMs - learning.sinceMs > mediaLimits.learnMs) {
      this.#learning = undefined
      return false
    }
    if (!this.#hasAgreedType(rtp)) return false
    this.#source = from
    this.#learning = undefined
    return true
  }

  /** 6.1 rule 5: an address is learned only from a packet with a negotiated payload type. */
  #hasAgreedType(rtp: Uint8Array | undefined): boolean {
    const payloadTypes = this.#agreed?.payloadTypes
    if (payloadTypes === undefined) return true
    const packet = rtp === undefined ? 'short' : parseRtp(rtp)
    return typeof packet !== 'string' && payloadTypes.has(packet.payloadType)
  }

  #drop(reason: DropReason): false {
    this.#drops[reason]++
    return false
  }
}
