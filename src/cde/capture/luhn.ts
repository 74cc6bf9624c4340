/**
 * The check digit of card numbers, ISO/IEC 7812-1 annex B, on values 0–9 (not characters).
 * @returns false for no digits at all
 */
export function passesLuhn(digits: Uint8Array): boolean {
  let sum = 0
  for (let place = 0; place < digits.length; place++) {
    const digit = digits[digits.length - 1 - place] ?? 0
    const weighted = place % 2 === 1 ? digit * 2 : digit
    sum += weighted > 9 ? weighted - 9 : weighted
  }
  return digits.length > 0 && sum % 10 === 0
}
