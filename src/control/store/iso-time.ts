/** A stored time as it leaves control: ISO 8601 in UTC. Never milliseconds, whose 13 digits look like a card number. */
export function isoTime(atMs: number): string {
  return new Date(atMs).toISOString()
}
