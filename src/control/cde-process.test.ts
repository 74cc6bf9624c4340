/** The real card zone as a child process: what surrounds it, what kills it, what comes back. Linux tells about it in /proc. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../../test/support/free-ports.ts'
import { childrenOf } from '../../test/support/proc.ts'
import { z } from 'zod'
import { createLog } from '../lib/log.ts'
import { cdeSettings } from '../wall/settings.ts'
import { CdeProcess } from './cde-process.ts'

const noProc = !existsSync('/proc/self/status') && 'this system has no /proc'
const root = fileURLToPath(new URL('../../', import.meta.url))
let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tonewall-cde-'))
  writeFileSync(join(folder, 'key'), 'secret')
})
after(() => rmSync(folder, { recursive: true }))

type Change = {
  sipPort?: number
  credentialFile?: string
  engine?: 'auto' | 'dgram'
  silenceMs?: number
  numbers?: number
  destination?: string
}

async function cdeProcess(change: Change = {}): Promise<CdeProcess> {
  const first = await freePorts(10)
  const credentialFile = change.credentialFile ?? join(folder, 'key')
  const numbersOf = cdeSettings.shape.numbers
  const settings = cdeSettings.extend({ numbers: numbersOf.or(z.array(z.never())) }).parse({
    sip: { host: '127.0.0.1', port: change.sipPort ?? first },
    media: { host: '127.0.0.1', portMin: first + 2, portMax: first + 9, engine: change.engine ?? 'dgram' },
    numbers: Array.from({ length: change.numbers ?? 1 }, (_, i) => ({
      id: `line-${i}`,
      called: `+4416329${i}`,
      destination: change.destination ?? 'sip:agent@127.0.0.1:5999',
    })),
    capture: { fields: [{ name: 'cardNumber', kind: 'cardNumber' }] },
    gateways: [{ account: 'sandbox', kind: 'sandbox', url: 'http://127.0.0.1:1', credentialFile }],
  })
  return new CdeProcess({
    node: process.execPath,
    entry: join(root, 'src', 'cde', 'main.ts'),
    readable: [join(root, 'src', '*'), join(root, 'node_modules', '*'), join(root, 'package.json'), credentialFile],
    settings,
    log: createLog('test', { write: () => {} }),
    ...(change.silenceMs !== undefined && { silenceMs: change.silenceMs }),
    onRefused: () => {},
  })
}

async function cdePid(): Promise<number> {
  const children = await childrenOf(process.pid)
  const found = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('cde/main.ts'))
  assert.ok(found, 'the card zone is not among the children of this process')
  return found
}

const nextDown = (cde: CdeProcess): Promise<void> => new Promise((resolve) => cde.onDown(resolve))
const nextUp = (cde: CdeProcess): Promise<void> => new Promise((resolve) => cde.onUp(resolve))

test('it may load an addon for the engines that need one, and nothing else', { skip: noProc }, async () => {
  const cde = await cdeProcess({ engine: 'auto' })
  try {
    assert.equal(await cde.start(), undefined)
    const commandLine = readFileSync(`/proc/${await cdePid()}/cmdline`, 'utf8').split('\0')
    assert.deepEqual(
      commandLine.filter((flag) => /^--(inspect|allow-(?!fs-read))/.test(flag)),
      ['--allow-worker', '--allow-addons'],
    )
  } finally {
    await cde.stop()
  }
})

test('it runs with an empty environment, without core dumps, permissions to write or an inspector', {
  skip: noProc,
}, async () => {
  process.env['NODE_OPTIONS'] = '--title=planted'
  const cde = await cdeProcess()
  try {
    assert.equal(await cde.start(), undefined)
    const pid = await cdePid()
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
    assert.doesNotMatch(environment, /planted|NODE_OPTIONS|HOME|TOKEN|SECRET/)
    assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max core file size\s+0\s+0/)
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    assert.ok(commandLine.includes('--permission') && commandLine.includes('--disable-sigusr1'))
    assert.deepEqual(
      commandLine.filter((flag) => /^--(inspect|allow-(?!fs-read))/.test(flag)),
      ['--allow-worker'],
    )
    process.kill(pid, 'SIGUSR1')
    process.kill(pid, 'SIGTERM')
    assert.equal(cde.send({ type: 'hang-up', callId: 'BCDFGHJKLMNPQRSTVW' }), true)
    assert.equal(await inspectorListens(pid), false)
    assert.equal(await cdePid(), pid, 'SIGUSR1 and SIGTERM must not end it: control decides')
  } finally {
    delete process.env['NODE_OPTIONS']
    await cde.stop()
  }
})

test('killed, it is reported down at once, started anew and configured', { skip: noProc }, async () => {
  const cde = await cdeProcess()
  try {
    assert.equal(await cde.start(), undefined)
    const first = await cdePid()
    const down = nextDown(cde)
    process.kill(first, 'SIGKILL')
    await down
    assert.equal(cde.up, false)
    assert.equal(cde.send({ type: 'hang-up', callId: 'BCDFGHJKLMNPQRSTVW' }), false)
    await nextUp(cde)
    assert.notEqual(await cdePid(), first)
  } finally {
    await cde.stop()
  }
})

test('one that hangs without dying is killed and replaced', { skip: noProc }, async () => {
  const cde = await cdeProcess({ silenceMs: 8_000 })
  try {
    assert.equal(await cde.start(), undefined)
    const first = await cdePid()
    const down = nextDown(cde)
    process.kill(first, 'SIGSTOP')
    await down
    await nextUp(cde)
    assert.notEqual(await cdePid(), first)
  } finally {
    await cde.stop()
  }
})

test('10,000 numbers fit through the wall', { skip: noProc }, async () => {
  const cde = await cdeProcess({ numbers: 10_000 })
  assert.equal(await cde.start(), undefined)
  await cde.stop()
})

test('settings that the wall refuses end the start instead of hanging it', { skip: noProc }, async () => {
  const cde = await cdeProcess({ numbers: 0 })
  assert.equal(await cde.start(), 'settings-refused')
})

test('what makes a start impossible is said, and nothing is left running', { skip: noProc }, async () => {
  const holder = await cdeProcess()
  const port = await freePorts(2)
  const first = await cdeProcess({ sipPort: port })
  assert.equal(await first.start(), undefined)
  const second = await cdeProcess({ sipPort: port })
  assert.equal(await second.start(), 'sip-port-taken')
  await first.stop()
  const unreadable = await cdeProcess({ credentialFile: join(folder, 'missing') })
  assert.equal(await unreadable.start(), 'credential-unreadable')
  await holder.stop()
  const left = (await childrenOf(process.pid)).filter((pid) => existsSync(`/proc/${pid}/exe`))
  assert.deepEqual(left, [])
})

/** True when the process listens on a TCP port: the CDE has none, an inspector would. */
async function inspectorListens(pid: number): Promise<boolean> {
  const { readdir, readlink } = await import('node:fs/promises')
  const descriptors = await readdir(`/proc/${pid}/fd`)
  const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')))
  const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]))
  const tables = ['tcp', 'tcp6'].map((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8')).join('\n')
  // Columns of /proc/net/tcp: 3 is the state (0A is LISTEN), 9 the inode.
  return tables.split('\n').some((line) => {
    const columns = line.trim().split(/\s+/)
    return columns[3] === '0A' && inodes.has(columns[9])
  })
}
