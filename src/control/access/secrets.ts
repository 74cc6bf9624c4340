import { createHash, timingSafeEqual } from 'node:crypto'
import { lettersOf } from '../store/letters.ts'

/** SHA-256 as letters: how every secret is stored. Keys and tokens are long and random, so a plain hash is enough. */
export function hashOf(secret: string): string {
  return lettersOf(createHash('sha256').update(secret).digest())
}

/** Compares two hashes in a time that does not depend on where they differ. */
export function sameHash(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
