/** System calls that fail when they are told to, each with an errno as the kernel would set it. */
import { type Libc, libc } from '../../src/cde/media/relay/libc.ts'
import { type RandomBytes, randomUnit } from '../../src/lib/random.ts'

export const errno = {
  EPERM: 1,
  EINTR: 4,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EBUSY: 16,
  EINVAL: 22,
  EMFILE: 24,
  ENOSYS: 38,
  ENOBUFS: 105,
} as const

export type CallName = Exclude<keyof Libc, 'errno' | 'mapDescriptor'>

export interface Faults {
  /** By call: with what it fails. */
  readonly calls: Partial<Record<CallName, readonly number[]>>
  /** The share of calls that fail; a test may change it while it runs. */
  share: number
}

/** @returns the system's calls, of which those in `faults` fail now and then without having been made */
export function faultyLibc(faults: Faults, random: RandomBytes): Libc {
  let injected: number | undefined
  const wrapped = (Object.keys(faults.calls) as CallName[]).map((name) => {
    const errnos = faults.calls[name] ?? []
    const call = (...args: readonly (number | null)[]): number => {
      injected = randomUnit(random) < faults.share ? errnos[Math.floor(randomUnit(random) * errnos.length)] : undefined
      return injected === undefined ? libc[name](...args) : -1
    }
    return [name, call] as const
  })
  return { ...libc, ...Object.fromEntries(wrapped), errno: () => injected ?? libc.errno() }
}
