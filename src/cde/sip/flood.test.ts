import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sipLimits } from '../../lib/limits.ts'
import { type SipRequest, serializeMessage } from './message.ts'
import { requestOf } from './test-messages.ts'
import { established, SDP } from './test-network.ts'
import { TimerQueue } from './timer-queue.ts'
import { Transactions } from './transactions.ts'

// What many requests of strangers may not do to the calls of others (SIP-34).

const numbered = (method: string, n: number, toTag = ''): SipRequest => {
  const request = requestOf(method)
  const changed: Record<string, string> = {
    Via: `SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKflood${n}`,
    To: `<sip:b@192.0.2.2>${toTag}`,
    'Call-ID': `flood${n}`,
  }
  const headers = request.headers
    .filter(({ name }) => name !== 'Route')
    .map(({ name, value }) => ({ name, value: changed[name] ?? value }))
  return { ...request, headers: [...headers, { name: 'Contact', value: '<sip:x@203.0.113.9>' }] }
}
const stranger = { host: '203.0.113.9', port: 5060 }

test('calls to nowhere are refused without holding anything, and again when they come again', () => {
  const { network, desk } = established()
  desk.react = (event, nowMs) => {
    if (event.type === 'incoming') desk.run(desk.ua.reject(event.leg, 404, {}, nowMs))
  }
  const before = desk.ua.held()
  const first = serializeMessage(numbered('INVITE', 0))
  for (let n = 0; n < 2_000; n++) {
    desk.run(desk.ua.receive(n % 2 === 0 ? first : serializeMessage(numbered('INVITE', n)), stranger, n * 50))
  }
  assert.deepEqual({ ...desk.ua.held(), transactions: 0 }, { ...before, transactions: 0 })
  assert.ok(desk.ua.held().transactions <= before.transactions)
  assert.equal(network.sent.filter((text) => text.startsWith('SIP/2.0 404')).length, 2_000)
  assert.equal(network.sent.filter((text) => text.startsWith('SIP/2.0 100') && text.includes('flood')).length, 0)
})

test('one source begins so many calls; what is beyond is dropped and counted, other sources are served', () => {
  const { desk } = established()
  const called = (n: number, host: string): boolean =>
    desk.ua.receive(serializeMessage(numbered('INVITE', n)), { host, port: 5060 }, 2_000).length > 0
  let begun = 0
  for (let n = 0; n < 500; n++) if (called(n, stranger.host)) begun++
  assert.equal(begun, sipLimits.newCallsPerSourceBurst)
  assert.equal(desk.ua.counters()['sip_calls_limited'], 500 - begun)
  assert.ok(called(500, '192.0.2.77'))
  assert.ok(!called(501, stranger.host))
})

test('a refusal at once has the same To tag each time (RFC 3261 8.2.7), and 503 says when to come again', () => {
  const { network, desk } = established()
  desk.react = (event, nowMs) => {
    if (event.type === 'incoming') desk.run(desk.ua.reject(event.leg, 503, {}, nowMs))
  }
  for (const nowMs of [2_000, 2_500])
    desk.run(desk.ua.receive(serializeMessage(numbered('INVITE', 1)), stranger, nowMs))
  const [one, two] = network.sent.filter((text) => text.startsWith('SIP/2.0 503'))
  assert.match(one ?? '', /\r\nTo: .*;tag=\w+\r\n[^]*\r\nRetry-After: 5\r\n/)
  assert.equal(one, two)
})

test('100 goes out at the next wake, so that a peer stops repeating its INVITE', () => {
  const { desk } = established()
  const outputs = desk.ua.receive(serializeMessage(numbered('INVITE', 1)), stranger, 2_000)
  assert.deepEqual(
    outputs.map(({ type }) => type),
    ['event'],
  )
  assert.ok((desk.ua.nextWakeAtMs() ?? 0) <= 2_000)
  const [trying] = desk.ua.wake(2_000)
  assert.ok(trying?.type === 'send' && Buffer.from(trying.datagram).toString().startsWith('SIP/2.0 100'))
})

test('new calls take three quarters of the table at most, requests in dialogs the rest, BYE always passes', () => {
  const counters: Record<string, number> = {}
  const timers = new TimerQueue()
  const host = { timers, send: () => {}, count: (name: string) => void (counters[name] = (counters[name] ?? 0) + 1) }
  const transactions = new Transactions(host)
  const served = (method: string, n: number, toTag?: string): boolean =>
    transactions.serve(numbered(method, n, toTag), stranger) !== undefined
  for (let n = 0; n < sipLimits.newCallTransactionsMax; n++) assert.ok(served('INVITE', n))
  assert.ok(!served('INVITE', -1))
  let outcome: unknown
  transactions.request(numbered('INVITE', -2), stranger, 0, (what) => {
    outcome = what
  })
  assert.equal(outcome, 'unsendable')
  for (let n = transactions.size; n < sipLimits.transactionsMax; n++) assert.ok(served('UPDATE', n, ';tag=b'))
  assert.ok(!served('INVITE', -1, ';tag=b'))
  assert.ok(served('BYE', -1, ';tag=b'))
  assert.ok(served('CANCEL', -1))
  assert.deepEqual(counters, { sip_transactions_full_for_calls: 2, sip_transactions_full: 1 })
})

test('an offer or INFO that cannot be sent fails alone: the leg goes on', () => {
  const { network, ann } = established()
  const unsent = (start: string): void => {
    const datagram = Buffer.from(network.sent.findLast((text) => text.startsWith(start)) ?? '', 'latin1')
    ann.run(ann.ua.sendFailed(datagram, network.nowMs))
  }
  network.filter = (text) => !/^(INVITE|INFO)/.test(text)
  ann.run(ann.ua.offer('a', SDP, 'application/sdp', network.nowMs))
  unsent('INVITE')
  ann.run(ann.ua.info('a', 'text/plain', SDP, network.nowMs))
  unsent('INFO')
  assert.equal(ann.story, 'provisional-180 answered offer-failed-500')
  assert.equal(ann.ua.counters()['sip_info_unsent'], 1)
  network.filter = () => true
  ann.run(ann.ua.hangUp('a', network.nowMs))
  network.runUntil(network.nowMs + 100_000)
  assert.ok(network.idle)
})
