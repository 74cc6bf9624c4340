/**
 * The simulators' own process, so that even in the demo no key passes through control. Standard input: one line of JSON, the
 * settings; its end is the order to stop. Standard output: one line of JSON when everything is up.
 */
import process from 'node:process'
import { createInterface } from 'node:readline'
import { ZodError } from 'zod'
import { simLimits } from '../lib/limits.ts'
import { type Simulators, startSimulators } from './simulators.ts'

/** What the one line on standard output holds: the real ports. */
export interface SimulatorsReady {
  readonly ready: {
    readonly http: { readonly host: string; readonly port: number } | undefined
    readonly agentSip: { readonly host: string; readonly port: number }
    readonly callerSip: { readonly host: string; readonly port: number }
    readonly gateway: { readonly host: string; readonly port: number } | undefined
  }
}

let simulators: Simulators | undefined
let stopping = false

const lines = createInterface({ input: process.stdin })
lines.once('line', (line) => void start(line))
lines.once('close', () => void stop(0))
process.once('SIGTERM', () => void stop(0))
// Ctrl-C reaches the whole terminal group; the process that started us decides.
process.on('SIGINT', () => {})

async function start(line: string): Promise<void> {
  try {
    if (line.length > simLimits.settingsOctetsMax) throw new SyntaxError('too long')
    simulators = await startSimulators(JSON.parse(line))
  } catch (error) {
    process.stderr.write(`simulators: not started: ${explain(error)}\n`)
    await stop(1)
    return
  }
  const { http, agent, caller, gateway } = simulators
  const ready: SimulatorsReady = {
    ready: { http, agentSip: agent.sip, callerSip: caller.sip, gateway: gateway?.address },
  }
  process.stdout.write(`${JSON.stringify(ready)}\n`)
}

async function stop(code: number): Promise<void> {
  if (stopping) return
  stopping = true
  lines.close()
  await simulators?.close()
  process.exit(code)
}

/** Names the setting and its problem, never its value. */
function explain(error: unknown): string {
  if (error instanceof SyntaxError) return 'the settings are not one line of JSON'
  if (error instanceof ZodError) {
    return error.issues.map(({ path, code }) => `${path.map(String).join('.') || '(settings)'}: ${code}`).join('; ')
  }
  return error instanceof Error ? error.message : 'unknown problem'
}
