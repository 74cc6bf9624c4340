import assert from 'node:assert/strict'
import { test } from 'node:test'
import { comesFromPeer, type Dialog } from './dialog.ts'
import { callTo, established, type Pair, pair, SDP } from './test-network.ts'

// Requests with the right tags from the wrong host: whoever has seen a call's SIP must not be able to end or move it.

const stranger = { host: '203.0.113.9', port: 666 }

/** A request of ann's in the dialog, made from her last request that began like this. */
function forged({ network }: Pair, start: string, method: string, seq: number, body = ''): Buffer {
  const text = network.sent.findLast((sent) => sent.startsWith(start) && sent.includes('\r\nFrom: "Ann"')) ?? ''
  const head = text.slice(0, text.indexOf('\r\nContent-')).replace(/\r\nContact:.*/, '')
  const type = body === '' ? '' : '\r\nContent-Type: application/sdp'
  return Buffer.from(
    head
      .replace(/^[A-Z]+/, method)
      .replace(/CSeq: .*/, `CSeq: ${seq} ${method}`)
      .replace(/branch=\w+/, `branch=z9hG4bK${method}${seq}`)
      .concat(`\r\nContact: <sip:x@203.0.113.9:666>${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    'latin1',
  )
}

test('BYE, re-INVITE, UPDATE and INFO of a stranger get 481 and change nothing', () => {
  const both = established()
  const { network, desk, ann } = both
  const story = desk.story
  for (const [seq, method, body] of [
    [20, 'BYE', ''],
    [21, 'INVITE', SDP.toString()],
    [22, 'UPDATE', ''],
    [23, 'INFO', 'x'],
  ] as const) {
    desk.run(desk.ua.receive(forged(both, 'ACK', method, seq, body), stranger, network.nowMs))
    assert.match(network.sent.at(-1) ?? '', /^SIP\/2\.0 481 /, method)
  }
  assert.equal(desk.story, story)
  assert.equal(desk.ua.counters()['sip_dialog_source_refused'], 4)
  desk.run(desk.ua.hangUp(desk.legOf('incoming'), network.nowMs))
  network.runUntil(100_000)
  assert.ok(ann.story.endsWith('ended'), 'our BYE goes to where it always went')
})

test('the peer may come from another port, as behind a NAT', () => {
  const both = established()
  const { network, desk, ann } = both
  desk.run(desk.ua.receive(forged(both, 'ACK', 'BYE', 20), { host: ann.address.host, port: 40_001 }, network.nowMs))
  assert.ok(desk.story.endsWith('ended'))
})

test('a CANCEL of a stranger is dropped, that of the caller is served', () => {
  const both = pair()
  const { network, ann, desk } = both
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  network.runUntil(10)
  const invite = network.sent.find((text) => text.startsWith('INVITE')) ?? ''
  const cancel = Buffer.from(
    invite
      .slice(0, invite.indexOf('Content-Type'))
      .replace(/^INVITE/, 'CANCEL')
      .replace('1 INVITE', '1 CANCEL')
      .concat('Content-Length: 0\r\n\r\n'),
  )
  assert.deepEqual(desk.ua.receive(cancel, stranger, 20), [])
  assert.equal(desk.ua.counters()['sip_stray_cancel'], 1)
  desk.run(desk.ua.receive(cancel, ann.address, 30))
  assert.equal(desk.story, 'incoming cancelled')
})

test("a stranger's ACK neither confirms a call nor ends the repetition of our 200", () => {
  const both = pair()
  const { network, ann, desk } = both
  network.filter = (text) => !text.startsWith('ACK')
  desk.react = (event, nowMs) => {
    if (event.type === 'incoming') desk.run(desk.ua.answer(event.leg, { body: SDP }, nowMs))
  }
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  network.runUntil(100)
  const ack = forged(both, 'ACK', 'ACK', 1)
  assert.deepEqual(desk.ua.receive(ack, stranger, 100), [])
  assert.equal(desk.story, 'incoming')
  desk.run(desk.ua.receive(ack, ann.address, 110))
  assert.equal(desk.story, 'incoming confirmed')
})

test('a peer is known by its hosts: where it was called, its Contact, its routes, in any spelling of IPv6', () => {
  const dialog: Dialog = {
    callId: 'c',
    localTag: 'l',
    remoteTag: 'r',
    local: '<sip:a@x>;tag=l',
    remote: '<sip:b@x>;tag=r',
    localSeq: 1,
    remoteSeq: undefined,
    remoteTarget: 'sip:b@[2001:DB8:0::7]:5070',
    routes: ['<sip:192.0.2.50;lr>', '<sip:proxy.example;lr>'],
  }
  const peer = { host: '192.0.2.2', port: 5060 }
  for (const [host, known] of [
    ['192.0.2.2', true],
    ['192.0.2.50', true],
    ['2001:db8::7', true],
    ['192.0.2.3', false],
    ['2001:db8::8', false],
    ['proxy.example', false],
  ] as const) {
    assert.equal(comesFromPeer(dialog, peer, { host, port: 1 }), known, host)
  }
})
