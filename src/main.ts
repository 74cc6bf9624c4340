/** The command line. Each command is a composition root of its own; this file only finds it. */
import process from 'node:process'
import { demo } from './commands/demo.ts'
import { digits } from './commands/digits.ts'
import { type Command, UsageError } from './commands/command.ts'
import { mask } from './commands/mask.ts'
import { start } from './commands/start.ts'

const commands: readonly Command[] = [start, demo, mask, digits]

const [name, ...args] = process.argv.slice(2)
const command = commands.find((candidate) => candidate.name === name)
if (command === undefined || args.includes('--help')) {
  print(command === undefined ? overview() : `tonewall ${command.usage}\n\n${command.about}`)
  process.exitCode = name === undefined || name === 'help' || args.includes('--help') || name === '--help' ? 0 : 2
} else {
  try {
    process.exitCode = await command.run(args)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`tonewall ${command.name}: ${error.message}\nusage: tonewall ${command.usage}\n`)
    process.exitCode = 2
  }
}

function overview(): string {
  const lines = commands.map(({ usage, about }) => `  tonewall ${usage}\n      ${about.split('\n')[0]}`)
  return `Tonewall: secure telephone payments on plain SIP and RTP.\n\n${lines.join('\n')}\n\n  tonewall COMMAND --help says more.`
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
