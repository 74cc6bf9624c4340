import { captureLimits } from '../../lib/limits.ts'

/** A month as calendars count: year 2026, month 1–12. */
export interface YearMonth {
  readonly year: number
  readonly month: number
}

export const EXPIRY_DIGITS = 4

/**
 * Judges an expiry keyed as MMYY. A card is good to the last day of its month.
 * The century is the one that puts the date at most `expiryYearsAheadMax` years ahead: 1299 keyed in 2026 is December 1999.
 * @param digits four values 0–9
 * @param today the month in which the call takes place
 */
export function judgeExpiry(digits: Uint8Array, today: YearMonth): 'month-invalid' | 'expired' | undefined {
  const [m1 = 0, m2 = 0, y1 = 0, y2 = 0] = digits
  const month = m1 * 10 + m2
  if (month < 1 || month > 12) return 'month-invalid'
  const yearsAhead = (y1 * 10 + y2 - (today.year % 100) + 100) % 100
  if (yearsAhead > captureLimits.expiryYearsAheadMax) return 'expired'
  return yearsAhead === 0 && month < today.month ? 'expired' : undefined
}
