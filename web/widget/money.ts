/** Amounts as people write them ↔ integer minor units. */
import { widgetLimits } from '../../src/lib/limits.ts'
import { currencyPlaces } from '../../src/lib/money.ts'

/** For instance `£42.50`, in the reader's own habit; nothing for a currency whose minor unit is not known. */
export function formatAmount(amountMinor: number, currency: string, locale?: string): string {
  const places = currencyPlaces(currency)
  if (places === undefined) return ''
  // Told explicitly: Intl's own count is CLDR's habit (0 for HUF), and the agent would read another amount than is charged.
  const digits = { minimumFractionDigits: places, maximumFractionDigits: places }
  return new Intl.NumberFormat(locale, { style: 'currency', currency, ...digits }).format(amountMinor / 10 ** places)
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

/** For instance `42.50`: what stands in the input; nothing for a currency whose minor unit is not known. */
export function plainAmount(amountMinor: number, currency: string): string {
  const places = currencyPlaces(currency)
  return places === undefined ? '' : (amountMinor / 10 ** places).toFixed(places)
}

/**
 * Reads what the agent typed; point or comma separates the minor units, groups may be spaced.
 * @returns minor units ≥ 1, or undefined when it is not one amount of this currency
 */
export function parseAmount(text: string, currency: string): number | undefined {
  const places = currencyPlaces(currency)
  if (places === undefined) return undefined
  const match = /^(\d{1,12})(?:[.,](\d*))?$/.exec(text.replaceAll(/[\s\u00A0\u202F]/g, ''))
  if (match === null) return undefined
  const [, whole = '', fraction = ''] = match
  if (fraction.length > places) return undefined
  const amountMinor = Number(whole) * 10 ** places + Number(fraction.padEnd(places, '0'))
  return amountMinor >= 1 && amountMinor <= widgetLimits.amountMinorMax ? amountMinor : undefined
}
