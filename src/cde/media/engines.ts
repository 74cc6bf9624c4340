/** Which engine moves the packets: chosen at the start by what the system allows, or by the setting. */
import type { Clock } from '../../lib/clock.ts'
import { relayLimits } from '../../lib/limits.ts'
import type { CdeSettings } from '../../wall/settings.ts'
import { polledEngine } from './relay/choose.ts'
import type { MediaEngine } from './socket.ts'
import { dgramEngine } from './socket-dgram.ts'
import { driveEngine } from './socket-native.ts'

export interface ChosenEngine {
  readonly name: 'uring' | 'epoll' | 'dgram'
  readonly engine: MediaEngine
  counters(): Readonly<Record<string, number>>
  close(): void
}

/**
 * `auto` takes the first that runs here of io_uring, epoll and Node's own sockets; any other name means that engine or none.
 * @returns `media-engine-unavailable` when the one that is wanted does not run here
 */
export async function chooseEngine(
  wanted: CdeSettings['media']['engine'],
  clock: Clock,
): Promise<ChosenEngine | 'media-engine-unavailable'> {
  for (const name of ['uring', 'epoll'] as const) {
    if (wanted !== 'auto' && wanted !== name) continue
    const polled = await polledEngine(name)
    if (polled === undefined) continue
    const engine = driveEngine(polled, clock, relayLimits.tickMs)
    return { name, engine, counters: () => engine.counters(), close: () => engine.close() }
  }
  if (wanted === 'uring' || wanted === 'epoll') return 'media-engine-unavailable'
  return { name: 'dgram', engine: dgramEngine, counters: () => ({}), close: () => {} }
}
