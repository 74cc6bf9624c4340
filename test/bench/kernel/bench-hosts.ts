import { execFileSync } from 'node:child_process'
import { type BenchNet, benchNet } from '../relay/relay-under-test.ts'

export interface BenchHosts extends Disposable {
  readonly net: BenchNet
  /** What comes before a command line so that it runs on the relay's host. */
  readonly relayPrefix: readonly [string, ...string[]]
}

const RELAY = '10.0.0.1'
const LEGS = '10.0.0.2'

/** Two hosts joined by a veth pair: the relay's, and one that has all the legs' addresses. */
export function benchHosts(): BenchHosts {
  const relay = `twbench${process.pid}r`
  const legs = `twbench${process.pid}l`
  const remove = (): void => {
    for (const name of [relay, legs]) quietly('netns', 'del', name)
  }
  try {
    for (const name of [relay, legs]) ip('netns', 'add', name)
    ip('-n', relay, 'link', 'add', 'name', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', legs)
    ip('-n', relay, 'addr', 'add', `${RELAY}/30`, 'dev', 'eth0')
    ip('-n', legs, 'addr', 'add', `${LEGS}/30`, 'dev', 'eth0')
    for (const name of [relay, legs]) for (const device of ['lo', 'eth0']) ip('-n', name, 'link', 'set', device, 'up')
    // One neighbour for all legs: a router stands before most of them in a real network, too.
    for (const side of [1, 2]) {
      ip('-n', relay, 'route', 'add', `10.${side}.0.0/16`, 'via', LEGS)
      ip('-n', legs, 'route', 'add', 'local', `10.${side}.0.0/16`, 'dev', 'lo')
    }
  } catch (error) {
    remove()
    throw error
  }
  return {
    net: benchNet(RELAY, ['ip', 'netns', 'exec', legs]),
    relayPrefix: ['ip', 'netns', 'exec', relay],
    [Symbol.dispose]: remove,
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' })
}

function quietly(...args: readonly string[]): void {
  try {
    ip(...args)
  } catch {
    // It never came to be.
  }
}
