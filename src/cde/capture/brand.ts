import type { Brand } from '../../wall/messages.ts'

/** One range of leading digits: every number whose first `length` digits lie in `from`…`to`. */
interface PrefixRange {
  readonly brand: Brand
  readonly from: number
  readonly to: number
  readonly length: number
}

const range = (brand: Brand, from: number, to = from): PrefixRange => ({
  brand,
  from,
  to,
  length: from < 10 ? 1 : from < 100 ? 2 : from < 1_000 ? 3 : 4,
})

// A longer prefix wins over a shorter one: 6011 is Discover although the rest of 60 is Maestro.
const prefixes: readonly PrefixRange[] = [
  range('visa', 4),
  range('mastercard', 51, 55),
  range('mastercard', 2221, 2720),
  range('amex', 34),
  range('amex', 37),
  range('discover', 6011),
  range('discover', 644, 649),
  range('discover', 65),
  range('diners', 300, 305),
  range('diners', 3095),
  range('diners', 36),
  range('diners', 38, 39),
  range('jcb', 3528, 3589),
  range('unionpay', 62),
  range('unionpay', 81),
  range('maestro', 50),
  range('maestro', 56, 59),
  range('maestro', 6),
]

/**
 * The brand by prefix, as soon as no further digit can change it.
 * @param digits values 0–9; only the first four are looked at
 * @returns 'undecided' while more digits are needed, 'none' when no brand begins like this
 */
export function brandOf(digits: Uint8Array): Brand | 'undecided' | 'none' {
  const hits = prefixes.filter((prefix) => fits(prefix, digits))
  const longest = Math.max(0, ...hits.filter((hit) => hit.length <= digits.length).map((hit) => hit.length))
  const best = hits.find((hit) => hit.length === longest)
  const rivals = hits.filter((hit) => hit.length > longest && hit.brand !== best?.brand)
  if (rivals.length > 0) return 'undecided'
  return best?.brand ?? 'none'
}

/** True when `digits` lie in the range, or may still come to do so. */
function fits(prefix: PrefixRange, digits: Uint8Array): boolean {
  let lowest = 0
  let highest = 0
  for (let i = 0; i < prefix.length; i++) {
    lowest = lowest * 10 + (digits[i] ?? 0)
    highest = highest * 10 + (digits[i] ?? 9)
  }
  return highest >= prefix.from && lowest <= prefix.to
}

/** What a brand says about its cards. */
export interface BrandRules {
  /** Lengths of the card number, ascending. */
  readonly lengths: readonly number[]
  /** The length at which the number is complete by itself, where the brand leaves no choice in practice. */
  readonly usualLength?: number
  /** False where the check digit is not to be relied on. */
  readonly luhn: boolean
  readonly securityCodeLength: 3 | 4
}

export const brandRules: Readonly<Record<Brand, BrandRules>> = {
  // 13-digit Visa cards are no longer issued, but 13 digits and the end key are taken.
  // Deviation: the 19 digits that ISO/IEC 7812 allows are not: every other caller would have to press the end key.
  visa: { lengths: [13, 16], usualLength: 16, luhn: true, securityCodeLength: 3 },
  mastercard: { lengths: [16], usualLength: 16, luhn: true, securityCodeLength: 3 },
  amex: { lengths: [15], usualLength: 15, luhn: true, securityCodeLength: 4 },
  discover: { lengths: [16], usualLength: 16, luhn: true, securityCodeLength: 3 },
  diners: { lengths: [14, 16, 19], luhn: true, securityCodeLength: 3 },
  jcb: { lengths: [16, 17, 18, 19], luhn: true, securityCodeLength: 3 },
  // Some UnionPay numbers are said to carry no Luhn check digit (unverified), so the gateway decides.
  unionpay: { lengths: [14, 15, 16, 17, 18, 19], luhn: false, securityCodeLength: 3 },
  maestro: { lengths: [12, 13, 14, 15, 16, 17, 18, 19], luhn: true, securityCodeLength: 3 },
}
