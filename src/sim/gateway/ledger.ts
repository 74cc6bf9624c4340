import { sandboxLimits } from '../../lib/limits.ts'
import type { CardBrand } from './cards.ts'

/** What the gateway remembers of a charge: nothing from which the card could be told. */
export interface LedgerEntry {
  readonly reference: string
  readonly state: 'processing' | 'approved' | 'declined' | 'reversed'
  readonly amountMinor: number
  readonly currency: string
  readonly brand: CardBrand | 'unknown'
  readonly lastFour: string
  /** How often the money moved. More than once is what Tonewall must never cause. */
  readonly timesCharged: number
}

/** A charge as it stands in the ledger and in answers. */
export interface Charge {
  readonly id: string
  readonly reference: string
  readonly askedAmountMinor: number
  readonly currency: string
  readonly brand: CardBrand | 'unknown'
  readonly lastFour: string
  readonly receivedAtMs: number
  state: 'processing' | 'approved' | 'declined'
  reversed: boolean
  amountMinor: number
  timesCharged: number
  authCode?: string
  declineCode?: string
}

/**
 * The sandbox's book: one charge per reference, whatever comes. A reference that was reversed before its charge came is
 * blocked, so that a charge still on its way cannot move money afterwards.
 */
export class Ledger {
  readonly #charges = new Map<string, Charge>()
  readonly #blocked = new Set<string>()

  /** @returns false when the book is full */
  add(charge: Charge): boolean {
    if (this.#charges.size >= sandboxLimits.chargesMax) return false
    this.#charges.set(charge.reference, charge)
    return true
  }

  /** The money moves, unless the charge has been reversed in the meantime. */
  approve(charge: Charge, amountMinor: number, authCode: string): void {
    charge.state = 'approved'
    charge.amountMinor = amountMinor
    charge.authCode = authCode
    if (!charge.reversed) charge.timesCharged += 1
  }

  decline(charge: Charge, code: string): void {
    charge.state = 'declined'
    charge.declineCode = code
  }

  find(reference: string): Charge | undefined {
    return this.#charges.get(reference)
  }

  isBlocked(reference: string): boolean {
    return this.#blocked.has(reference)
  }

  /** @returns the charge as it stands now, or undefined when there is none: the reference is blocked then */
  reverse(reference: string): Charge | undefined {
    const charge = this.#charges.get(reference)
    if (!charge) {
      if (this.#blocked.size < sandboxLimits.chargesMax) this.#blocked.add(reference)
    } else if (charge.state !== 'declined') charge.reversed = true
    return charge
  }

  entries(): LedgerEntry[] {
    return [...this.#charges.values()].map((charge) => ({
      reference: charge.reference,
      state: charge.reversed ? 'reversed' : charge.state,
      amountMinor: charge.amountMinor,
      currency: charge.currency,
      brand: charge.brand,
      lastFour: charge.lastFour,
      timesCharged: charge.timesCharged,
    }))
  }
}
