/** The simulators in a process of their own: keypad and audio never touch control's process. */
import { spawn } from 'node:child_process'
import process from 'node:process'
import { createInterface } from 'node:readline'
import type { SimulatorSettingsInput } from '../sim/settings.ts'
import { programFile } from './layout.ts'

export interface SimulatorsProcess {
  /** Settles when the process has ended. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

/** @returns the running simulators, or undefined when they ended before they were ready (their words are on standard error) */
export async function startSimulatorsProcess(settings: SimulatorSettingsInput): Promise<SimulatorsProcess | undefined> {
  const child = spawn(process.execPath, [programFile('sim/main')], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.stdin.write(`${JSON.stringify(settings)}\n`)
  const lines = createInterface({ input: child.stdout })
  const ready = new Promise<boolean>((resolve) => {
    lines.once('line', () => resolve(true))
    child.once('exit', () => resolve(false))
  })
  if (!(await ready)) return undefined
  return {
    ended,
    close: async () => {
      // The simulators stop when their standard input ends; no signal is needed.
      child.stdin.end()
      await ended
    },
  }
}
