/** Another process has the port: Tonewall names the setting and ends, whichever part it was that could not start. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import test from 'node:test'
import { freePorts } from '../support/free-ports.ts'
import { MAIN, PORTS_NEEDED, portsFrom, writeConfiguration } from '../support/product.ts'
import { startProgram } from '../support/processes.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

// EX_CONFIG of sysexits.h.
const EXIT_CONFIG = 78

for (const [setting, occupy] of [
  ['http.port', (ports: ReturnType<typeof portsFrom>) => occupyTcp(ports.httpPort)],
  ['sip.port', (ports: ReturnType<typeof portsFrom>) => occupyUdp(ports.sipPort)],
] as const) {
  test(`when the port of ${setting} is taken, the start says so and ends`, async () => {
    await using folder = await temporaryFolder('port-taken')
    const ports = portsFrom(await freePorts(PORTS_NEEDED))
    await using occupied = await occupy(ports)
    const config = await writeConfiguration(folder, 'sip:agent@127.0.0.1:9', ports)
    await using program = startProgram(process.execPath, [MAIN, 'start', '--config', config], { lifeMs: 20_000 })
    const { code, signal } = await program.ended
    assert.match(program.output(), new RegExp(`${setting.replace('.', '\\.')}: is taken`))
    assert.deepEqual({ code, signal }, { code: EXIT_CONFIG, signal: null }, 'it named the setting and then did not end')
    assert.ok(occupied)
  })
}

async function occupyTcp(port: number): Promise<AsyncDisposable> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function occupyUdp(port: number): Promise<AsyncDisposable> {
  const socket = createSocket('udp4').bind(port, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}
