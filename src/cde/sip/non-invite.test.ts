import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NonInviteClient } from './non-invite-client.ts'
import { NonInviteServer } from './non-invite-server.ts'
import { answerTo, brief, diary, requestOf } from './test-messages.ts'

test('client, trying: sent again from 0.5 s doubling to 4 s (E), given up at 32 s (F)', () => {
  const machine = new NonInviteClient(requestOf('BYE'))
  assert.equal(brief(machine.start(0)), 'send BYE')
  const times = [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]
  assert.deepEqual(diary(machine, 100_000), [...times.map((at) => `${at} send BYE`), '32000 timeout'])
})

test('client, proceeding: sent again every 4 s, still given up at 32 s', () => {
  const machine = new NonInviteClient(requestOf('INFO'))
  machine.start(0)
  assert.equal(brief(machine.receive(answerTo('INFO', 100), 100)), 'up 100')
  const lines = diary(machine, 100_000)
  assert.deepEqual(lines.slice(0, 3), ['500 send INFO', '4500 send INFO', '8500 send INFO'])
  assert.equal(lines.at(-1), '32000 timeout')
})

test('client, completed: the answer goes up once, repetitions are absorbed for 5 s (K)', () => {
  const machine = new NonInviteClient(requestOf('BYE'))
  machine.start(0)
  assert.equal(brief(machine.receive(answerTo('BYE', 200), 100)), 'up 200')
  assert.equal(brief(machine.receive(answerTo('BYE', 200), 200)), 'absorbed')
  assert.deepEqual(diary(machine, 100_000), ['5100'])
  assert.equal(brief(machine.unsendable()), '')
})

test('client: a send error ends it at once', () => {
  const machine = new NonInviteClient(requestOf('BYE'))
  machine.start(0)
  assert.equal(brief(machine.unsendable()), 'unsendable')
  assert.equal(machine.timerAtMs, undefined)
})

test('server: absorbed while trying, answered again for 32 s (J), then over', () => {
  const machine = new NonInviteServer()
  assert.equal(brief(machine.repeated()), 'absorbed')
  assert.equal(brief(machine.respond(answerTo('BYE', 200), 1_000)), 'send 200')
  assert.equal(brief(machine.respond(answerTo('BYE', 500), 1_000)), 'absorbed')
  assert.equal(brief(machine.repeated()), 'absorbed, send 200')
  assert.deepEqual(diary(machine, 100_000), ['33000'])
  assert.equal(machine.state, 'terminated')
  assert.equal(brief(machine.repeated()), 'absorbed')
})
