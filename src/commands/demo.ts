import { join, resolve } from 'node:path'
import process from 'node:process'
import { type Command, readArguments, UsageError } from './command.ts'
import { type DemoResult, runDemo } from './demo/run.ts'
import { Timeline } from './demo/timeline.ts'

export const demo: Command = {
  name: 'demo',
  usage: 'demo [--json] [--out FOLDER]',
  about: `One scripted call in the terminal: three cards, keyed in-band, as RFC 4733 and by SIP INFO; a decline, two approvals.
Writes caller.wav, agent.wav and a picture of both into FOLDER (data/demo unless given), and looks for leaks in agent.wav.
Ends with an error if a digit can be recovered, a payment is not as scripted, or a key took longer than 150 ms to the screen.
--json   the result as one JSON object on the last line`,
  run: async (args) => {
    const { values, positionals } = readArguments(args, { json: { type: 'boolean' }, out: { type: 'string' } })
    if (positionals.length > 0) throw new UsageError('it takes options only')
    const print = (line: string): void => void process.stdout.write(`${line}\n`)
    const result = await runDemo(resolve(values.out ?? join('data', 'demo')), new Timeline(print))
    print(values.json ? JSON.stringify(result) : summary(result))
    return result.off.length === 0 ? 0 : 1
  },
}

function summary(result: DemoResult): string {
  const { recovered, speechKeptPercent, keyToScreenMs, payments, off } = result
  return [
    '',
    `  digits recovered from what the agent heard   ${recovered}`,
    `  caller's speech kept                         ${speechKeptPercent} %`,
    `  key to screen                                ${keyToScreenMs.p50} ms median, ${keyToScreenMs.p99} ms at the 99th percentile`,
    `  payments                                     ${payments.map((payment) => payment.result).join(', ')}`,
    '',
    off.length === 0 ? '  All as it should be.' : `  OFF: ${off.join('; ')}.`,
    '',
  ].join('\n')
}
