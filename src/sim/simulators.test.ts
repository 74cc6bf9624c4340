import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { after, before, type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import type { SimulatorSettingsInput } from './settings.ts'
import { type SimEvent, type Simulators, startSimulators } from './simulators.ts'

const root = join(import.meta.dirname, '..', '..')
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tonewall-simulators-'))
  await writeFile(join(folder, 'gateway.key'), 'sandbox-key\n')
})

after(() => rm(folder, { recursive: true }))

/** Without Tonewall in between: the carrier's calls go straight to the agent's phone. */
async function directSettings(): Promise<SimulatorSettingsInput> {
  const probe = createSocket('udp4').bind(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  await new Promise<void>((resolve) => probe.close(resolve))
  return {
    tonewall: { host: '127.0.0.1', sipPort: port },
    calledNumber: '+441632960001',
    agentSip: { host: '127.0.0.1', port },
    ringMs: 10,
    http: { host: '127.0.0.1', port: 0 },
    gateway: { host: '127.0.0.1', port: 0, keyFile: join(folder, 'gateway.key') },
    assets: join(root, 'assets'),
    seed: 9,
  }
}

function nextEvent(simulators: Simulators, fits: (event: SimEvent) => boolean): Promise<SimEvent> {
  return new Promise((resolve) => {
    const off = simulators.onEvent((event) => {
      if (!fits(event)) return
      off()
      resolve(event)
    })
  })
}

test('a program calls, keys and listens; both voices are in the recordings on one clock', async (t) => {
  const simulators = await startSimulators(await directSettings())
  t.after(() => simulators.close())
  const { caller, agent } = simulators
  const states: string[] = []
  simulators.onState(({ call }) => states.push(call.state))
  const answered = nextEvent(
    simulators,
    (event) => event.phone === 'caller' && event.type === 'state' && event.state === 'answered',
  )
  assert.equal(caller.call(), true)
  assert.equal(caller.call(), false)
  await answered
  assert.equal(await caller.key(4), true)
  assert.equal(await caller.key(2, 'event', 600), true)
  assert.equal(caller.speak(), true)
  const over = nextEvent(simulators, (event) => event.phone === 'agent' && event.type === 'call-over')
  assert.equal(caller.hangUp(), true)
  await over
  assert.equal(await caller.key(1), false)
  const [sent, monitor, heardByCaller] = [
    caller.recordings().sent,
    caller.recordings().monitor,
    caller.recordings().heard,
  ]
  assert.ok(sent !== undefined && monitor !== undefined && heardByCaller !== undefined)
  assert.equal(sent.startedAtMs, monitor.startedAtMs)
  assert.notDeepEqual(sent.samples, monitor.samples, 'the key that went as events is in the monitor only')
  assert.ok(
    heardByCaller.samples.some((sample) => Math.abs(sample) > 1_000),
    'the agent speaks after the answer',
  )
  assert.ok(agent.recordings().heard?.samples.some((sample) => Math.abs(sample) > 4_000))
  assert.deepEqual(states, ['calling', 'ringing', 'answered', 'ended'])
  assert.equal(simulators.gateway?.ledger().length, 0)
})

test('the page’s socket carries both legs while a call is up', async (t) => {
  const simulators = await startSimulators(await directSettings())
  t.after(() => simulators.close())
  const page = new WebSocket(`ws://127.0.0.1:${simulators.http?.port}/live`)
  const legs = new Set<number>()
  const both = new Promise<void>((resolve) => {
    page.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) legs.add(data[0] ?? -1)
      if (legs.size === 2) resolve()
    })
  })
  await once(page, 'open')
  const { status } = await fetch(`http://127.0.0.1:${simulators.http?.port}/caller/call`, { method: 'POST' })
  assert.equal(status, 200)
  await both
  assert.ok(legs.has(0) && legs.has(1))
  page.terminate()
})

test('a port that is taken is an error, and what was started before it is closed', async (t) => {
  const settings = await directSettings()
  const simulators = await startSimulators(settings)
  t.after(() => simulators.close())
  await assert.rejects(startSimulators({ ...settings, http: { host: '127.0.0.1', port: simulators.http?.port ?? 0 } }))
  await simulators.close()
  const again = await startSimulators(settings)
  await again.close()
})

function startProcess(t: TestContext) {
  const child = spawn(process.execPath, [join(root, 'src', 'sim', 'main.ts')], { stdio: ['pipe', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  t.after(() => child.kill('SIGKILL'))
  const line = once(createInterface({ input: child.stdout }), 'line')
  let complaint = ''
  child.stderr.on('data', (text: Buffer) => (complaint += text.toString()))
  return { child, exited, line, complaint: () => complaint }
}

for (const end of ['its input ends', 'SIGTERM'] as const) {
  test(`the process says when it is ready, takes orders, and goes when ${end}`, async (t) => {
    const { child, exited, line, complaint } = startProcess(t)
    child.stdin.write(`${JSON.stringify(await directSettings())}\n`)
    const [text] = await line
    const { ready } = JSON.parse(text)
    assert.ok(ready.http.port > 0 && ready.agentSip.port > 0 && ready.callerSip.port > 0 && ready.gateway.port > 0)
    const response = await fetch(`http://127.0.0.1:${ready.http.port}/state`)
    assert.deepEqual(await response.json(), { call: { state: 'idle' }, carriage: 'in-band' })
    if (end === 'SIGTERM') child.kill('SIGTERM')
    else child.stdin.end()
    assert.deepEqual(await exited, [0, null], complaint())
  })
}

test('wrong settings are named by path, without their values, and the process does not start half', async (t) => {
  const { child, exited, complaint } = startProcess(t)
  const settings = { ...(await directSettings()), calledNumber: '4242424242424242', ringMs: 'soon' }
  child.stdin.write(`${JSON.stringify(settings)}\n`)
  assert.deepEqual(await exited, [1, null])
  assert.match(complaint(), /calledNumber: .*ringMs: /)
  assert.doesNotMatch(complaint(), /4242|soon/)
})
