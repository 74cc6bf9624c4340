/**
 * Finds what looks like a card number: a run of 13 to 19 decimal digits (single spaces or hyphens between them allowed)
 * in which some window of 13–19 digits passes the Luhn check (ISO/IEC 7812-1 annex B).
 * It says where, never what: the finder of a leak must not become one.
 * @returns offset of the first such run in `text`, or -1
 */
export function findCardNumber(text: string): number {
  for (const match of text.matchAll(/\d(?:[ -]?\d){12,}/g)) {
    const digits = match[0].replaceAll(/[ -]/g, '')
    for (let from = 0; from + 13 <= digits.length; from++) {
      for (let length = 13; length <= 19 && from + length <= digits.length; length++) {
        if (passesLuhn(digits, from, length)) return match.index
      }
    }
  }
  return -1
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
