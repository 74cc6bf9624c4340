import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'

const OUTPUT_CHARACTERS_MAX = 4_000_000
const GRACE_MS = 5_000

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A program that runs beside the test. Disposing it ends it: no test leaves a process behind. */
export interface StartedProgram extends AsyncDisposable {
  readonly pid: number
  /** All it has written to stdout and stderr so far. */
  output(): string
  /** Resolves when the output matches; rejects with the output when the time is over or the program has ended. */
  waitFor(pattern: RegExp, timeoutMs: number): Promise<RegExpMatchArray>
  readonly ended: Promise<Ended>
  /** SIGTERM, and SIGKILL when that is not obeyed within five seconds. */
  stop(): Promise<Ended>
}

export interface StartOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** It is killed when it lives longer than this. */
  readonly lifeMs: number
}

export function startProgram(command: string, args: readonly string[], options: StartOptions): StartedProgram {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let over = false
  const watchers = new Set<() => void>()
  const ended = endOf(child).finally(() => {
    over = true
    for (const watch of watchers) watch()
  })
  // Whoever waits for `ended` meets the error; nobody may.
  ended.catch(() => undefined)
  const take = (chunk: string): void => {
    output = (output + chunk).slice(-OUTPUT_CHARACTERS_MAX)
    for (const watch of watchers) watch()
  }
  child.stdout.setEncoding('utf8').on('data', take)
  child.stderr.setEncoding('utf8').on('data', take)
  const life = setTimeout(() => child.kill('SIGKILL'), options.lifeMs)
  void ended.catch(() => undefined).finally(() => clearTimeout(life))

  const waitFor = (pattern: RegExp, timeoutMs: number): Promise<RegExpMatchArray> =>
    new Promise((resolve, reject) => {
      const settle = (why: string | undefined): void => {
        const found = output.match(pattern)
        if (found === null && why === undefined) return
        clearTimeout(timer)
        watchers.delete(watch)
        if (found === null) reject(new Error(`${command} ${why} before ${String(pattern)}:\n${output.slice(-4_000)}`))
        else resolve(found)
      }
      const watch = (): void => settle(over ? 'ended' : undefined)
      const timer = setTimeout(() => settle(`took over ${timeoutMs} ms`), timeoutMs)
      watchers.add(watch)
      watch()
    })

  const stop = async (): Promise<Ended> => {
    if (!over) {
      child.kill('SIGTERM')
      const grace = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
      await ended.finally(() => clearTimeout(grace))
    }
    return await ended
  }
  return {
    pid: child.pid ?? 0,
    output: () => output,
    waitFor,
    ended,
    stop,
    async [Symbol.asyncDispose]() {
      await stop().catch(() => undefined)
    },
  }
}

async function endOf(child: ChildProcess): Promise<Ended> {
  // 'close' comes after 'exit', when all output was read; 'error' makes `once` reject.
  await once(child, 'close')
  return { code: child.exitCode, signal: child.signalCode }
}

export interface Finished extends Ended {
  readonly stdout: Buffer
  readonly stderr: string
}

/** Runs a program to its end, killed after `timeoutMs`. An exit code other than 0 is a value here, not an error. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: Uint8Array; readonly timeoutMs: number },
): Promise<Finished> {
  const child = spawn(command, args, { cwd: options.cwd, stdio: 'pipe' })
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs)
  // A program may end without reading all its input; its exit code says whether that was well.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? new Uint8Array())
  try {
    const [stdout, stderr, ended] = await Promise.all([buffer(child.stdout), buffer(child.stderr), endOf(child)])
    return { ...ended, stdout, stderr: stderr.toString('utf8') }
  } finally {
    clearTimeout(timer)
  }
}

/** As `runProgram`, for programs that must succeed: rejects with their own words when they do not. */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: Uint8Array; readonly timeoutMs: number },
): Promise<Buffer> {
  const { code, signal, stdout, stderr } = await runProgram(command, args, options)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}: ${stderr.slice(-2_000)}`)
  return stdout
}
