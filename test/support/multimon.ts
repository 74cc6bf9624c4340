import { mustRun } from './processes.ts'

/** What a decoder found. Leak tests look at `count` only; `digits` is for positive controls. */
export interface Heard {
  readonly count: number
  readonly digits: string
}

/** The keys that multimon-ng reads out of 8 kHz samples. sox brings them to the 22,050 Hz that it wants. */
export async function heardByMultimon(samples: Int16Array): Promise<Heard> {
  const input = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  const raw = ['-t', 'raw', '-e', 'signed', '-b', '16', '-c', '1']
  const resampled = await mustRun('sox', ['-D', ...raw, '-r', '8000', '-', ...raw, '-r', '22050', '-'], {
    input,
    timeoutMs: 30_000,
  })
  const report = await mustRun('multimon-ng', ['-q', '-a', 'DTMF', '-t', 'raw', '-'], {
    input: resampled,
    timeoutMs: 30_000,
  })
  const digits = [...report.toString('latin1').matchAll(/^DTMF: (.)$/gm)].map(([, digit]) => digit ?? '').join('')
  return { count: digits.length, digits }
}
