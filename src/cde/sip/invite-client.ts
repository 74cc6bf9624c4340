import { sipTimers } from '../../lib/limits.ts'
import { headerValue, headerValues, type SipRequest, type SipResponse, serializeMessage } from './message.ts'
import { type Action, absorbed, earliest, moved } from './transaction.ts'

/*
 * INVITE client transaction, RFC 3261 17.1.1 with RFC 6026 (over UDP).
 *
 *               | INVITE sent
 *               v
 *          [ calling ] -- A: send again -- B: timeout --------+
 *            | 1xx   \________ 2xx ___________________        |
 *            v        \_______ 3xx-6xx: ACK ___       \       |
 *        [ proceeding ] -- 3xx-6xx: ACK ---+   \       \      |
 *            |        \__ 2xx ______________\___\_____  |     |
 *            | abandon                      v   v     v v     |
 *            |                        [ completed ] [ accepted ]   completed: 3xx-6xx again: ACK again
 *            |                              | D          | M  |    accepted: each 2xx goes up (forks, repeats)
 *            v                              v            v    v
 *        [                     terminated                       ]
 */

export type InviteClientState = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated'

const PREDECESSORS: Readonly<Record<InviteClientState, readonly InviteClientState[]>> = {
  calling: [],
  proceeding: ['calling', 'proceeding'],
  completed: ['calling', 'proceeding'],
  accepted: ['calling', 'proceeding'],
  terminated: ['calling', 'proceeding', 'completed', 'accepted'],
}

export class InviteClient {
  readonly #request: SipRequest
  readonly #datagram: Uint8Array
  #ack: Uint8Array | undefined
  #state: InviteClientState = 'calling'
  #intervalMs: number = sipTimers.t1Ms
  #timerAAtMs: number | undefined
  /** Timer B, D or M: whichever ends the present state. */
  #endAtMs: number | undefined

  constructor(request: SipRequest) {
    this.#request = request
    this.#datagram = serializeMessage(request)
  }

  get state(): InviteClientState {
    return this.#state
  }

  get timerAtMs(): number | undefined {
    return earliest(this.#timerAAtMs, this.#endAtMs)
  }

  start(nowMs: number): readonly Action[] {
    this.#timerAAtMs = nowMs + this.#intervalMs
    this.#endAtMs = nowMs + sipTimers.giveUpMs
    return [{ type: 'send', datagram: this.#datagram }]
  }

  wake(nowMs: number): readonly Action[] {
    if (this.#endAtMs !== undefined && nowMs >= this.#endAtMs) {
      const silent = this.#state === 'calling'
      this.#move('terminated', undefined)
      return silent ? [{ type: 'timeout' }] : []
    }
    if (this.#timerAAtMs === undefined || nowMs < this.#timerAAtMs) return []
    // RFC 3261 17.1.1.2: timer A doubles without a cap.
    this.#intervalMs *= 2
    this.#timerAAtMs = nowMs + this.#intervalMs
    return [{ type: 'send', datagram: this.#datagram }]
  }

  receive(response: SipResponse, nowMs: number): readonly Action[] {
    const { status } = response
    switch (this.#state) {
      case 'calling':
      case 'proceeding':
        if (status < 200) this.#move('proceeding', undefined)
        else if (status < 300) this.#move('accepted', nowMs + sipTimers.giveUpMs)
        else return this.#refused(response, nowMs)
        return [{ type: 'response', response }]
      case 'completed':
        // RFC 3261 17.1.1.2: a repeated final answer gets the ACK again.
        if (status < 300 || this.#ack === undefined) return absorbed
        return [...absorbed, { type: 'send', datagram: this.#ack }]
      case 'accepted':
        // RFC 6026 7.2: 2xx of other forks, and repeated 2xx, belong to the core. The rest is late.
        return status >= 200 && status < 300 ? [{ type: 'response', response }] : absorbed
      case 'terminated':
        return absorbed
    }
  }

  unsendable(): readonly Action[] {
    if (this.#state === 'terminated') return []
    // Once an answer has come, an ICMP error says nothing new: the timers decide.
    if (this.#state !== 'calling') return absorbed
    this.#move('terminated', undefined)
    return [{ type: 'unsendable' }]
  }

  /** RFC 3261 9.1: 64·T1 after a CANCEL without a final answer the client treats the INVITE as gone. */
  abandon(): void {
    if (this.#state === 'calling' || this.#state === 'proceeding') this.#move('terminated', undefined)
  }

  #refused(response: SipResponse, nowMs: number): readonly Action[] {
    this.#move('completed', nowMs + sipTimers.giveUpMs)
    this.#ack = serializeMessage(ackFor(this.#request, response))
    return [
      { type: 'send', datagram: this.#ack },
      { type: 'response', response },
    ]
  }

  #move(to: InviteClientState, endAtMs: number | undefined): void {
    this.#state = moved(PREDECESSORS, this.#state, to)
    this.#timerAAtMs = undefined
    this.#endAtMs = endAtMs
  }
}

/** RFC 3261 17.1.1.3: the ACK of a refusal has the INVITE's Request-URI, top Via, Route, and the answer's To. */
function ackFor(invite: SipRequest, response: SipResponse): SipRequest {
  const number = /^\d+/.exec(headerValue(invite, 'CSeq') ?? '')?.[0] ?? '0'
  return {
    kind: 'request',
    method: 'ACK',
    uri: invite.uri,
    headers: [
      { name: 'Via', value: headerValue(invite, 'Via') ?? '' },
      ...headerValues(invite, 'Route').map((value) => ({ name: 'Route', value })),
      { name: 'Max-Forwards', value: '70' },
      { name: 'From', value: headerValue(invite, 'From') ?? '' },
      { name: 'To', value: headerValue(response, 'To') ?? '' },
      { name: 'Call-ID', value: headerValue(invite, 'Call-ID') ?? '' },
      { name: 'CSeq', value: `${number} ACK` },
    ],
    body: new Uint8Array(0),
  }
}
