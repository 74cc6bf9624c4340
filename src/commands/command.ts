import { parseArgs, type ParseArgsConfig } from 'node:util'

export interface Command {
  readonly name: string
  /** After `tonewall `: the command with its arguments. */
  readonly usage: string
  /** First line: what it does, in one sentence. More lines for `--help`. */
  readonly about: string
  /** @returns the exit code */
  run(args: readonly string[]): Promise<number>
}

/** The command was called wrongly; the message says how, without the argument's value. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Arguments by declared option; an unknown or ill-formed option is a UsageError. */
export function readArguments<T extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch {
    const names = Object.keys(options).map((option) => `--${option}`)
    throw new UsageError(`there is an option it does not have, or one without its value; it takes ${names.join(', ')}`)
  }
}
