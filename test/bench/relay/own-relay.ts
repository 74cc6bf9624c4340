import process from 'node:process'
import { join } from 'node:path'
import { startProgram } from '../../support/processes.ts'
import { type BenchNet, type CallPorts, type Forwarding, loopback, type RelayUnderTest } from './relay-under-test.ts'

/** Tonewall's relay with unarmed calls, in a process of its own: `engine` and `kernel` as in the settings of `media`. */
export async function startOwnRelay(
  engine: string,
  calls: number,
  core: number,
  kernel: Forwarding,
  net: BenchNet = loopback,
): Promise<RelayUnderTest> {
  const script = join(import.meta.dirname, 'own-relay-process.ts')
  const args = ['-n', '-20', 'taskset', '-c', String(core), process.execPath, script, engine, String(calls)]
  const program = startProgram('nice', [...args, net.relay, kernel], { lifeMs: 120_000 })
  const [, text = ''] = await program.waitFor(/^ready (.*)$/m, 30_000)
  return {
    pid: program.pid,
    ports: JSON.parse(text) as CallPorts[],
    close: async () => void (await program.stop()),
  }
}
