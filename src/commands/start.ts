import { resolve } from 'node:path'
import process from 'node:process'
import { type Config, type ConfigProblem, loadConfig, parseConfig } from '../config.ts'
import { type Command, readArguments, UsageError } from './command.ts'
import { demoSettings } from './demo-settings.ts'
import { interrupted } from './interrupted.ts'
import { startProduct } from './product.ts'
import { startSimulatorsProcess } from './simulators-process.ts'

const PAGE_PORT = 8080

export const start: Command = {
  name: 'start',
  usage: 'start --config FILE | --with-simulators [--data FOLDER]',
  about: `Runs Tonewall: with your configuration, or with a simulated caller, agent and gateway around it.
--config FILE        listen addresses, numbers and where they route, gateway accounts; see examples/tonewall.json
--with-simulators    all on this machine; prints the address of the demo page (what \`npm start\` does)
--data FOLDER        where the simulated one keeps its database and keys; ./data unless given`,
  run: async (args) => {
    const { values, positionals } = readArguments(args, {
      config: { type: 'string' },
      'with-simulators': { type: 'boolean' },
      data: { type: 'string' },
    })
    if (positionals.length > 0) throw new UsageError('it takes options only')
    if ((values.config === undefined) === (values['with-simulators'] === undefined)) {
      throw new UsageError('say either --config FILE or --with-simulators')
    }
    // A log shipper that restarts, or `| head`, closes the pipe: that must never end calls.
    process.stdout.on('error', () => {})
    process.stderr.on('error', () => {})
    return values.config === undefined ? runWithSimulators(values.data ?? 'data') : runConfigured(values.config)
  },
}

async function runConfigured(file: string): Promise<number> {
  const loaded = loadConfig(file)
  if ('problems' in loaded) return refuse(loaded.problems)
  const product = await startProduct(loaded.config, process.stderr)
  if ('problems' in product) return refuse(product.problems)
  process.stdout.write(`Tonewall is ready: API ${product.api}, SIP ${sipAddress(loaded.config)}\n`)
  await interrupted()
  await product.close()
  return 0
}

async function runWithSimulators(folder: string): Promise<number> {
  const { config: wanted, simulators: simulatorSettings } = await demoSettings(resolve(folder), PAGE_PORT)
  const parsed = parseConfig(wanted, process.cwd())
  if ('problems' in parsed) return refuse(parsed.problems)
  const quiet = { write: (line: string) => void (isTrouble(line) && process.stderr.write(line)) }
  const product = await startProduct(parsed.config, quiet)
  if ('problems' in product) return refuse(product.problems)
  const simulators = await startSimulatorsProcess(simulatorSettings)
  if (simulators === undefined) {
    await product.close()
    return 1
  }
  const keyFile = simulatorSettings.control?.apiKeyFile
  if (simulatorSettings.http?.port !== PAGE_PORT)
    process.stdout.write(`\n  Port ${PAGE_PORT} is taken; another one is used.\n`)
  const page = `http://127.0.0.1:${simulatorSettings.http?.port}`
  process.stdout.write(
    `\n  Tonewall is running with a simulated caller, agent and gateway.\n\n  Open  ${page}\n\n  API ${product.api}, key in ${keyFile}. Ctrl-C stops it.\n\n`,
  )
  await Promise.race([interrupted(), simulators.ended])
  await simulators.close()
  await product.close()
  return 0
}

/** Beside the page's address only warnings and errors belong on the terminal (pino levels 40 and above). */
function isTrouble(line: string): boolean {
  return /"level":[456]0/.test(line)
}

function refuse(problems: readonly ConfigProblem[]): number {
  for (const { path, problem, example } of problems) {
    process.stderr.write(`tonewall: ${path}: ${problem}${example === undefined ? '' : `; for example ${example}`}\n`)
  }
  return 78 // EX_CONFIG of sysexits.h
}

function sipAddress({ sip }: Config): string {
  return `${sip.host.includes(':') ? `[${sip.host}]` : sip.host}:${sip.port}/udp`
}
