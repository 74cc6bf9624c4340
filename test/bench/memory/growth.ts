/** Runs the traffic in a process of its own, so that nothing else is in its memory. */
import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Line } from './line.ts'
import type { Traffic, TrafficSettings } from './traffic.ts'

export interface GrowthSettings extends TrafficSettings {
  readonly stretches: number
  readonly stretchMs: number
  /** Kept of each call on purpose; 0 for none. */
  readonly leakOctets: number
}

export interface GrowthResult {
  readonly virtualHours: number
  readonly counts: Traffic['counts']
  /** The sum of all calls, legs, transactions, ports … that were still held after a stretch: the most that it ever was. */
  readonly heldAtMost: number
  readonly heapOctets: readonly number[]
  readonly externalOctets: readonly number[]
  /** Octets per call that has ended, over the second half of the stretches. */
  readonly heapPerCall: Line
  readonly externalPerCall: Line
}

/** @throws when the process fails */
export function measureGrowth(settings: GrowthSettings): GrowthResult {
  const script = fileURLToPath(new URL('./growth-process.ts', import.meta.url))
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--expose-gc', script, JSON.stringify(settings)], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`growth: ${stderr.slice(-2_000)}`)
  return JSON.parse(stdout) as GrowthResult
}
