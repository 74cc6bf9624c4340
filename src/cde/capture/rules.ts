import { captureLimits } from '../../lib/limits.ts'
import type { Brand, FieldReport } from '../../wall/messages.ts'
import type { FieldSettings } from '../../wall/settings.ts'
import { brandOf, brandRules } from './brand.ts'
import { EXPIRY_DIGITS, judgeExpiry, type YearMonth } from './expiry.ts'
import { passesLuhn } from './luhn.ts'

export type FieldError = NonNullable<FieldReport['error']>

/** What a rule needs to know besides the digits. */
export interface RuleContext {
  readonly today: YearMonth
  /** The brand of the capture's card number, once that number is valid. */
  readonly cardBrand: Brand | undefined
}

/** Lengths of a field, as far as they are known yet. `usual` is the length at which the field is complete by itself. */
export interface Lengths {
  readonly allowed: readonly number[]
  readonly max: number
  readonly usual: number | undefined
}

// ISO/IEC 7812-1: a card number has at most 19 digits; 12 is the shortest still in use (Maestro).
const unknownBrandLengths = [12, 13, 14, 15, 16, 17, 18, 19]

/** The lengths that fit what has been keyed so far. */
export function lengthsOf(settings: FieldSettings, digits: Uint8Array, cardBrand: Brand | undefined): Lengths {
  switch (settings.kind) {
    case 'cardNumber':
      return cardNumberLengths(knownBrand(digits))
    case 'expiry':
      return lengths([EXPIRY_DIGITS], EXPIRY_DIGITS)
    case 'securityCode':
      return securityCodeLengths(cardBrand)
    case 'number':
      return configuredLengths(settings)
    default:
      return settings.kind satisfies never
  }
}

function cardNumberLengths(brand: Brand | undefined): Lengths {
  if (!brand) return lengths(unknownBrandLengths, undefined)
  return lengths(brandRules[brand].lengths, brandRules[brand].usualLength)
}

function securityCodeLengths(cardBrand: Brand | undefined): Lengths {
  if (!cardBrand) return lengths([3, 4], undefined)
  const length = brandRules[cardBrand].securityCodeLength
  return lengths([length], length)
}

function configuredLengths(settings: FieldSettings): Lengths {
  const max = Math.min(settings.digitsMax, captureLimits.digitsPerFieldMax)
  const min = Math.min(settings.digitsMin, max)
  const allowed = Array.from({ length: max - min + 1 }, (_, i) => min + i)
  return lengths(allowed, min === max ? max : undefined)
}

function lengths(allowed: readonly number[], usual: number | undefined): Lengths {
  return { allowed, max: allowed.at(-1) ?? captureLimits.digitsPerFieldMax, usual }
}

/** The brand of a card number that is being keyed; undefined while undecided and when no brand begins like this. */
export function knownBrand(digits: Uint8Array): Brand | undefined {
  const brand = brandOf(digits)
  return brand === 'undecided' || brand === 'none' ? undefined : brand
}

/** The first rule that the ended input breaks, or undefined when the field is valid. */
export function brokenRule(settings: FieldSettings, digits: Uint8Array, context: RuleContext): FieldError | undefined {
  if (settings.kind === 'cardNumber' && brandOf(digits) === 'none') return 'brand-unknown'
  const { allowed, max } = lengthsOf(settings, digits, context.cardBrand)
  if (!allowed.includes(digits.length)) return digits.length > max ? 'too-long' : 'too-short'
  if (settings.kind === 'expiry') return judgeExpiry(digits, context.today)
  if (settings.kind !== 'cardNumber') return undefined
  const brand = knownBrand(digits)
  if (!brand) return 'brand-unknown'
  return brandRules[brand].luhn && !passesLuhn(digits) ? 'check-digit' : undefined
}
