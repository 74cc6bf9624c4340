import process from 'node:process'
import { keySymbol } from '../cde/dtmf/key-codes.ts'
import { findKeys } from '../cde/dtmf/recording.ts'
import { type Command, readArguments, UsageError } from './command.ts'
import { judge, readTruth } from './judge-leak.ts'
import { readRecording } from './mask.ts'

export const digits: Command = {
  name: 'digits',
  usage: 'digits FILE.wav… [--json] · digits --judge FILE.wav --truth TRUTH.json [--json]',
  about: `Prints the keys that the reporter of live calls hears in recordings, with their times.
For judging recordings of your own: it shows what a recording gives away. Run it where such recordings may be read.
--judge counts how many of the keys in TRUTH.json a masked recording still gives away: to decoders, and to one that is told
where each key was ([{ "key": "5", "startMs": 1000, "endMs": 1080 }, …]). It prints no key.`,
  run: async (args) => {
    const { values, positionals } = readArguments(args, {
      json: { type: 'boolean' },
      judge: { type: 'string' },
      truth: { type: 'string' },
    })
    const isJson = values.json === true
    if (values.judge !== undefined) return judgeFile(values.judge, values.truth, isJson)
    if (positionals.length === 0) throw new UsageError('it takes at least one file')
    for (const file of positionals) printKeys(file, isJson)
    return 0
  },
}

function printKeys(file: string, isJson: boolean): void {
  const { rateHz, channels } = readRecording(file)
  const keys = channels.flatMap((samples, channel) =>
    findKeys(samples, rateHz).map(({ key, startMs, endMs }) => ({
      channel: channel + 1,
      key: keySymbol(key),
      startMs: Math.round(startMs),
      endMs: Math.round(endMs),
    })),
  )
  if (isJson) {
    process.stdout.write(`${JSON.stringify({ file, keys })}\n`)
    return
  }
  process.stdout.write(`${file}: ${keys.length === 0 ? 'no keys' : `${keys.length} keys`}\n`)
  for (const { channel, key, startMs, endMs } of keys) {
    process.stdout.write(`  ${key}  channel ${channel}  ${startMs}–${endMs} ms\n`)
  }
}

/** @returns 0 when nothing was recovered, 1 otherwise */
function judgeFile(file: string, truthFile: string | undefined, isJson: boolean): number {
  if (truthFile === undefined) throw new UsageError('--judge wants --truth TRUTH.json')
  const truth = readTruth(truthFile)
  const { rateHz, channels } = readRecording(file)
  const judgement = judge(channels, rateHz, truth)
  const { tried, heardByDecoders, decoders, leastSquares } = judgement
  const [low, high] = leastSquares.interval
  if (isJson) process.stdout.write(`${JSON.stringify({ file, ...judgement })}\n`)
  else {
    process.stdout.write(`${file}: ${tried} keys were pressed
  heard by ${decoders.join(', ')}: ${heardByDecoders}
  guessed by least squares, told where: ${leastSquares.right} (advantage over chance ${leastSquares.advantage}, 95 % ${low} to ${high})
`)
  }
  return heardByDecoders === 0 && low <= 0 ? 0 : 1
}
