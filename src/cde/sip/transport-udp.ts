import type { Address } from '../../lib/address.ts'
import type { Output } from './user-agent.ts'

export interface SipTransport {
  /** The bound address, with the real port when 0 was asked for. */
  readonly local: Address
  /** Carries out what an order to the UserAgent returned, and re-arms the timer. */
  run(outputs: readonly Output[]): void
  close(): Promise<void>
}
