/** Listens to a recording with every decoder at hand and counts the keys that can be recovered. Counts only: a finder must not leak. */
import { spawnSync } from 'node:child_process'
import { maskRecording, findKeys } from '../../cde/dtmf/recording.ts'

export interface LeakCheck {
  /** Decoders that listened. */
  readonly decoders: readonly string[]
  /** The highest number of keys that any of them found. */
  readonly recovered: number
}

const finders = {
  reporter: (samples: Int16Array) => findKeys(samples, 8_000).length,
  // The masker is far more suspicious than any reporter: what it would mask could be a tone.
  masker: (samples: Int16Array) => maskRecording(samples, 8_000, { replacement: 'silence' }).spans.length,
  'multimon-ng': multimon,
} as const

/** @param samples 8 kHz. @param by who listens; speech alarms the masker now and then */
export function checkForLeaks(
  samples: Int16Array,
  by: readonly (keyof typeof finders)[] = ['reporter', 'masker', 'multimon-ng'],
): LeakCheck {
  const found = by.flatMap((name) => {
    const count = finders[name](samples)
    return count === undefined ? [] : [{ name: name === 'multimon-ng' ? name : `tonewall ${name}`, count }]
  })
  return { decoders: found.map(({ name }) => name), recovered: Math.max(0, ...found.map(({ count }) => count)) }
}

/** Keys found by multimon-ng, undefined where it is not installed. It wants 22,050 Hz. */
function multimon(samples: Int16Array): number | undefined {
  const input = Buffer.from(resampled(samples, 8_000, 22_050).buffer)
  const run = spawnSync('multimon-ng', ['-q', '-a', 'DTMF', '-t', 'raw', '-'], { input, encoding: 'utf8' })
  if (run.error !== undefined) return undefined
  return run.stdout.split('\n').filter((line) => line.startsWith('DTMF:')).length
}

/** Linear interpolation: enough for tones below 2 kHz. */
function resampled(samples: Int16Array, fromHz: number, toHz: number): Int16Array {
  return Int16Array.from({ length: Math.floor((samples.length * toHz) / fromHz) }, (_, n) => {
    const at = (n * fromHz) / toHz
    const before = samples[Math.floor(at)] ?? 0
    const after = samples[Math.floor(at) + 1] ?? before
    return Math.round(before + (after - before) * (at % 1))
  })
}
