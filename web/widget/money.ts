/** Amounts as people write them ↔ integer minor units. */
import { widgetLimits } from '../../src/lib/limits.ts'

/**
 * Digits after the decimal point that ISO 4217 gives the currency: GBP 2, JPY 0, KWD 3. An unknown code counts as 2.
 */
export function minorDigits(currency: string): number {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  } catch {
    return 2 // RangeError: not three letters
  }
}

/** For instance `£42.50`, in the reader's own habit. */
export function formatAmount(amountMinor: number, currency: string, locale?: string): string {
  const amount = amountMinor / 10 ** minorDigits(currency)
  try {
    return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(amount)
  } catch {
    return `${plainAmount(amountMinor, currency)} ${currency}`
  }
}

/** The sign that stands for the currency, for instance `£`. */
export function currencySign(currency: string, locale?: string): string {
  try {
    const parts = new Intl.NumberFormat(locale, { style: 'currency', currency }).formatToParts(0)
    return parts.find((part) => part.type === 'currency')?.value ?? currency
  } catch {
    return currency
  }
}

/** For instance `42.50`: what stands in the input. */
export function plainAmount(amountMinor: number, currency: string): string {
  const digits = minorDigits(currency)
  return (amountMinor / 10 ** digits).toFixed(digits)
}

/**
 * Reads what the agent typed; point or comma separates the minor units, groups may be spaced.
 * @returns minor units ≥ 1, or undefined when it is not one amount of this currency
 */
export function parseAmount(text: string, currency: string): number | undefined {
  const digits = minorDigits(currency)
  const match = /^(\d{1,12})(?:[.,](\d*))?$/.exec(text.replaceAll(/[\s\u00A0\u202F]/g, ''))
  if (match === null) return undefined
  const [, whole = '', fraction = ''] = match
  if (fraction.length > digits) return undefined
  const amountMinor = Number(whole) * 10 ** digits + Number(fraction.padEnd(digits, '0'))
  return amountMinor >= 1 && amountMinor <= widgetLimits.amountMinorMax ? amountMinor : undefined
}
