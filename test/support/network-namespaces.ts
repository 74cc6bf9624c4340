/**
 * Network namespaces that a test makes for itself: hosts on one switch, each with its own addresses, all gone when the test
 * is over. The test itself steps into one at a time, and what it opens there stays there.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import process from 'node:process'
import koffi from 'koffi'

export interface TestHost {
  readonly address: string
  /** Runs `work`, which must not wait, as if this process were on that host. */
  inside<T>(work: () => T): T
  /** Runs a program there. @returns what it wrote */
  run(program: string, ...args: readonly string[]): string
  /** What comes before a command line so that it runs there. */
  readonly prefix: readonly [string, ...string[]]
}

export interface TestNetwork extends Disposable {
  readonly hosts: readonly TestHost[]
}

const CLONE_NEWNET = 0x4000_0000
const setNamespace = koffi.load('libc.so.6').func('int setns(int, int)') as (fd: number, kind: number) => number

/** For `skip`: namespaces are for root. */
export function missingNamespaces(): string | false {
  if (process.platform !== 'linux') return 'network namespaces are Linux'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  try {
    const name = `tw${process.pid}probe`
    ip('netns', 'add', name)
    ip('netns', 'del', name)
    return false
  } catch {
    return 'the program ip may make no network namespaces here'
  }
}

/** As many hosts as asked for: 10.91.0.1, .2 and so on, with plain software checksums. */
export function testNetwork(hostCount: number): TestNetwork {
  const prefix = `tw${process.pid}`
  const names = Array.from({ length: hostCount + 1 }, (_, index) => `${prefix}n${index}`)
  const remove = (): void => names.forEach((name) => quietly(() => ip('netns', 'del', name)))
  const [theSwitch = '', ...hostNames] = names
  try {
    for (const name of names) ip('netns', 'add', name)
    ip('-n', theSwitch, 'link', 'add', 'name', 'bridge', 'type', 'bridge')
    ip('-n', theSwitch, 'link', 'set', 'bridge', 'up')
    hostNames.forEach((name, index) => connect(theSwitch, name, index))
    const hosts = hostNames.map((name, index) => hostIn(name, addressOf(index)))
    return { hosts, [Symbol.dispose]: remove }
  } catch (error) {
    remove()
    throw error
  }
}

function connect(theSwitch: string, name: string, index: number): void {
  const port = `port${index}`
  ip('-n', name, 'link', 'add', 'name', 'eth0', 'type', 'veth', 'peer', 'name', port, 'netns', theSwitch)
  ip('-n', theSwitch, 'link', 'set', port, 'master', 'bridge', 'up')
  ip('-n', name, 'addr', 'add', `${addressOf(index)}/24`, 'dev', 'eth0')
  ip('-n', name, 'link', 'set', 'lo', 'up')
  ip('-n', name, 'link', 'set', 'eth0', 'up')
}

const addressOf = (index: number): string => `10.91.0.${index + 1}`

function hostIn(name: string, address: string): TestHost {
  const inside = <T>(work: () => T): T => {
    const own = openSync('/proc/thread-self/ns/net', 'r')
    const there = openSync(`/run/netns/${name}`, 'r')
    try {
      if (setNamespace(there, CLONE_NEWNET) !== 0) throw new Error(`no way into ${name}`)
      return work()
    } finally {
      setNamespace(own, CLONE_NEWNET)
      closeSync(there)
      closeSync(own)
    }
  }
  const prefix = ['ip', 'netns', 'exec', name] as const
  const [command, ...before] = prefix
  const run = (program: string, ...args: readonly string[]): string =>
    execFileSync(command, [...before, program, ...args], { encoding: 'utf8', stdio: 'pipe' })
  inside(() => useSoftwareChecksums('eth0'))
  return { address, inside, run, prefix }
}

/** Otherwise packets between namespaces carry no finished checksums, and whoever receives them checks none. */
function useSoftwareChecksums(device: string): void {
  const libc = koffi.load('libc.so.6')
  const socket = libc.func('int socket(int, int, int)') as (...args: number[]) => number
  const control = libc.func('int ioctl(int, ulong, void *)') as (fd: number, code: number, at: unknown) => number
  const SIOCETHTOOL = 0x8946
  const ETHTOOL_STXCSUM = 0x17
  const value = Buffer.alloc(8)
  value.writeUInt32LE(ETHTOOL_STXCSUM, 0)
  const request = Buffer.alloc(40)
  request.write(device, 0)
  request.writeBigUInt64LE(koffi.address(value), 16)
  const fd = socket(2, 2, 0)
  const result = control(fd, SIOCETHTOOL, request)
  closeSync(fd)
  if (result !== 0) throw new Error(`${device} leaves checksums to others`)
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' })
}

function quietly(work: () => void): void {
  try {
    work()
  } catch {
    // It never came to be.
  }
}
