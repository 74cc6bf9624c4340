import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** Of all times in /proc, on every Linux that we run on. */
const TICKS_PER_SECOND = 100

/**
 * The time that a process has used outside of interrupts, and what a core has spent in interrupts, hard and soft (proc(5);
 * ksoftirqd counts as soft): all that a relay costs on its core. Sampled a hundred times a second.
 */
export function coreSeconds(core: number, pid: number): number {
  const line = readFileSync('/proc/stat', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`cpu${core} `))
  const times = line?.split(' ').slice(1).map(Number) ?? []
  const [irq = 0, softirq = 0] = times.slice(5, 7)
  return (irq + softirq + processTicks(pid)) / TICKS_PER_SECOND
}

/** What arrives here is taken in by this core; undefined for the core that has sent it (RPS, between hosts of one machine). */
export function receiveOn(core: number | undefined): void {
  const mask = core === undefined ? 0 : 1 << core
  writeFileSync('/sys/class/net/eth0/queues/rx-0/rps_cpus', mask.toString(16))
}

function processTicks(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads.reduce((sum, thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
    // What follows the name, which may hold anything: the state is the third field, utime and stime the 14th and 15th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return sum + Number(fields[11]) + Number(fields[12])
  }, 0)
}
