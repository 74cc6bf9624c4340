import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import process from 'node:process'
import { maskRecording } from '../cde/dtmf/recording.ts'
import { parseWav, writeWav } from '../lib/wav.ts'
import { type ReplacementKind, replacements } from '../wall/settings.ts'
import { type Command, readArguments, UsageError } from './command.ts'

export const mask: Command = {
  name: 'mask',
  usage: 'mask IN.wav OUT.wav [--replacement flat|silence|comfort] [--json]',
  about: `Puts a recording through the very masker of live calls.
Mono or stereo (each channel by itself), 8, 16 or 48 kHz. OUT.wav is what an agent would have heard.`,
  run: async (args) => {
    const { values, positionals } = readArguments(args, { json: { type: 'boolean' }, replacement: { type: 'string' } })
    const [input, output, ...rest] = positionals
    if (input === undefined || output === undefined || rest.length > 0) throw new UsageError('it takes two files')
    if (resolve(input) === resolve(output)) throw new UsageError('OUT.wav must be another file than IN.wav')
    const replacement = values.replacement ?? 'flat'
    if (!isReplacement(replacement)) throw new UsageError('--replacement is flat, silence or comfort')

    const { rateHz, channels } = readRecording(input)
    const masked = channels.map((samples) => maskRecording(samples, rateHz, { replacement }))
    writeFileSync(
      output,
      writeWav(
        masked.map(({ samples }) => samples),
        rateHz,
      ),
    )
    const seconds = (channels[0]?.length ?? 0) / rateHz
    const figures = masked.map(({ spans }) => ({
      spans: spans.map(({ startMs, endMs }) => ({ startMs, endMs })),
      maskedPercent: seconds === 0 ? 0 : round(spans.reduce((sum, s) => sum + s.endMs - s.startMs, 0) / 10 / seconds),
    }))
    if (values.json) process.stdout.write(`${JSON.stringify({ seconds: round(seconds), channels: figures })}\n`)
    else {
      for (const [i, { spans, maskedPercent }] of figures.entries()) {
        process.stdout.write(
          `channel ${i + 1}: ${spans.length} spans masked, ${maskedPercent} % of ${round(seconds)} s\n`,
        )
      }
    }
    return 0
  },
}

function isReplacement(word: string): word is ReplacementKind {
  return (replacements as readonly string[]).includes(word)
}

/** The channels of a WAV file. @throws UsageError when the file is missing or no WAV that Tonewall reads */
export function readRecording(file: string): { rateHz: number; channels: readonly Int16Array[] } {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch {
    throw new UsageError('a file given cannot be read')
  }
  const wav = parseWav(bytes)
  if (typeof wav === 'string') throw new UsageError(`a file given is no WAV that Tonewall reads (${wav})`)
  if (![8_000, 16_000, 48_000].includes(wav.rateHz))
    throw new UsageError('the recording must have 8, 16 or 48 kHz; sox IN.wav -r 8000 OUT.wav makes it so')
  return { rateHz: wav.rateHz, channels: wav.samples }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
