import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type BenchNet, loopback } from './relay-under-test.ts'

const run = promisify(execFile)

/** What one run of the generator measured; see generator.c. */
export interface Measured {
  readonly sent: number
  readonly received: number
  /** Packets that came to the wrong leg, from the wrong port or with another payload. */
  readonly bad: number
  readonly packetsPerSecond: number
  readonly relayCpuSeconds: number
  /** Of the generator itself, and of all that the kernel does for its packets on its core. */
  readonly generatorCpuSeconds: number
  readonly seconds: number
  /** Of the whole run, warm-up included. */
  readonly receivedWhole: number
  readonly lostWhole: number
  readonly p50Us: number
  readonly p99Us: number
}

export interface Load {
  readonly kind: 'sat' | 'pace'
  /** Packets in flight for `sat`, packets per second for `pace`. */
  readonly value: number
  readonly warmUpMs: number
  readonly measuredMs: number
}

/** Compiles the generator into `folder`. @returns the path of its program */
export async function buildGenerator(folder: string): Promise<string> {
  const program = join(folder, 'generator')
  await run('gcc', ['-O2', '-o', program, join(import.meta.dirname, 'generator.c')])
  return program
}

/** @param core the processor it keeps busy. @param pid the relay whose CPU time is measured */
export async function generate(
  program: string,
  callsFile: string,
  load: Load,
  core: number,
  pid: number,
  { relay, generatorPrefix }: BenchNet = loopback,
): Promise<Measured> {
  const { kind, value, warmUpMs, measuredMs } = load
  const args = [callsFile, kind, String(value), String(warmUpMs), String(measuredMs), String(core), String(pid), relay]
  const { stdout } = await run('nice', ['-n', '-20', ...generatorPrefix, program, ...args], {
    timeout: warmUpMs + measuredMs + 20_000,
  })
  return JSON.parse(stdout) as Measured
}
