import process from 'node:process'

/** The end of a thread or process that met a fault. An error's message could hold input; its frames cannot. */
export function dieWithoutMessage(error: unknown): never {
  const frames =
    error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at ')) : []
  process.stderr.write(
    `card zone: fatal ${error instanceof Error ? error.name : 'error'}\n${frames.slice(0, 20).join('\n')}\n`,
  )
  process.exit(70)
}
