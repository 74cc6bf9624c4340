import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InviteClient } from './invite-client.ts'
import { answerTo, brief, diary, requestOf } from './test-messages.ts'

function started(): InviteClient {
  const machine = new InviteClient(requestOf('INVITE'))
  assert.equal(brief(machine.start(0)), 'send INVITE')
  return machine
}

test('calling: sent again at 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s (A), given up at 32 s (B)', () => {
  const machine = started()
  const sends = [500, 1_500, 3_500, 7_500, 15_500, 31_500].map((at) => `${at} send INVITE`)
  assert.deepEqual(diary(machine, 100_000), [...sends, '32000 timeout'])
  assert.equal(machine.state, 'terminated')
})

test('proceeding: a provisional answer stops the repetition and timer B', () => {
  const machine = started()
  assert.equal(brief(machine.receive(answerTo('INVITE', 180), 100)), 'up 180')
  assert.equal(machine.timerAtMs, undefined)
  assert.equal(brief(machine.receive(answerTo('INVITE', 183), 200)), 'up 183')
})

test('completed: a refusal is acknowledged on the same branch, each time it comes, for 32 s (D)', () => {
  const machine = started()
  const [ack] = machine.receive(answerTo('INVITE', 486), 1_000)
  assert.ok(ack?.type === 'send')
  const text = Buffer.from(ack.datagram).toString()
  assert.match(text, /^ACK sip:b@192.0.2.2 SIP\/2.0\r\nVia: SIP\/2.0\/UDP 192.0.2.1;branch=z9hG4bKa\r\n/)
  assert.match(text, /To: <sip:b@192.0.2.2>;tag=b\r\n/)
  assert.match(text, /CSeq: 7 ACK\r\n/)
  assert.match(text, /Route: <sip:192.0.2.50;lr>\r\n/)
  assert.equal(brief(machine.receive(answerTo('INVITE', 486), 2_000)), 'absorbed, send ACK')
  assert.equal(brief(machine.receive(answerTo('INVITE', 180), 2_000)), 'absorbed')
  assert.deepEqual(diary(machine, 100_000), ['33000'])
  assert.equal(machine.state, 'terminated')
})

test('accepted: every 2xx goes up for 32 s (M), late refusals and provisionals do not', () => {
  const machine = started()
  assert.equal(brief(machine.receive(answerTo('INVITE', 200), 1_000)), 'up 200')
  assert.equal(brief(machine.receive(answerTo('INVITE', 200), 30_000)), 'up 200')
  assert.equal(brief(machine.receive(answerTo('INVITE', 180), 30_000)), 'absorbed')
  assert.equal(brief(machine.receive(answerTo('INVITE', 486), 30_000)), 'absorbed')
  assert.deepEqual(diary(machine, 100_000), ['33000'])
  assert.equal(brief(machine.receive(answerTo('INVITE', 200), 33_001)), 'absorbed')
})

test('a send error counts only while nothing was heard', () => {
  const machine = started()
  assert.equal(brief(machine.unsendable()), 'unsendable')
  assert.equal(machine.state, 'terminated')
  const heard = started()
  heard.receive(answerTo('INVITE', 100), 1)
  assert.equal(brief(heard.unsendable()), 'absorbed')
  assert.equal(heard.state, 'proceeding')
})

test('abandon ends only what has no final answer', () => {
  const machine = started()
  machine.receive(answerTo('INVITE', 180), 1)
  machine.abandon()
  assert.equal(machine.state, 'terminated')
  const answered = started()
  answered.receive(answerTo('INVITE', 200), 1)
  answered.abandon()
  assert.equal(answered.state, 'accepted')
})
