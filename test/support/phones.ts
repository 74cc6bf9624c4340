/** A caller's and an agent's simulated phone around the product, for scenarios that must run without any Debian package. */
import { fileURLToPath } from 'node:url'
import { type Simulators, startSimulators } from '../../src/sim/simulators.ts'
import { eventually } from './eventually.ts'
import { CALLED_NUMBER, type Product } from './product.ts'

const ASSETS = fileURLToPath(new URL('../../assets', import.meta.url))
const KEYS = '0123456789*#'

export interface Phones extends AsyncDisposable {
  readonly simulators: Simulators
  /** Dials and waits until both sides are talking. */
  call(): Promise<void>
  /** Presses the keys one after the other and waits for the last to be over. */
  key(keys: string, carriage: 'in-band' | 'event' | 'info'): Promise<void>
  /** Both put down, each for itself, as people do when the line is dead. */
  hangUp(): Promise<void>
}

/**
 * @param agentPort where the product sends calls: `sip:agent@<host>:<agentPort>`
 * @param host the loopback address on which the product has SIP and media, and the phones theirs
 */
export async function startPhones(product: Product, agentPort: number, host = '127.0.0.1'): Promise<Phones> {
  const simulators = await startSimulators({
    callerHost: host,
    tonewall: { host, sipPort: product.sipPort },
    calledNumber: CALLED_NUMBER,
    agentSip: { host, port: agentPort },
    ringMs: 100,
    assets: ASSETS,
  })
  const { caller, agent } = simulators
  const bothAre = (state: string): Promise<true> =>
    eventually(`both phones ${state}`, 10_000, async () =>
      caller.state === state && agent.state === state ? true : undefined,
    )
  return {
    simulators,
    async call() {
      caller.call()
      await bothAre('answered')
    },
    async key(keys, carriage) {
      for (const key of keys) {
        if (!(await caller.key(KEYS.indexOf(key), carriage))) throw new Error('the call ended while keys were pressed')
      }
    },
    async hangUp() {
      caller.hangUp()
      agent.hangUp()
      await bothAre('ended')
    },
    [Symbol.asyncDispose]: () => simulators.close(),
  }
}
