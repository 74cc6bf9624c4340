import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InviteServer } from './invite-server.ts'
import { answerTo, brief, diary } from './test-messages.ts'

const answer = (machine: InviteServer, status: number, nowMs = 0): string =>
  brief(machine.respond(answerTo('INVITE', status), nowMs))

test('proceeding: a repeated INVITE gets the last provisional answer', () => {
  const machine = new InviteServer()
  assert.equal(brief(machine.repeated()), 'absorbed')
  assert.equal(answer(machine, 100), 'send 100')
  assert.equal(answer(machine, 183), 'send 183')
  assert.equal(brief(machine.repeated()), 'absorbed, send 183')
  assert.equal(machine.timerAtMs, undefined)
})

test('completed: a refusal is repeated at 0.5 s doubling to 4 s (G) until 32 s (H)', () => {
  const machine = new InviteServer()
  assert.equal(answer(machine, 486), 'send 486')
  const times = [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]
  assert.deepEqual(diary(machine, 100_000), [...times.map((at) => `${at} send 486`), '32000 timeout'])
  assert.equal(machine.state, 'terminated')
})

test('confirmed: the ACK ends the repetition, more ACKs and INVITEs are absorbed for 5 s (I)', () => {
  const machine = new InviteServer()
  answer(machine, 486)
  assert.equal(brief(machine.acknowledged(700)), '')
  assert.equal(machine.state, 'confirmed')
  assert.equal(brief(machine.acknowledged(800)), 'absorbed')
  assert.equal(brief(machine.repeated()), 'absorbed')
  assert.deepEqual(diary(machine, 100_000), ['5700'])
})

test('accepted: repeated INVITEs are absorbed for 32 s (L); an ACK with this branch is not its business', () => {
  const machine = new InviteServer()
  assert.equal(answer(machine, 200, 1_000), 'send 200')
  assert.equal(brief(machine.repeated()), 'absorbed')
  assert.equal(brief(machine.acknowledged(1_100)), 'absorbed')
  assert.equal(answer(machine, 486, 1_200), 'absorbed', 'a second final answer')
  assert.deepEqual(diary(machine, 100_000), ['33000'])
})
