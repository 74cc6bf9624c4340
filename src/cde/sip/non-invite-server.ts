import { sipTimers } from '../../lib/limits.ts'
import { type SipResponse, serializeMessage } from './message.ts'
import { type Action, absorbed, moved } from './transaction.ts'

/*
 * Non-INVITE server transaction, RFC 3261 17.2.2 (over UDP).
 *
 *            | request
 *            v
 *        [ trying ]       -- request again: absorbed
 *            | final answer
 *            v
 *       [ completed ]     -- request again: the answer again
 *            | J
 *            v
 *       [ terminated ]
 *
 * The RFC's proceeding state is left out: this core answers at once and never sends a provisional here (RFC 4320 4.1
 * forbids it over UDP). The request itself is not kept: the body of an INFO may hold a key press.
 */

export type NonInviteServerState = 'trying' | 'completed' | 'terminated'

const PREDECESSORS: Readonly<Record<NonInviteServerState, readonly NonInviteServerState[]>> = {
  trying: [],
  completed: ['trying'],
  terminated: ['completed'],
}

export class NonInviteServer {
  #state: NonInviteServerState = 'trying'
  #answer: Uint8Array | undefined
  #timerJAtMs: number | undefined

  get state(): NonInviteServerState {
    return this.#state
  }

  get timerAtMs(): number | undefined {
    return this.#timerJAtMs
  }

  /** The core's final answer; a second one is ignored. */
  respond(response: SipResponse, nowMs: number): readonly Action[] {
    if (this.#state !== 'trying') return absorbed
    this.#state = moved(PREDECESSORS, this.#state, 'completed')
    this.#answer = serializeMessage(response)
    this.#timerJAtMs = nowMs + sipTimers.giveUpMs
    return [{ type: 'send', datagram: this.#answer }]
  }

  /** The same request came again. */
  repeated(): readonly Action[] {
    if (this.#answer === undefined || this.#state !== 'completed') return absorbed
    return [...absorbed, { type: 'send', datagram: this.#answer }]
  }

  wake(nowMs: number): readonly Action[] {
    if (this.#timerJAtMs === undefined || nowMs < this.#timerJAtMs) return []
    this.#state = moved(PREDECESSORS, this.#state, 'terminated')
    this.#timerJAtMs = undefined
    return []
  }
}
