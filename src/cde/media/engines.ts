/** Which engine moves the packets: chosen at the start by what the system allows, or by the setting. */
import type { CdeSettings } from '../../wall/settings.ts'
import { polledEngine } from './relay/choose.ts'
import type { PolledEngine } from './relay/engine.ts'
import type { MediaEngine } from './socket.ts'
import { dgramEngine } from './socket-dgram.ts'

export type EngineChoice = CdeSettings['media']['engine']

export interface ChosenEngine {
  readonly name: 'uring' | 'epoll' | 'dgram'
  readonly engine: MediaEngine
  /** Where the engine has to be asked for packets; Node's own sockets call by themselves. */
  readonly polled: PolledEngine | undefined
}

/**
 * `auto` takes the first that runs here of io_uring, epoll and Node's own sockets; any other name means that engine or none.
 * @returns `media-engine-unavailable` when the one that is wanted does not run here
 */
export async function chooseEngine(wanted: EngineChoice): Promise<ChosenEngine | 'media-engine-unavailable'> {
  for (const name of ['uring', 'epoll'] as const) {
    if (wanted !== 'auto' && wanted !== name) continue
    const polled = await polledEngine(name)
    if (polled === undefined) continue
    return { name, polled, engine: { open: async (...port) => polled.open(...port) } }
  }
  if (wanted === 'uring' || wanted === 'epoll') return 'media-engine-unavailable'
  return { name: 'dgram', engine: dgramEngine, polled: undefined }
}
