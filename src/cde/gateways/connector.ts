import type { Outcome, QueryOutcome, ReverseOutcome } from '../../wall/messages.ts'
import type { CardData } from '../capture/card-data.ts'

export type { CardData } from '../capture/card-data.ts'

/** One attempt to move money, as control has written it down before it ordered the submit. */
export interface ChargeContext {
  /** Ours, unique forever; the handle for query and reversal. 18 capital letters (lib/ids.ts). */
  readonly reference: string
  readonly amountMinor: number
  /** ISO 4217, capitals. */
  readonly currency: string
  /** Time that the attempt has left from now on; shortens the connector's own limit for the exchange. */
  readonly deadlineMs?: number
}

/** What a gateway can do, so that the resolver of unknown outcomes knows its way (reference: R3). */
export interface GatewayDescription {
  readonly id: string
  readonly modes: {
    /** The same reference twice moves money once. */
    readonly idempotentCharge: boolean
    readonly queryByReference: boolean
    readonly reverseByReference: boolean
  }
  /** "Not found" is evidence only this long after the charge was sent. */
  readonly queryLagMs: number
  /** How this gateway counts minor units where it differs from ISO 4217: currency → places. */
  readonly placesOverrides: Readonly<Record<string, number>>
}

/**
 * The one interface of all gateways. No method throws or rejects: whatever happens is one of the outcomes, and
 * approved or declined is said only when the gateway said so (STYLE rule 12).
 */
export interface GatewayConnector {
  describe(): GatewayDescription
  /** Asks for the money. Takes the card over: its digits are wiped when the promise is returned, the request when it settles. */
  charge(card: CardData, context: ChargeContext): Promise<Outcome>
  /** What became of our reference. */
  query(reference: string): Promise<QueryOutcome>
  /** Makes sure that the reference moves no money, even if its charge is still on the way. */
  reverse(reference: string): Promise<ReverseOutcome>
  /** A copy of a request or answer of this gateway, as it was on the wire, without card data and credential. */
  scrub(wire: Uint8Array): Uint8Array
}
