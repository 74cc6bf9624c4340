import { libc, mapMemory } from './libc.ts'

const EFD_CLOEXEC = 0o2000000
const COUNT_OCTETS = 8

const scratch = mapMemory(4_096)
const ONE_AT = 0
const READ_AT = COUNT_OCTETS
scratch.octets[ONE_AT] = 1

/**
 * What an engine listens to beside its ports: an eventfd. It is never closed, for another thread may still be about to write to
 * it, and a number that serves another file by then would take the write.
 * @throws when the system has none
 */
export function openWakeFd(): number {
  const fd = libc.eventfd(0, EFD_CLOEXEC)
  if (fd < 0) throw new Error('no eventfd is to be had')
  return fd
}

/** Ends the wait of the engine that listens to `wakeFd`, the next one if none is under way. May be called from any thread. */
export function wakeUp(wakeFd: number): void {
  libc.write(wakeFd, scratch.address + ONE_AT, COUNT_OCTETS)
}

/** Takes all calls of `wakeUp` so far together. Only when `wakeFd` is readable: it would wait otherwise. */
export function takeWakeUps(wakeFd: number): void {
  libc.read(wakeFd, scratch.address + READ_AT, COUNT_OCTETS)
}
