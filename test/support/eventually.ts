import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 40

/**
 * Looks again and again until there is something to see: for tests of whole processes, where nothing else tells the time.
 * @param what said when the time is over, with the last error or value seen
 */
export async function eventually<T>(what: string, timeoutMs: number, look: () => Promise<T | undefined>): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    if (Date.now() > deadlineMs) throw new Error(`after ${timeoutMs} ms still not: ${what}`)
    await sleep(POLL_MS)
  }
}
