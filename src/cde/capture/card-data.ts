import type { Brand } from '../../wall/messages.ts'
import type { Digits } from './digits.ts'

/** A complete card on its way from a capture to a gateway. Whoever holds it wipes it. */
export interface CardData {
  readonly cardNumber: Digits
  /** MMYY. */
  readonly expiry: Digits
  readonly securityCode?: Digits
  readonly brand: Brand
  readonly lastFour: string
  /** Other numeric fields of the capture, by configured name. */
  readonly extra?: ReadonlyMap<string, Digits>
}

export function wipeCard(card: CardData): void {
  card.cardNumber.wipe()
  card.expiry.wipe()
  card.securityCode?.wipe()
  for (const digits of card.extra?.values() ?? []) digits.wipe()
}
