import type { UncertainReason } from '../../wall/messages.ts'

/**
 * A key of the keypad as RFC 4733 3.2 numbers it: 0–9 the digits, 10 `*`, 11 `#`, 12–15 A–D.
 * Passed as a bare argument and never kept in an object: what is not stored cannot be found in a heap dump.
 */
export type KeyCode = number

/** A press of which it is not certain which key it was: plain data, and no key in it. */
export interface Doubt {
  readonly why: UncertainReason
  /** True when a key was told for it before the doubt came up. */
  readonly wasTold: boolean
  /** False when a key that was pressed after it has been told already. */
  readonly isLatest: boolean
}

/** In what form a key press travelled. */
export type Carriage = 'in-band' | 'event' | 'info'

export const KEY_CODE_MAX = 15

/** What a place that held a key holds after it was wiped. */
export const NO_KEY = 0xff

/** How a key is written. Only for tools that print what a recording gives away; never for keys of a live call. */
export function keySymbol(key: KeyCode): string {
  return '0123456789*#ABCD'.charAt(key)
}
