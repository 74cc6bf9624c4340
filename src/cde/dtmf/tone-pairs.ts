import type { KeyCode } from './key-codes.ts'

/** ITU-T Q.23: a key is one row tone and one column tone. */
export const ROWS_HZ = [697, 770, 852, 941] as const
export const COLUMNS_HZ = [1_209, 1_336, 1_477, 1_633] as const

// Row by row: 123A 456B 789C *0#D.
const keyByPair = Uint8Array.of(1, 2, 3, 12, 4, 5, 6, 13, 7, 8, 9, 14, 10, 0, 11, 15)
const pairByKey = Uint8Array.from({ length: 16 }, (_, key) => keyByPair.indexOf(key))

/** @param pair 0–15: row · 4 + column */
export function keyOfPair(pair: number): KeyCode {
  return keyByPair[pair] ?? 0
}

/** @returns the row's frequency in Hz */
export function rowHz(key: KeyCode): number {
  return ROWS_HZ[(pairByKey[key] ?? 0) >> 2] ?? 0
}

/** @returns the column's frequency in Hz */
export function columnHz(key: KeyCode): number {
  return COLUMNS_HZ[(pairByKey[key] ?? 0) & 3] ?? 0
}
