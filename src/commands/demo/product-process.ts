/** The product as an operator runs it: `tonewall start --config`, in processes of its own. Its log goes to a file. */
import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { programFile } from '../layout.ts'

export interface ProductProcess {
  close(): Promise<void>
}

/** @returns the running product, or undefined when it refused to start (the log says why) */
export async function startProductProcess(configFile: string, logFile: string): Promise<ProductProcess | undefined> {
  const args = ['--disable-sigusr1', programFile('main'), 'start', '--config', configFile]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stderr.pipe(createWriteStream(logFile))
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const ready = new Promise<boolean>((resolve) => {
    createInterface({ input: child.stdout }).once('line', () => resolve(true))
    void exited.then(() => resolve(false))
  })
  if (!(await ready)) return undefined
  return {
    close: async () => {
      child.kill('SIGTERM')
      await exited
    },
  }
}
