import { srtpLimits } from '../../../lib/limits.ts'
import type { MasterKey } from './master-key.ts'
import type { SrtpProblem } from './packet.ts'
import { type PeerKey, SrtpReceiver } from './srtp-receiver.ts'
import { SrtpSender } from './srtp-sender.ts'
import type { Suite } from './suites.ts'

/** What offer and answer agreed for one leg. The same key again comes as the same object (see LegSecurity). */
export interface SrtpAgreement {
  readonly suite: Suite
  readonly own: MasterKey
  readonly peer: readonly PeerKey[]
}

/**
 * The packets of one leg between its socket and everything else.
 *
 *   clear ──agree(keys)──► secure ──agree(new keys)──► secure, and the old keys count for 2 s more
 *     └────────────────────────┴── close ──► closed: nothing passes
 *
 * Nothing leads from secure back to clear.
 */
export class LegSrtp {
  readonly #problems = new Map<SrtpProblem, number>()
  #state: 'clear' | 'secure' | 'closed' = 'clear'
  #agreed: SrtpAgreement | undefined
  #sender: SrtpSender | undefined
  #receiver: SrtpReceiver | undefined
  #old: { receiver: SrtpReceiver; untilMs: number } | undefined

  get secure(): boolean {
    return this.#state !== 'clear'
  }

  /** The leg is to be secure, and its keys come later (DTLS): until then nothing passes. */
  awaitKeys(): void {
    if (this.#state === 'clear') this.#state = 'secure'
  }

  /** @param agreement undefined for RTP in the clear, which a secure leg ignores */
  agree(agreement: SrtpAgreement | undefined, nowMs: number): void {
    if (agreement === undefined || this.#state === 'closed') return
    const { suite, own, peer } = agreement
    if (own !== this.#agreed?.own) {
      this.#sender?.wipe()
      this.#sender = new SrtpSender(suite, own)
    }
    if (peer !== this.#agreed?.peer) {
      this.#old?.receiver.wipe()
      const before = this.#receiver
      this.#old = before && { receiver: before, untilMs: nowMs + srtpLimits.oldKeyMs }
      this.#receiver = new SrtpReceiver(suite, peer, before?.highest())
    }
    this.#agreed = agreement
    this.#state = 'secure'
  }

  /** @returns the RTP packet, in the datagram's own octets; or why it is dropped */
  openRtp(datagram: Uint8Array, nowMs: number): Uint8Array | SrtpProblem {
    if (this.#state === 'clear') return datagram
    return this.#open(datagram, nowMs, (receiver) => receiver.unprotectRtp(datagram, datagram.length))
  }

  openRtcp(datagram: Uint8Array, nowMs: number): Uint8Array | SrtpProblem {
    if (this.#state === 'clear') return datagram
    return this.#open(datagram, nowMs, (receiver) => receiver.unprotectRtcp(datagram, datagram.length))
  }

  /** @returns what to send, in a buffer of its own because the socket may keep it for a while; or why nothing is sent */
  sealRtp(packet: Uint8Array): Uint8Array | SrtpProblem {
    if (this.#state === 'clear') return packet
    const sender = this.#sender
    if (sender === undefined) return this.#count('closed')
    const sealed = withRoom(packet, sender.rtpOverheadOctets)
    return this.#sealed(sealed, sender.protectRtp(sealed, packet.length))
  }

  sealRtcp(packet: Uint8Array): Uint8Array | SrtpProblem {
    if (this.#state === 'clear') return packet
    const sender = this.#sender
    if (sender === undefined) return this.#count('closed')
    const sealed = withRoom(packet, sender.rtcpOverheadOctets)
    return this.#sealed(sealed, sender.protectRtcp(sealed, packet.length))
  }

  counters(): Readonly<Record<string, number>> {
    const named = [...this.#problems].map(([problem, count]) => [`srtp_${problem.replaceAll('-', '_')}`, count])
    return Object.fromEntries(named)
  }

  /** Wipes all session keys; from now on nothing passes. */
  close(): void {
    this.#state = 'closed'
    this.#sender?.wipe()
    this.#receiver?.wipe()
    this.#old?.receiver.wipe()
    this.#sender = undefined
    this.#receiver = undefined
    this.#old = undefined
  }

  #open(
    datagram: Uint8Array,
    nowMs: number,
    unprotect: (receiver: SrtpReceiver) => number | SrtpProblem,
  ): Uint8Array | SrtpProblem {
    const receiver = this.#receiver
    if (receiver === undefined) return this.#count('closed')
    const length = unprotect(receiver)
    if (typeof length === 'number') return datagram.subarray(0, length)
    const old = this.#oldReceiver(nowMs)
    const oldLength = old === undefined ? length : unprotect(old)
    return typeof oldLength === 'number' ? datagram.subarray(0, oldLength) : this.#count(length)
  }

  #oldReceiver(nowMs: number): SrtpReceiver | undefined {
    if (this.#old === undefined || nowMs < this.#old.untilMs) return this.#old?.receiver
    this.#old.receiver.wipe()
    this.#old = undefined
    return undefined
  }

  #sealed(packet: Uint8Array, length: number | SrtpProblem): Uint8Array | SrtpProblem {
    if (typeof length === 'string') return this.#count(length)
    return new Uint8Array(packet.buffer, packet.byteOffset, length)
  }

  #count(problem: SrtpProblem): SrtpProblem {
    this.#problems.set(problem, (this.#problems.get(problem) ?? 0) + 1)
    return problem
  }
}

/** From Node's pool: an ArrayBuffer for each packet costs as much as encrypting it. Every octet is written before it is sent. */
function withRoom(packet: Uint8Array, octets: number): Uint8Array {
  const roomy = Buffer.allocUnsafe(packet.length + octets)
  roomy.set(packet)
  return roomy
}
