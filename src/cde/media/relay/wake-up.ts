import { type Libc, libc, mapMemory } from './libc.ts'

const EFD_CLOEXEC = 0o2000000
const COUNT_OCTETS = 8

const scratch = mapMemory(4_096)
const ONE_AT = 0
const READ_AT = COUNT_OCTETS
scratch.octets[ONE_AT] = 1

/**
 * What an engine listens to beside its ports: an eventfd. Once others know of it it is never closed, for one of them may still be
 * about to write to it, and a number that serves another file by then would take the write.
 * @returns −1 when the system has none
 */
export function openWakeFd(calls: Libc): number {
  return calls.eventfd(0, EFD_CLOEXEC)
}

/** Ends the wait of the engine that listens to `wakeFd`, the next one if none is under way. May be called from any thread. */
export function wakeUp(wakeFd: number): void {
  libc.write(wakeFd, scratch.address + ONE_AT, COUNT_OCTETS)
}

/** Takes all calls of `wakeUp` so far together. Only when `wakeFd` is readable: it would wait otherwise. */
export function takeWakeUps(wakeFd: number): void {
  libc.read(wakeFd, scratch.address + READ_AT, COUNT_OCTETS)
}
