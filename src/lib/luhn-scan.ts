/**
 * Finds what looks like a card number: within a run of at least 13 decimal digits (single spaces or hyphens between them
 * allowed) a stretch that begins like a card brand, has a length of that brand and passes the Luhn check (ISO/IEC 7812-1
 * annex B). It says where, never what: the finder of a leak must not become one.
 * @returns offset of the first such run in `text`, or -1
 */
export function findCardNumber(text: string): number {
  for (const match of text.matchAll(/\d(?:[ -]?\d){12,}/g)) {
    const digits = match[0].replaceAll(/[ -]/g, '')
    for (let from = 0; from + 13 <= digits.length; from++) if (isCardAt(digits, from)) return match.index
  }
  return -1
}

/** Any stretch of digits passes Luhn one time in ten, so only lengths that a brand really uses count. */
function isCardAt(digits: string, from: number): boolean {
  return lengthsOf(digits.slice(from, from + 2)).some(
    (length) => from + length <= digits.length && passesLuhn(digits, from, length),
  )
}

function lengthsOf(prefix: string): readonly number[] {
  if (prefix === '34' || prefix === '37') return [15]
  if (prefix === '30' || prefix === '36' || prefix === '38' || prefix === '39') return [14, 16]
  if (/^[2356]/.test(prefix)) return [16]
  return prefix.startsWith('4') ? [16, 13] : []
}

function passesLuhn(digits: string, from: number, length: number): boolean {
  let sum = 0
  for (let i = 0; i < length; i++) {
    const digit = digits.charCodeAt(from + length - 1 - i) - 48
    const doubled = i % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0 && sum > 0
}
