/** Which configured number a Request-URI reaches. */
import type { NumberSettings } from '../../wall/settings.ts'

/**
 * Finds the number by the user part of the Request-URI, compared without visual separators (RFC 3966 section 5: they carry
 * no meaning), without a leading plus (trunks disagree on it) and without URI parameters after `;`.
 */
export function findNumber(numbers: readonly NumberSettings[], requestUri: string): NumberSettings | undefined {
  const user = /^sips?:([^@]*)@/i.exec(requestUri)?.[1]
  if (user === undefined) return undefined
  const wanted = comparable(user)
  return numbers.find(({ called }) => comparable(called) === wanted)
}

function comparable(user: string): string {
  const plain = user.split(';', 1)[0] ?? ''
  return /^\+?[\d().-]+$/.test(plain) ? plain.replaceAll(/[+().-]/g, '') : plain
}
