import process from 'node:process'
import { findKeys } from '../cde/dtmf/recording.ts'
import { keySymbol } from '../cde/dtmf/key-codes.ts'
import { type Command, readArguments, UsageError } from './command.ts'
import { readRecording } from './mask.ts'

export const digits: Command = {
  name: 'digits',
  usage: 'digits FILE.wav… [--json]',
  about: `Prints the keys that the reporter of live calls hears in recordings, with their times.
For judging recordings of your own: it shows what a recording gives away. Run it where such recordings may be read.`,
  run: async (args) => {
    const { values, positionals } = readArguments(args, { json: { type: 'boolean' } })
    if (positionals.length === 0) throw new UsageError('it takes at least one file')
    for (const file of positionals) {
      const { rateHz, channels } = readRecording(file)
      const keys = channels.flatMap((samples, channel) =>
        findKeys(samples, rateHz).map(({ key, startMs, endMs }) => ({
          channel: channel + 1,
          key: keySymbol(key),
          startMs: Math.round(startMs),
          endMs: Math.round(endMs),
        })),
      )
      if (values.json) process.stdout.write(`${JSON.stringify({ file, keys })}\n`)
      else {
        process.stdout.write(`${file}: ${keys.length === 0 ? 'no keys' : `${keys.length} keys`}\n`)
        for (const { channel, key, startMs, endMs } of keys) {
          process.stdout.write(`  ${key}  channel ${channel}  ${startMs}–${endMs} ms\n`)
        }
      }
    }
    return 0
  },
}
