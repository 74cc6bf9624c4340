import { networkInterfaces } from 'node:os'
import { debianPackages, isPresent } from '../../scripts/debian-packages.mjs'

/** What every test with a recording agent and two decoders needs. */
export const agentAndDecoders = [
  'baresip-core',
  'multimon-ng',
  'sox',
  'gcc',
  'libc6-dev',
  'libspandsp-dev',
  'libtiff-dev',
] as const

/**
 * For `test(name, { skip: missing('sip-tester') }, …)`.
 * @param names Debian packages of scripts/debian-packages.mjs
 * @returns false when all are here, else the sentence that the test run prints for the skipped test
 */
export function missing(...names: readonly string[]): string | false {
  const absent = names.filter((name) => {
    const entry = debianPackages.find((candidate) => candidate.name === name)
    if (entry === undefined) throw new Error(`${name} is not in scripts/debian-packages.mjs`)
    return !isPresent(entry)
  })
  return absent.length > 0 && `not installed here: Debian package ${absent.join(', ')}`
}

/** SIPp plays pcap files through a raw socket, which Linux grants to root only. */
export function missingRawSockets(): string | false {
  return process.getuid?.() !== 0 && 'SIPp plays pcap files through a raw socket: needs root'
}

/** Some containers have no IPv6 at all, not even its loopback. */
export function missingIpv6(): string | false {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return !addresses.some(({ address }) => address === '::1') && 'this machine has no IPv6 loopback'
}
