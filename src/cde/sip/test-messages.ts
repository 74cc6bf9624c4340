import { responseTo } from './responses.ts'
import type { SipRequest, SipResponse } from './message.ts'
import type { Action } from './transaction.ts'

/** For the tests of the transaction machines: a request, answers to it, and actions in short. */

export function requestOf(method: string): SipRequest {
  return {
    kind: 'request',
    method,
    uri: 'sip:b@192.0.2.2',
    headers: [
      { name: 'Via', value: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa' },
      { name: 'Route', value: '<sip:192.0.2.50;lr>' },
      { name: 'From', value: '<sip:a@192.0.2.1>;tag=a' },
      { name: 'To', value: '<sip:b@192.0.2.2>' },
      { name: 'Call-ID', value: 'c' },
      { name: 'CSeq', value: `7 ${method}` },
    ],
    body: new Uint8Array(0),
  }
}

export function answerTo(method: string, status: number): SipResponse {
  return responseTo(requestOf(method), status, { toTag: 'b' })
}

/** `send INVITE`, `send 486`, `up 180`, `timeout`, … */
export function brief(actions: readonly Action[]): string {
  return actions
    .map((action) => {
      if (action.type === 'response') return `up ${action.response.status}`
      if (action.type !== 'send') return action.type
      const [first = '', second = ''] = Buffer.from(action.datagram).toString().split(' ')
      return `send ${first === 'SIP/2.0' ? second : first}`
    })
    .join(', ')
}

export interface Machine {
  readonly state: string
  readonly timerAtMs: number | undefined
  wake(nowMs: number): readonly Action[]
}

/** Wakes the machine whenever it asks, until virtual time `untilMs`: `500 send INVITE`, one line per time. */
export function diary(machine: Machine, untilMs: number): string[] {
  const lines: string[] = []
  for (let at = machine.timerAtMs; at !== undefined && at <= untilMs; at = machine.timerAtMs) {
    lines.push(`${at} ${brief(machine.wake(at))}`.trim())
  }
  return lines
}
