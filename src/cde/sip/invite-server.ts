import { sipTimers } from '../../lib/limits.ts'
import { type SipResponse, serializeMessage } from './message.ts'
import { type Action, absorbed, earliest, moved } from './transaction.ts'

/*
 * INVITE server transaction, RFC 3261 17.2.1 with RFC 6026 (over UDP).
 *
 *               | INVITE
 *               v
 *        [ proceeding ]  -- INVITE again: last provisional again
 *          | 2xx     \ 3xx-6xx
 *          v          v
 *     [ accepted ]  [ completed ]  -- INVITE again, or G: final answer again
 *          |          | ACK     \
 *          |          v          \ H: timeout (no ACK)
 *          |      [ confirmed ]   |      -- ACK again: absorbed
 *          | L        | I         |
 *          v          v           v
 *     [           terminated            ]
 *
 * The 2xx itself is repeated by answer-repeat.ts until its ACK comes: that is the core's work (RFC 3261 13.3.1.4).
 */

export type InviteServerState = 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated'

const PREDECESSORS: Readonly<Record<InviteServerState, readonly InviteServerState[]>> = {
  proceeding: [],
  completed: ['proceeding'],
  confirmed: ['completed'],
  accepted: ['proceeding'],
  terminated: ['completed', 'confirmed', 'accepted'],
}

export class InviteServer {
  #state: InviteServerState = 'proceeding'
  #last: Uint8Array | undefined
  #intervalMs: number = sipTimers.t1Ms
  #timerGAtMs: number | undefined
  /** Timer H, I or L: whichever ends the present state. */
  #endAtMs: number | undefined

  get state(): InviteServerState {
    return this.#state
  }

  get timerAtMs(): number | undefined {
    return earliest(this.#timerGAtMs, this.#endAtMs)
  }

  /** The core answers. Once a final answer is out, further ones are ignored. */
  respond(response: SipResponse, nowMs: number): readonly Action[] {
    if (this.#state !== 'proceeding') return absorbed
    const datagram = serializeMessage(response)
    this.#last = datagram
    if (response.status >= 300) {
      this.#state = moved(PREDECESSORS, this.#state, 'completed')
      this.#timerGAtMs = nowMs + this.#intervalMs
      this.#endAtMs = nowMs + sipTimers.giveUpMs
    } else if (response.status >= 200) {
      this.#state = moved(PREDECESSORS, this.#state, 'accepted')
      this.#endAtMs = nowMs + sipTimers.giveUpMs
    }
    return [{ type: 'send', datagram }]
  }

  /** The same INVITE came again. */
  repeated(): readonly Action[] {
    const again = this.#state === 'proceeding' || this.#state === 'completed'
    if (!again || this.#last === undefined) return absorbed
    return [...absorbed, { type: 'send', datagram: this.#last }]
  }

  /** An ACK with the INVITE's branch came: it belongs to a refusal. */
  acknowledged(nowMs: number): readonly Action[] {
    if (this.#state !== 'completed') return absorbed
    this.#state = moved(PREDECESSORS, this.#state, 'confirmed')
    this.#timerGAtMs = undefined
    this.#endAtMs = nowMs + sipTimers.t4Ms
    return []
  }

  wake(nowMs: number): readonly Action[] {
    if (this.#endAtMs !== undefined && nowMs >= this.#endAtMs) {
      const unacknowledged = this.#state === 'completed'
      this.#state = moved(PREDECESSORS, this.#state, 'terminated')
      this.#timerGAtMs = undefined
      this.#endAtMs = undefined
      return unacknowledged ? [{ type: 'timeout' }] : []
    }
    if (this.#timerGAtMs === undefined || nowMs < this.#timerGAtMs || this.#last === undefined) return []
    this.#intervalMs = Math.min(2 * this.#intervalMs, sipTimers.t2Ms)
    this.#timerGAtMs = nowMs + this.#intervalMs
    return [{ type: 'send', datagram: this.#last }]
  }
}
