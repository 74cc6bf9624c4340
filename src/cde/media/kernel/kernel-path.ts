import { kernelLimits } from '../../../lib/limits.ts'
import { isSample } from './flow.ts'

/**
 * `set` and `remove` are asked of the kernel, at once; `secured` is told: what is armed is out of the kernel for certain.
 */
export type PathEffect = 'set' | 'remove' | 'secured'

/**
 * Whether a call's packets cross in the kernel, and whether it is certain that they do not. Sans-I/O.
 * ```
 *          both directions plain for long enough        acknowledged
 *   user ──────────────────────────────────────► asked ──────────────► kernel
 *     ▲ ▲                                          │                      │ leave, arm
 *     │ └────────── refused: again in 30 s ────────┘                      ▼
 *     └───────── a packet that the kernel would have taken is seen ─── returning
 * ```
 * `arm` bars the way for good: from then on the agent's stream has numbers of its own, which the kernel cannot write. It is
 * secured at once when nothing is in the kernel, else when the way back to `user` is complete: the kernel has confirmed the
 * removal, and a packet of the caller has come to user space that it would not have left there.
 */
export class KernelPath {
  state: 'user' | 'asked' | 'kernel' | 'returning' = 'user'
  #isBarred = false
  #isSecureAwaited = false
  #notBeforeMs = Number.NEGATIVE_INFINITY
  readonly #plainPackets = { caller: 0, agent: 0 }

  /** Of this side a packet was relayed in the plainest way: the settled source's audio, unchanged but for addresses. */
  plain(side: 'caller' | 'agent', nowMs: number): PathEffect | undefined {
    const plain = this.#plainPackets
    plain[side]++
    if (this.state !== 'user' || this.#isBarred || nowMs < this.#notBeforeMs) return undefined
    if (Math.min(plain.caller, plain.agent) < kernelLimits.plainPacketsMin) return undefined
    this.state = 'asked'
    return 'set'
  }

  /** The answer to `set`. */
  answered(isSet: boolean, nowMs: number): void {
    if (this.state !== 'asked') throw new Error('an answer of the kernel to no question')
    this.state = isSet ? 'kernel' : 'user'
    if (!isSet) this.#notBeforeMs = nowMs + kernelLimits.retryMs
  }

  /** Something has changed, or is about to: user space must see every packet. */
  leave(): PathEffect | undefined {
    this.#plainPackets.caller = 0
    this.#plainPackets.agent = 0
    // Ignored in user and returning: there is nothing to take out.
    if (this.state !== 'kernel') return undefined
    this.state = 'returning'
    return 'remove'
  }

  /** The call is being masked. What is to be removed is to be removed before anything else. */
  arm(): PathEffect | undefined {
    this.#isBarred = true
    const effect = this.leave()
    if (this.state === 'user') return 'secured'
    this.#isSecureAwaited = true
    return effect
  }

  /** A packet of the caller's audio has come to user space, from its source. */
  packetSeen(sequence: number): PathEffect | undefined {
    // One in 128 comes anyway, and proves nothing.
    if (this.state !== 'returning' || isSample(sequence)) return undefined
    this.state = 'user'
    const isSecured = this.#isSecureAwaited
    this.#isSecureAwaited = false
    return isSecured ? 'secured' : undefined
  }
}
