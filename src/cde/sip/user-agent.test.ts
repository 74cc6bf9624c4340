import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answering, callTo, count, established, pair, SDP, TestNetwork } from './test-network.ts'

// Two UserAgents over a network in memory. Requirements of sip.md are named in the titles.

test('a call rings, is answered, confirmed and hung up by the caller', () => {
  const { network, ann, desk } = established()
  ann.run(ann.ua.hangUp('a', network.nowMs))
  network.runUntil(100_000)
  assert.equal(ann.story, 'provisional-180 answered')
  assert.equal(desk.story, 'incoming confirmed ended')
  assert.equal(count(network, 'INVITE'), 1)
  assert.equal(count(network, 'ACK'), 1)
  assert.ok(network.idle)
})

test('the callee hangs up', () => {
  const { network, ann, desk } = established()
  desk.run(desk.ua.hangUp(desk.legOf('incoming'), network.nowMs, 'Q.850;cause=16'))
  network.runUntil(100_000)
  assert.equal(ann.story, 'provisional-180 answered ended')
  const ended = ann.events.at(-1)
  assert.ok(ended?.type === 'ended' && ended.cause === 'bye')
  assert.ok(ended.headers.some((header) => header.name === 'Reason' && header.value === 'Q.850;cause=16'))
})

test('early media: a 183 with SDP reaches the caller', () => {
  const { network, ann, desk } = pair()
  desk.react = (event, nowMs) => {
    if (event.type === 'incoming') desk.run(desk.ua.ring(event.leg, 183, { body: SDP }, nowMs))
  }
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  network.runUntil(100)
  const progress = ann.events[0]
  assert.ok(progress?.type === 'provisional' && progress.contentType === 'application/sdp')
  assert.deepEqual(Buffer.from(progress.body), SDP)
})

test('a provisional answer is repeated every minute while the phone rings', () => {
  const { network, ann, desk } = pair()
  desk.react = (event, nowMs) => {
    if (event.type === 'incoming') desk.run(desk.ua.ring(event.leg, 180, {}, nowMs))
  }
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  network.runUntil(125_000)
  assert.equal(count(network, 'SIP/2.0 180'), 3)
})

test('a refusal reaches the caller with its reason, and is acknowledged', () => {
  const { network, ann, desk } = pair()
  desk.react = (event, nowMs) => {
    if (event.type === 'incoming') desk.run(desk.ua.reject(event.leg, 486, { reason: 'At Lunch' }, nowMs))
  }
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  network.runUntil(100_000)
  const failed = ann.events[0]
  assert.ok(failed?.type === 'failed' && failed.status === 486 && failed.reason === 'At Lunch')
  assert.equal(count(network, 'ACK'), 1)
  assert.ok(network.idle)
})

test('nobody answers: 408 by timer B, INVITE sent seven times', () => {
  const { network, ann, desk } = pair()
  network.filter = () => false
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  network.runUntil(40_000)
  assert.equal(ann.story, 'failed-408')
  assert.equal(count(network, 'INVITE'), 7)
  assert.ok(network.idle)
})

test('SIP-10: CANCEL waits for a provisional answer', () => {
  const { network, ann, desk } = pair()
  network.filter = (text) => !text.startsWith('SIP/2.0 100') || network.nowMs > 1_200
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  network.at(200, () => ann.run(ann.ua.hangUp('a', 200)))
  network.runUntil(1_000)
  assert.equal(count(network, 'CANCEL'), 0)
  network.runUntil(100_000)
  assert.equal(count(network, 'CANCEL'), 1)
  assert.equal(ann.story, '')
  assert.equal(desk.story, 'incoming cancelled')
  assert.equal(count(network, 'SIP/2.0 487'), 1)
  assert.ok(network.idle)
})

test('SIP-10: a 200 that crosses the CANCEL gets ACK and BYE', () => {
  const both = pair()
  const { network, ann, desk } = both
  answering(both)
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  // The desk answers at 101 ms; the caller cancels in the same millisecond.
  network.at(101, () => ann.run(ann.ua.hangUp('a', 101)))
  network.runUntil(100_000)
  assert.equal(ann.story, 'provisional-180')
  assert.equal(desk.story, 'incoming confirmed ended')
  assert.deepEqual([count(network, 'CANCEL'), count(network, 'ACK'), count(network, 'BYE')], [1, 1, 1])
  assert.equal(count(network, 'SIP/2.0 487'), 0)
  assert.ok(network.idle)
})

test('a CANCEL that nobody answers: the INVITE is given up after 64·T1', () => {
  const { network, ann, desk } = pair()
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  network.runUntil(100)
  network.filter = () => false
  ann.run(ann.ua.hangUp('a', 100))
  desk.run(desk.ua.hangUp(desk.legOf('incoming'), 100))
  network.runUntil(100_000)
  assert.ok(network.idle)
})

test('SIP-11: a lost ACK makes the 200 come again and the identical ACK go again', () => {
  const both = pair()
  const { network, ann, desk } = both
  let lost = 0
  network.filter = (text) => !(text.startsWith('ACK') && lost++ < 2)
  answering(both)
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  network.runUntil(10_000)
  const acks = network.sent.filter((text) => text.startsWith('ACK'))
  assert.equal(acks.length, 3)
  assert.equal(new Set(acks).size, 1)
  assert.equal(ann.story, 'provisional-180 answered')
  assert.equal(desk.story, 'incoming confirmed')
})

test('SIP-11: an ACK that never comes ends the call with BYE after 64·T1', () => {
  const both = pair()
  const { network, ann, desk } = both
  network.filter = (text) => !text.startsWith('ACK')
  answering(both)
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  network.runUntil(200_000)
  assert.equal(desk.story, 'incoming ended')
  const ended = desk.events.at(-1)
  assert.ok(ended?.type === 'ended' && ended.cause === 'no-ack')
  assert.equal(ann.story, 'provisional-180 answered ended')
  assert.ok(network.idle)
})

test('SIP-12: the callee hangs up before the ACK came: its BYE waits for it', () => {
  const both = pair()
  const { network, ann, desk } = both
  network.filter = (text) => !text.startsWith('ACK') || network.nowMs > 5_000
  answering(both)
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  network.runUntil(1_000)
  desk.run(desk.ua.hangUp(desk.legOf('incoming'), 1_000))
  network.runUntil(4_000)
  assert.equal(count(network, 'BYE'), 0)
  network.runUntil(100_000)
  assert.equal(count(network, 'BYE'), 1)
  assert.equal(ann.story, 'provisional-180 answered ended')
  assert.ok(network.idle)
})

test('SIP-12: two crossing BYEs both get 200', () => {
  const { network, ann, desk } = established()
  ann.run(ann.ua.hangUp('a', network.nowMs))
  desk.run(desk.ua.hangUp(desk.legOf('incoming'), network.nowMs))
  const before = count(network, 'SIP/2.0 200')
  network.runUntil(100_000)
  assert.equal(count(network, 'SIP/2.0 200') - before, 2)
  assert.equal(count(network, 'SIP/2.0 481'), 0)
  assert.ok(network.idle)
})

test('SIP-12: BYE for an unknown dialog gets 481, and ends a leg that the peer has lost', () => {
  const { network, ann, desk } = established()
  const bye = [
    'BYE sip:192.0.2.2:5060 SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx;rport',
    'From: <sip:x@192.0.2.9>;tag=x',
    'To: <sip:desk@192.0.2.2>;tag=y',
    'Call-ID: z',
    'CSeq: 7 BYE',
    '',
    '',
  ].join('\r\n')
  desk.run(desk.ua.receive(Buffer.from(bye), { host: '192.0.2.9', port: 5060 }, network.nowMs))
  assert.match(network.sent.at(-1) ?? '', /^SIP\/2\.0 481 /)
  assert.equal(ann.story, 'provisional-180 answered')
})

test('INFO is answered 200 by the UA and handed up', () => {
  const { network, ann, desk } = established()
  ann.run(ann.ua.info('a', 'application/dtmf-relay', Buffer.from('x'), network.nowMs))
  network.runUntil(2_000)
  const info = desk.events.at(-1)
  assert.ok(info?.type === 'info' && info.contentType === 'application/dtmf-relay' && info.body.length === 1)
  assert.match(network.sent.at(-1) ?? '', /^SIP\/2\.0 200 /)
})

test('SIP-14: an INFO that gets 481 or nothing ends the leg', () => {
  for (const cause of ['dialog-gone', 'timeout'] as const) {
    const { network, ann, desk } = established()
    if (cause === 'timeout') network.filter = () => false
    // The desk's BYE is lost: it has forgotten the call, the caller has not.
    else desk.ua.hangUp(desk.legOf('incoming'), network.nowMs)
    if (cause === 'dialog-gone') desk.ua.wake(network.nowMs + 40_000)
    ann.run(ann.ua.info('a', 'application/dtmf-relay', Buffer.from('x'), network.nowMs))
    network.runUntil(200_000)
    const ended = ann.events.at(-1)
    assert.ok(ended?.type === 'ended' && ended.cause === cause)
    assert.deepEqual(ann.ua.held(), { legs: 0, dialogs: 0, transactions: 0 })
  }
})

test('SIP-35: an unlisted source gets no answer; stray messages are dropped and counted', () => {
  const network = new TestNetwork(1)
  const ann = network.agent(1)
  const desk = network.agent(2, (from) => from.host !== '192.0.2.1')
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  network.runUntil(40_000)
  assert.equal(ann.story, 'failed-408')
  assert.equal(network.sent.filter((text) => text.startsWith('SIP/2.0')).length, 0)
  assert.equal(desk.ua.counters()['sip_source_refused'], 7)
})

test('SIP-29: Max-Forwards is handed up as received', () => {
  const { network, ann, desk } = pair()
  ann.run(ann.ua.invite('a', callTo(desk, { maxForwards: 3 }), 0))
  network.runUntil(100)
  const incoming = desk.events[0]
  assert.ok(incoming?.type === 'incoming' && incoming.maxForwards === 3)
})

test('orders on unknown and ended legs do nothing', () => {
  const { network, ann, desk } = established()
  ann.run(ann.ua.hangUp('a', network.nowMs))
  const at = network.nowMs
  assert.deepEqual(ann.ua.hangUp('a', at), [])
  assert.deepEqual(ann.ua.offer('a', SDP, 'application/sdp', at), [])
  assert.deepEqual(desk.ua.answer('nobody', {}, at), [])
  assert.deepEqual(desk.ua.ring(desk.legOf('incoming'), 180, {}, at), [])
})

test('headers of the UA cannot be set or doubled by the call layer', () => {
  const { network, ann, desk } = pair()
  const headers = [
    { name: 'Contact', value: '<sip:evil@192.0.2.66>' },
    { name: 'v', value: 'SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKevil' },
    { name: 'X-Account', value: 'a\r\nX-Evil: 1' },
  ]
  ann.run(ann.ua.invite('a', callTo(desk, { headers }), 0))
  network.runUntil(100)
  const incoming = desk.events[0]
  assert.ok(incoming?.type === 'incoming')
  assert.equal(incoming.headers.filter((header) => /^(contact|v|via)$/i.test(header.name)).length, 2)
  assert.equal(incoming.headers.find((header) => header.name === 'X-Account')?.value, 'a X-Evil: 1')
  assert.equal(ann.ua.counters()['sip_header_refused'], 2)
})

test('SIP-12: a BYE that comes before the ACK ends the call and the repetition of the 200', () => {
  const both = pair()
  const { network, ann, desk } = both
  network.filter = (text) => !text.startsWith('ACK')
  answering(both)
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  network.runUntil(300)
  ann.run(ann.ua.hangUp('a', 300))
  network.runUntil(100_000)
  assert.equal(desk.story, 'incoming ended')
  const ended = desk.events.at(-1)
  assert.ok(ended?.type === 'ended' && ended.cause === 'bye')
  assert.ok(network.idle)
})

test('SIP-13: an ACK with the wrong CSeq is ignored, and SDP that nobody asked for in an ACK is left out', () => {
  const both = pair()
  const { network, ann, desk } = both
  let ack = ''
  network.filter = (text) => {
    if (text.startsWith('ACK')) ack = text
    return !text.startsWith('ACK')
  }
  answering(both)
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  network.runUntil(300)
  const receive = (text: string): void => desk.run(desk.ua.receive(Buffer.from(text), ann.address, network.nowMs))
  receive(ack.replace('1 ACK', '2 ACK'))
  assert.equal(desk.story, 'incoming')
  receive(ack.replace(/Content-Length: 0\r\n\r\n/, 'Content-Type: application/sdp\r\n\r\nv=0'))
  const confirmed = desk.events.at(-1)
  assert.ok(confirmed?.type === 'confirmed' && confirmed.body.length === 0)
})
