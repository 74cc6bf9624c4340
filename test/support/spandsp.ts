import { fileURLToPath } from 'node:url'
import type { Heard } from './multimon.ts'
import { mustRun } from './processes.ts'
import type { TemporaryFolder } from './temp-folder.ts'

const SOURCE = fileURLToPath(new URL('../peers/spandsp-digits.c', import.meta.url))

/** Compiles the decoder into the test's folder. @returns what spandsp reads out of 8 kHz samples */
export async function compileSpandsp(folder: TemporaryFolder): Promise<(samples: Int16Array) => Promise<Heard>> {
  const program = folder.file('spandsp-digits')
  await mustRun('gcc', ['-O1', '-o', program, SOURCE, '-lspandsp'], { timeoutMs: 60_000 })
  return async (samples) => {
    const input = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
    const digits = (await mustRun(program, [], { input, timeoutMs: 30_000 })).toString('latin1').trim()
    return { count: digits.length, digits }
  }
}
