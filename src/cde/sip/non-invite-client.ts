import { sipTimers } from '../../lib/limits.ts'
import { type SipRequest, type SipResponse, serializeMessage } from './message.ts'
import { type Action, absorbed, earliest, moved } from './transaction.ts'

/*
 * Non-INVITE client transaction, RFC 3261 17.1.2 (over UDP).
 *
 *               | request sent
 *               v
 *          [ trying ] -- E: send again, T1 doubling to T2 -- F: timeout --+
 *            | 1xx  \ final                                               |
 *            v       v                                                    |
 *     [ proceeding ] --final--> [ completed ] -- late answers absorbed    |
 *            |  E: send again, every T2   | K                             |
 *            | F: timeout                 v                               |
 *            +--------------> [ terminated ] <----------------------------+
 */

export type NonInviteClientState = 'trying' | 'proceeding' | 'completed' | 'terminated'

const PREDECESSORS: Readonly<Record<NonInviteClientState, readonly NonInviteClientState[]>> = {
  trying: [],
  proceeding: ['trying', 'proceeding'],
  completed: ['trying', 'proceeding'],
  terminated: ['trying', 'proceeding', 'completed'],
}

export class NonInviteClient {
  readonly #datagram: Uint8Array
  #state: NonInviteClientState = 'trying'
  #intervalMs: number = sipTimers.t1Ms
  #timerEAtMs: number | undefined
  /** Timer F or K: whichever ends the present state. */
  #endAtMs: number | undefined

  constructor(request: SipRequest) {
    this.#datagram = serializeMessage(request)
  }

  get state(): NonInviteClientState {
    return this.#state
  }

  get timerAtMs(): number | undefined {
    return earliest(this.#timerEAtMs, this.#endAtMs)
  }

  start(nowMs: number): readonly Action[] {
    this.#timerEAtMs = nowMs + this.#intervalMs
    this.#endAtMs = nowMs + sipTimers.giveUpMs
    return [{ type: 'send', datagram: this.#datagram }]
  }

  receive(response: SipResponse, nowMs: number): readonly Action[] {
    if (this.#state === 'completed' || this.#state === 'terminated') return absorbed
    if (response.status < 200) {
      this.#state = moved(PREDECESSORS, this.#state, 'proceeding')
    } else {
      this.#state = moved(PREDECESSORS, this.#state, 'completed')
      this.#timerEAtMs = undefined
      this.#endAtMs = nowMs + sipTimers.t4Ms
    }
    return [{ type: 'response', response }]
  }

  wake(nowMs: number): readonly Action[] {
    if (this.#endAtMs !== undefined && nowMs >= this.#endAtMs) {
      const unanswered = this.#state !== 'completed'
      this.#end()
      return unanswered ? [{ type: 'timeout' }] : []
    }
    if (this.#timerEAtMs === undefined || nowMs < this.#timerEAtMs) return []
    // RFC 3261 17.1.2.2: after a provisional answer the interval is T2 at once.
    this.#intervalMs = this.#state === 'proceeding' ? sipTimers.t2Ms : Math.min(2 * this.#intervalMs, sipTimers.t2Ms)
    this.#timerEAtMs = nowMs + this.#intervalMs
    return [{ type: 'send', datagram: this.#datagram }]
  }

  unsendable(): readonly Action[] {
    if (this.#state === 'completed' || this.#state === 'terminated') return []
    this.#end()
    return [{ type: 'unsendable' }]
  }

  #end(): void {
    this.#state = moved(PREDECESSORS, this.#state, 'terminated')
    this.#timerEAtMs = undefined
    this.#endAtMs = undefined
  }
}
