/** The relay's two ports of one call: packets that arrive on one leave by the other. */
export interface CallPorts {
  readonly caller: number
  readonly agent: number
}

/** Where a benchmark takes place: the relay's address, and one for each leg of each call. */
export interface BenchNet {
  readonly relay: string
  /** @param call from 0 */
  leg(call: number, side: 1 | 2): string
  /** What comes before the command line of the generator, so that it runs where the legs are. */
  readonly generatorPrefix: readonly string[]
}

/** @param relay the legs are a.1.x.y and a.2.x.y, with a as in this address; see generator.c */
export function benchNet(relay: string, generatorPrefix: readonly string[] = []): BenchNet {
  const [net = ''] = relay.split('.')
  return { relay, generatorPrefix, leg: (call, side) => `${net}.${side}.${(call + 1) >> 8}.${(call + 1) & 255}` }
}

export const loopback = benchNet('127.0.0.1')

export interface RelayUnderTest {
  readonly pid: number
  readonly ports: readonly CallPorts[]
  close(): Promise<void>
}

/** `media.kernel`: who forwards calls that are not armed. */
export type Forwarding = 'off' | 'engine' | 'required'
