/** West of all land: UTC-12 (Baker Island). */
const OLDEST_OFFSET_MS = 12 * 3_600_000

/**
 * The month that it still is somewhere. A card may be used to the end of the month that is printed on it, in its holder's
 * calendar, which may be half a day behind UTC; what is refused here never reaches its issuer, so the issuer decides the rest.
 * @param wallMs ms since 1970, UTC
 * @returns month 1 to 12
 */
export function oldestMonthOnEarth(wallMs: number): { year: number; month: number } {
  const date = new Date(wallMs - OLDEST_OFFSET_MS)
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1 }
}
