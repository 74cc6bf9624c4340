/** The command line: finds the command and loads it alone. What a command does not need never comes into its process. */
import process from 'node:process'
import { type Command, UsageError } from './commands/command.ts'

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./commands/start.ts')).start,
  // The demo knows test cards: they must not be found in the memory of a product that was started.
  demo: async () => (await import('./commands/demo.ts')).demo,
  sandbox: async () => (await import('./commands/sandbox.ts')).sandbox,
  mask: async () => (await import('./commands/mask.ts')).mask,
  digits: async () => (await import('./commands/digits.ts')).digits,
}

const [name = 'help', ...args] = process.argv.slice(2)
const load = Object.hasOwn(commands, name) ? commands[name] : undefined
process.exitCode = load === undefined ? await help(name) : await run(await load(), args)

async function run(command: Command, commandArguments: readonly string[]): Promise<number> {
  if (commandArguments.includes('--help')) return print(`tonewall ${command.usage}\n\n${command.about}`)
  try {
    return await command.run(commandArguments)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`tonewall ${command.name}: ${error.message}\nusage: tonewall ${command.usage}\n`)
    return 2
  }
}

async function help(asked: string): Promise<number> {
  const all = await Promise.all(Object.values(commands).map((loadOne) => loadOne()))
  const lines = all.map(({ usage, about }) => `  tonewall ${usage}\n      ${about.split('\n')[0]}`)
  if (!['help', '--help'].includes(asked)) process.stderr.write('tonewall: no such command\n')
  print(
    `Tonewall: secure telephone payments on plain SIP and RTP.\n\n${lines.join('\n')}\n\n  tonewall COMMAND --help says more.`,
  )
  return asked === 'help' || asked === '--help' ? 0 : 2
}

function print(text: string): number {
  process.stdout.write(`${text}\n`)
  return 0
}
