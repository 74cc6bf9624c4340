/**
 * Finds what looks like a card number: a stretch of digits that begins like a card brand, has a length of that brand and passes
 * the Luhn check (ISO/IEC 7812-1 annex B). It says where, never what: the finder of a leak must not become one. It looks
 * - anywhere within a run of at least 13 digits with single blanks or hyphens between them, and
 * - at whole groups of digits as cards are printed and people write them, parted also by `.`, `_`, `/` or two blanks.
 * @returns offset of the first such run in `text`, or -1
 */
export function findCardNumber(text: string): number {
  const found = [findRun(text), findGroups(text)].filter((offset) => offset !== -1)
  return found.length === 0 ? -1 : Math.min(...found)
}

function findRun(text: string): number {
  for (const match of text.matchAll(/\d(?:[ -]?\d){12,}/g)) {
    const digits = match[0].replaceAll(/[ -]/g, '')
    for (let from = 0; from + 13 <= digits.length; from++) if (isCardAt(digits, from)) return match.index
  }
  return -1
}

/**
 * Points, strokes and slashes also part addresses, dates, times and decimals, so here a card is three groups or more, of
 * three to eight digits each and the first of four at least, and begins and ends with a group: no address or date makes one.
 */
function findGroups(text: string): number {
  for (const match of text.matchAll(/(?<!\d)\d{3,8}(?:(?: {1,2}|[-._/])\d{3,8}(?!\d)){2,}/g)) {
    const groups = match[0].match(/\d+/g) ?? []
    if (groups.some((_group, first) => beginsCard(groups, first))) return match.index
  }
  return -1
}

function beginsCard(groups: readonly string[], first: number): boolean {
  if ((groups[first] ?? '').length < 4) return false
  let digits = ''
  for (let i = first; i < groups.length && digits.length < 16; i++) {
    digits += groups[i]
    if (i >= first + 2 && lengthsOf(digits.slice(0, 2)).includes(digits.length) && passesLuhn(digits, 0, digits.length))
      return true
  }
  return false
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
