export type Counters = Readonly<Record<string, number>>

/** One set of counters with each name's total. */
export function sumCounters(sets: readonly Counters[]): Record<string, number> {
  const totals: Record<string, number> = {}
  for (const set of sets) {
    for (const [name, count] of Object.entries(set)) totals[name] = (totals[name] ?? 0) + count
  }
  return totals
}
