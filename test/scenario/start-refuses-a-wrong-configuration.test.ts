/** `tonewall start --config`: every wrong setting is named, and the process does not start half: no port stays open. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore } from '../../src/control/store/open.ts'
import { freePorts } from '../support/free-ports.ts'
import { type Finished, runProgram } from '../support/processes.ts'
import { type TemporaryFolder, temporaryFolder } from '../support/temp-folder.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

async function startWith(folder: TemporaryFolder, change: Record<string, unknown>, port: number): Promise<Finished> {
  await writeFile(folder.file('key'), 'secret-of-the-file')
  const config = {
    http: { host: '127.0.0.1', port },
    sip: { host: '127.0.0.1', port: port + 1 },
    media: { host: '127.0.0.1', portMin: port + 2, portMax: port + 9 },
    store: { file: './tonewall.sqlite' },
    trustedPeers: ['127.0.0.1'],
    merchants: [{ id: 'acme', name: 'Acme' }],
    numbers: [{ id: 'sales', merchant: 'acme', called: '+441632960001', destination: 'sip:agent@127.0.0.1:5999' }],
    gateways: [
      { account: 'main', merchant: 'acme', kind: 'sandbox', url: 'http://127.0.0.1:1', credentialFile: './key' },
    ],
    apiKeys: [{ name: 'crm', merchant: 'acme', keyFile: './key' }],
    ...change,
  }
  await writeFile(folder.file('tonewall.json'), JSON.stringify(config))
  return runProgram(process.execPath, [MAIN, 'start', '--config', folder.file('tonewall.json')], { timeoutMs: 30_000 })
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

test('wrong settings are named with path, problem and example, all at once', { timeout: 60_000 }, async () => {
  await using folder = await temporaryFolder('config')
  const port = await freePorts(10)
  const change = { sip: { host: '127.0.0.1', port: 'secret-in-the-wrong-place' }, replacement: 'beep', sipp: 1 }
  const { code, stderr, stdout } = await startWith(folder, change, port)
  assert.equal(code, 78)
  assert.match(stderr, /^tonewall: sip\.port: must be a port from 1 to 65535; for example 5060$/m)
  assert.match(stderr, /^tonewall: replacement: must be flat, silence or comfort; for example "flat"$/m)
  assert.match(stderr, /^tonewall: sipp: is not a setting/m)
  assert.doesNotMatch(stderr + stdout.toString('utf8'), /secret/)
})

test('a taken SIP port is named, and the API is closed again', { timeout: 60_000 }, async () => {
  await using folder = await temporaryFolder('config')
  const port = await freePorts(10)
  const holder = createSocket('udp4')
  holder.bind(port + 1, '127.0.0.1')
  await once(holder, 'listening')
  try {
    const { code, stderr } = await startWith(folder, {}, port)
    assert.equal(code, 78, stderr)
    assert.match(stderr, /^tonewall: sip\.port: is taken by another process; for example 5070$/m)
    assert.equal(await listens(port), false)
  } finally {
    holder.close()
  }
})

test('a taken HTTP port is named, and no card zone was started', { timeout: 60_000 }, async () => {
  await using folder = await temporaryFolder('config')
  const port = await freePorts(10)
  const holder = createServer().listen(port, '127.0.0.1')
  await once(holder, 'listening')
  try {
    const { code, stderr } = await startWith(folder, {}, port)
    assert.equal(code, 78, stderr)
    assert.match(stderr, /^tonewall: http\.port: is taken by another process/m)
  } finally {
    holder.close()
  }
})

test('a store that another process holds is named, and nothing was started', { timeout: 60_000 }, async () => {
  await using folder = await temporaryFolder('config')
  const port = await freePorts(10)
  const holder = await openStore(folder.file('tonewall.sqlite'))
  try {
    const { code, stderr } = await startWith(folder, {}, port)
    assert.equal(code, 78, stderr)
    assert.match(stderr, /^tonewall: store\.file: is in use by another Tonewall/m)
  } finally {
    await holder.close()
  }
})

test('an address that is not of this machine is named', { timeout: 60_000 }, async () => {
  await using folder = await temporaryFolder('config')
  const port = await freePorts(10)
  const { code, stderr } = await startWith(folder, { sip: { host: '192.0.2.1', port: port + 1 } }, port)
  assert.equal(code, 78, stderr)
  assert.match(stderr, /^tonewall: sip\.host: is no address of this machine/m)
})
