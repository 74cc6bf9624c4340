/** What happens in the demo call: three cards, each in another carriage; a wrong key; one decline. Published test numbers only. */
import type { Carriage } from '../../cde/dtmf/key-codes.ts'

export interface DemoPayment {
  readonly carriage: Carriage
  readonly mode: 'field' | 'continuous'
  readonly amountMinor: number
  readonly orderReference: string
  readonly expected: 'approved' | 'declined'
  /** Keys per field, in the order in which the agent asks. `*` clears what was keyed wrongly. */
  readonly fields: readonly { readonly field: string; readonly keys: string }[]
}

export const demoPayments: readonly DemoPayment[] = [
  {
    carriage: 'in-band',
    mode: 'field',
    amountMinor: 4_250,
    orderReference: 'demo-1',
    expected: 'declined',
    fields: [
      // The seventh key is wrong; the caller notices, presses * and starts the field anew.
      { field: 'cardNumber', keys: '4000003*4000000000000002' },
      { field: 'expiry', keys: '1230' },
      { field: 'securityCode', keys: '735' },
    ],
  },
  {
    carriage: 'event',
    mode: 'continuous',
    amountMinor: 4_250,
    orderReference: 'demo-2',
    expected: 'approved',
    fields: [
      { field: 'cardNumber', keys: '4242424242424242' },
      { field: 'expiry', keys: '1131' },
      { field: 'securityCode', keys: '904' },
    ],
  },
  {
    carriage: 'info',
    mode: 'field',
    amountMinor: 1_999,
    orderReference: 'demo-3',
    expected: 'approved',
    fields: [
      { field: 'cardNumber', keys: '378282246310005' },
      { field: 'expiry', keys: '0932' },
      { field: 'securityCode', keys: '7391' },
    ],
  },
]

const KEYS = '0123456789*#ABCD'

export function keyCodes(keys: string): number[] {
  return [...keys].map((key) => KEYS.indexOf(key))
}

/** How many of these keys are digits that stay in the field (those after the last `*`). */
export function digitsKept(keys: string): number {
  return keys.slice(keys.lastIndexOf('*') + 1).length
}
