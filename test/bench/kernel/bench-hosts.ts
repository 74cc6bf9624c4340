import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import { type BenchNet, benchNet } from '../relay/relay-under-test.ts'

export interface BenchHosts extends Disposable {
  readonly net: BenchNet
  /** What comes before a command line so that it runs on the relay's host. */
  readonly relayPrefix: readonly [string, ...string[]]
}

const RELAY = '10.0.0.1'
const LEGS = '10.0.0.2'

/**
 * Two hosts joined by a veth pair: the relay's, and one that has all the legs' addresses. What comes in on either is taken
 * in by the host's own core (RPS), so that the relay's core pays for its driver's work and its interrupts, too. The kernel's
 * threads that do this work are before all else for as long, as the relay and the generator are.
 */
export function benchHosts(relayCore: number, generatorCore: number): BenchHosts {
  const relay = `twbench${process.pid}r`
  const legs = `twbench${process.pid}l`
  const remove = (): void => {
    for (const name of [relay, legs]) quietly('netns', 'del', name)
    for (const pid of softirqThreads()) os.setPriority(pid, 0)
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
    for (const pid of softirqThreads()) os.setPriority(pid, os.constants.priority.PRIORITY_HIGHEST)
    receiveOn(relay, relayCore)
    receiveOn(legs, generatorCore)
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

function receiveOn(name: string, core: number): void {
  const mask = (1 << core).toString(16)
  const write = `echo ${mask} > /sys/class/net/eth0/queues/rx-0/rps_cpus`
  ip('netns', 'exec', name, 'sh', '-c', write)
}

function softirqThreads(): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => nameOf(pid).startsWith('ksoftirqd/')).map(Number)
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8')
  } catch {
    // It ended while we were looking.
    return ''
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
