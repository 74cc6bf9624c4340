import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { newId } from '../lib/ids.ts'
import { controlLimits } from '../lib/limits.ts'
import { createLog } from '../lib/log.ts'
import { startControl } from './control.ts'
import { openStore } from './store/open.ts'
import { EVENTS_KEPT_MS, Harness, ORIGIN, tenants } from './testing/harness.test-kit.ts'

test('what the CDE reports while control is still starting is not lost', async () => {
  await using control = await Harness.start()
  const store = await openStore(join(control.folder, 'second.db'))
  const starting = startControl({
    port: control.cde,
    store,
    tenants,
    http: { host: '127.0.0.1', port: 0, allowedOrigins: [] },
    clock: control.time,
    timers: control.time,
    random: control.random,
    log: createLog('second', { write: () => undefined }),
    eventsKeptMs: 1,
    widgetFile: '/nowhere',
  })
  const callId = newId(control.random)
  control.cde.report({ type: 'call-started', callId, number: 'sales', headers: [] })
  const second = await starting
  await second.settled()
  const call = await store.db.selectFrom('call').selectAll().where('id', '=', callId).executeTakeFirst()
  assert.equal(call?.state, 'ringing')
  await second.close()
  await store.close()
})

test('a port that is taken is an error with its code, not half a start', async () => {
  await using control = await Harness.start()
  const store = await openStore(join(control.folder, 'second.db'))
  const again = startAgain(control, { store, tenants })
  await assert.rejects(again, { code: 'EADDRINUSE' })
  await store.close()
})

test('a start that finds its port taken has changed nothing in the store', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  const again = startAgain(control, { store: control.store, tenants: { ...tenants, numbers: [] } })
  await assert.rejects(again, { code: 'EADDRINUSE' })
  assert.equal((await control.call('GET', `/v1/calls/${callId}`)).body['state'], 'answered')
  assert.notEqual(await control.answeredCall(), callId)
})

test('the widget is served to any page without a key; without a build it is plainly not there', async () => {
  await using control = await Harness.start()
  assert.equal((await control.call('GET', '/widget.js', { key: '' })).status, 404)
  writeFileSync(join(control.folder, 'widget.js'), 'export {}\n')
  const { status, headers, text } = await control.call('GET', '/widget.js', { key: '', headers: { origin: ORIGIN } })
  assert.equal(status, 200)
  assert.match(headers.get('content-type') ?? '', /^text\/javascript/)
  assert.equal(headers.get('access-control-allow-origin'), '*')
  assert.equal(text, 'export {}\n')
})

test('events are kept as long as the settings say; more than one commit takes are deleted step by step', async () => {
  await using control = await Harness.start()
  const { store, time } = control
  const callId = await control.answeredCall()
  const pressKeys = async (times: number): Promise<void> => {
    for (let count = 1; count <= times; count++) control.cde.report({ type: 'keys-dropped', callId, count })
    await control.control.settled()
  }
  /** How many events there are once what the clean-up has begun is done: it waits its turn before us. */
  const count = async (): Promise<number> => {
    await store.transact(async () => {})
    return (await store.db.selectFrom('event').select('seq').execute()).length
  }
  await pressKeys(controlLimits.eventsDeletedPerCommit + 5)
  const all = await count()
  time.advance(EVENTS_KEPT_MS - controlLimits.cleanUpEveryMs + 1)
  assert.equal(await count(), all)
  await pressKeys(3)
  time.advance(controlLimits.cleanUpEveryMs)
  assert.equal(await count(), all + 3 - controlLimits.eventsDeletedPerCommit)
  time.advance(controlLimits.eventsDeletePauseMs)
  assert.equal(await count(), 3)
})

test('after the end nothing is listened to any more', async () => {
  await using control = await Harness.start()
  const { control: running, url } = control
  await running.close()
  await assert.rejects(fetch(`${url}/healthz`))
  control.cde.report({ type: 'call-started', callId: newId(control.random), number: 'sales', headers: [] })
  await running.settled()
  assert.deepEqual(await control.store.db.selectFrom('call').selectAll().execute(), [])
})

/** A second control, on the address of the first. */
function startAgain(control: Harness, parts: Pick<Parameters<typeof startControl>[0], 'store' | 'tenants'>) {
  return startControl({
    ...parts,
    port: control.cde,
    http: { ...control.control.address, allowedOrigins: [] },
    clock: control.time,
    timers: control.time,
    random: control.random,
    log: createLog('second', { write: () => undefined }),
    eventsKeptMs: 1,
    widgetFile: '/nowhere',
  })
}
