import { mediaLimits } from '../../lib/limits.ts'
import { type RandomBytes, randomUnit } from '../../lib/random.ts'

interface Draining {
  readonly releasedAtMs: number
  quietSinceMs: number
}

/**
 * MED-12: pairs of an even RTP port and the odd RTCP port above it (RFC 3550 11), handed out in random order.
 * MED-11: a released pair is not free yet. Its sockets stay bound and discard until 30 s passed without a packet, at most
 * 10 min: a port that went to the next call while the old peer still sends would carry one caller's tones into another call.
 * A pair is named by its even port.
 */
export class PortPool {
  readonly #random: RandomBytes
  readonly #free: number[] = []
  readonly #draining = new Map<number, Draining>()
  readonly #taken = new Set<number>()

  /** @param portMin first port of the range, @param portMax last port of the range; 1–65535 */
  constructor(portMin: number, portMax: number, random: RandomBytes) {
    this.#random = random
    for (let port = portMin + (portMin % 2); port + 1 <= portMax; port += 2) this.#free.push(port)
  }

  /** @returns the even port of a free pair, undefined when none is left */
  take(): number | undefined {
    const index = Math.floor(randomUnit(this.#random) * this.#free.length)
    const port = this.#free[index]
    const last = this.#free.pop()
    if (port === undefined || last === undefined) return undefined
    if (index < this.#free.length) this.#free[index] = last
    this.#taken.add(port)
    return port
  }

  /** The call has ended: keep the sockets bound and discarding until `wake` names the pair. */
  release(port: number, nowMs: number): void {
    if (this.#taken.delete(port)) this.#draining.set(port, { releasedAtMs: nowMs, quietSinceMs: nowMs })
  }

  /** A pair that could not be bound, because another process holds a port of it: it rests like a released one. */
  unusable(port: number, nowMs: number): void {
    this.release(port, nowMs)
  }

  /** A packet came in on a released pair. */
  packetSeen(port: number, nowMs: number): void {
    const draining = this.#draining.get(port)
    if (draining !== undefined) draining.quietSinceMs = nowMs
  }

  /** @returns the pairs that are quiet now: close their sockets before anything else, they are free again */
  wake(nowMs: number): number[] {
    const quiet = [...this.#draining].filter(([, draining]) => endMs(draining) <= nowMs).map(([port]) => port)
    for (const port of quiet) {
      this.#draining.delete(port)
      this.#free.push(port)
    }
    return quiet
  }

  /** When the next pair may be quiet; undefined when none drains. */
  nextWakeAtMs(): number | undefined {
    const ends = [...this.#draining.values()].map(endMs)
    return ends.length === 0 ? undefined : Math.min(...ends)
  }

  counters(): Readonly<Record<string, number>> {
    return { ports_free: this.#free.length, ports_taken: this.#taken.size, ports_draining: this.#draining.size }
  }
}

function endMs({ releasedAtMs, quietSinceMs }: Draining): number {
  return Math.min(quietSinceMs + mediaLimits.portQuietMs, releasedAtMs + mediaLimits.portDrainMs)
}
