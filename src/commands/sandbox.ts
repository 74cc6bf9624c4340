import { readFileSync } from 'node:fs'
import process from 'node:process'
import { startSandboxGateway } from '../sim/gateway/server.ts'
import { type Command, readArguments, UsageError } from './command.ts'
import { interrupted } from './interrupted.ts'

const DEFAULT_PORT = 8090

export const sandbox: Command = {
  name: 'sandbox',
  usage: 'sandbox --key-file FILE [--port PORT]',
  about: `Runs the sandbox gateway alone, for a first trial before your own PBX.
--key-file FILE   the secret that Tonewall's configuration names as credentialFile
--port PORT       ${DEFAULT_PORT} unless given; on this machine's loopback only
Its test cards are listed in docs/reference/sandbox-cards.md. It forgets everything when it ends.`,
  run: async (args) => {
    const { values, positionals } = readArguments(args, { 'key-file': { type: 'string' }, port: { type: 'string' } })
    if (positionals.length > 0 || values['key-file'] === undefined) throw new UsageError('it needs --key-file FILE')
    const port = Number(values.port ?? DEFAULT_PORT)
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new UsageError('--port is a number from 1 to 65535')
    const key = keyOf(values['key-file'])
    try {
      const gateway = await startSandboxGateway({ host: '127.0.0.1', port, key })
      process.stdout.write(`The sandbox gateway is ready: http://127.0.0.1:${gateway.address.port}\n`)
      await interrupted()
      await gateway.close()
      return 0
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
        throw new UsageError('the port is taken; say another with --port')
      throw error
    }
  },
}

function keyOf(file: string): string {
  try {
    const key = readFileSync(file, 'utf8').trim()
    if (key !== '') return key
  } catch {
    // Said below: missing and unreadable are the same to the operator.
  }
  throw new UsageError('the key file cannot be read or is empty')
}
