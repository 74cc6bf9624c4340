import type { RandomBytes } from './random.ts'

// Letters only: an id can never be mistaken for a card number by a scanner, nor carry one across the wall.
const ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ'
const LENGTH = 18

/** What every id and payment reference looks like: 18 capital consonants (77 bits). Fits every gateway's reference field. */
export const ID_PATTERN = /^[BCDFGHJKLMNPQRSTVWXZ]{18}$/

/** A fresh unguessable id for a call, capture, payment or attempt. */
export function newId(random: RandomBytes): string {
  let id = ''
  while (id.length < LENGTH) {
    // 240 = 12 · 20: octets above it would favour some letters, so they are skipped.
    for (const octet of random(LENGTH)) if (octet < 240 && id.length < LENGTH) id += ALPHABET[octet % 20]
  }
  return id
}
