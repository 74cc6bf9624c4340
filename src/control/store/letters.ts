/**
 * Octets as text without a decimal digit, two letters `a`–`p` each. In hexadecimal, one random hash in about a hundred holds a run
 * of digits that a scanner takes for a card number; in letters none does.
 */
export function lettersOf(octets: Uint8Array): string {
  let text = ''
  for (const octet of octets) text += String.fromCharCode(97 + (octet >> 4), 97 + (octet & 15))
  return text
}
