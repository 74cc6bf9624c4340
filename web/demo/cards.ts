/**
 * The cards that the demo's caller holds: numbers that payment companies publish for tests, and what the sandbox
 * answers.
 */

export interface DemoCard {
  readonly name: string
  /** The sandbox gateway approves the others. */
  readonly declined: boolean
  /** Grouped as on a card. */
  readonly number: string
  readonly securityCode: string
}

export const demoCards: readonly DemoCard[] = [
  { name: 'Visa', declined: false, number: '4242 4242 4242 4242', securityCode: '123' },
  { name: 'Amex', declined: false, number: '3782 822463 10005', securityCode: '1234' },
  { name: 'Mastercard', declined: false, number: '5105 1051 0510 5100', securityCode: '123' },
  { name: 'Visa', declined: true, number: '4000 0000 0000 0002', securityCode: '123' },
]

/** Month and year as keyed, three years on: a card of the demo never expires. */
export function expiryKeys(today: Date): string {
  return `12${String((today.getFullYear() + 3) % 100).padStart(2, '0')}`
}

/** What is keyed into a field of the panel. */
export function keysFor(card: DemoCard, field: string, today: Date): string {
  switch (field) {
    case 'cardNumber':
      return card.number.replaceAll(' ', '')
    case 'expiry':
      return expiryKeys(today)
    case 'securityCode':
      return card.securityCode
    default:
      return ''
  }
}
