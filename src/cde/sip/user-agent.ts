import type { Address } from '../../lib/address.ts'
import type { LegId, OfferAnswer, OutgoingCall, Output, ResponseExtra, UserAgentOptions } from './user-agent-types.ts'

export type {
  EndCause,
  LegEvent,
  LegId,
  OfferAnswer,
  OutgoingCall,
  Output,
  ResponseExtra,
  UserAgentOptions,
} from './user-agent-types.ts'

/** The sans-I/O SIP endpoint of the B2BUA and of the simulated phones. Interface first; the body follows. */
export class UserAgent {
  /** Written into Via and Contact. May be set until the first call. */
  local: Address

  constructor(options: UserAgentOptions) {
    this.local = options.local
  }

  receive(_datagram: Uint8Array, _from: Address, _nowMs: number): Output[] {
    return []
  }

  wake(_nowMs: number): Output[] {
    return []
  }

  nextWakeAtMs(): number | undefined {
    return undefined
  }

  invite(_leg: LegId, _call: OutgoingCall, _nowMs: number): Output[] {
    return []
  }

  ring(_leg: LegId, _status: number, _extra: ResponseExtra, _nowMs: number): Output[] {
    return []
  }

  answer(_leg: LegId, _extra: ResponseExtra, _nowMs: number): Output[] {
    return []
  }

  reject(_leg: LegId, _status: number, _extra: ResponseExtra & { reason?: string }, _nowMs: number): Output[] {
    return []
  }

  hangUp(_leg: LegId, _nowMs: number, _reasonHeader?: string): Output[] {
    return []
  }

  offer(_leg: LegId, _body: Uint8Array | undefined, _contentType: string, _nowMs: number): Output[] {
    return []
  }

  answerOffer(_leg: LegId, _answer: OfferAnswer, _nowMs: number): Output[] {
    return []
  }

  info(_leg: LegId, _contentType: string, _body: Uint8Array, _nowMs: number): Output[] {
    return []
  }

  counters(): Readonly<Record<string, number>> {
    return {}
  }
}
