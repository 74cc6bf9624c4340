/** What one more call costs in memory, measured in a process of its own. */
import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { SpeechCodec } from '../../../src/cde/media/codecs/speech-codecs.ts'
import type { Line } from './line.ts'

export interface PerCallSettings {
  readonly codec: SpeechCodec
  readonly isArmed: boolean
  /** At how many live calls it is measured. */
  readonly calls: readonly number[]
}

export interface PerCallResult extends PerCallSettings {
  /** Octets per call: V8's heap, and buffers and WebAssembly outside it. */
  readonly heap: Line
  readonly external: Line
  /** What the system counts as resident. */
  readonly resident: Line
  /** Packets that left during the measurement: the calls were alive. */
  readonly sentPackets: number
}

/** @throws when the process fails */
export function measurePerCall(settings: PerCallSettings): PerCallResult {
  const script = fileURLToPath(new URL('./per-call-process.ts', import.meta.url))
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--expose-gc', script, JSON.stringify(settings)], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`per call: ${stderr.slice(-2_000)}`)
  return JSON.parse(stdout) as PerCallResult
}
