import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answering, callTo, count, established, pair, SDP } from './test-network.ts'

// Offers after and without the INVITE's own: hold, glare, delayed offers, UPDATE.

test('SIP-04: an INVITE without SDP: our 200 offers, the ACK answers', () => {
  const both = pair()
  const { network, ann, desk } = both
  answering(both)
  ann.react = (event, nowMs) => {
    if (event.type === 'answered') ann.run(ann.ua.answerOffer('a', { body: SDP }, nowMs))
  }
  ann.run(ann.ua.invite('a', callTo(desk, { body: undefined }), 0))
  network.runUntil(1_000)
  const confirmed = desk.events.at(-1)
  assert.ok(confirmed?.type === 'confirmed')
  assert.deepEqual(Buffer.from(confirmed.body), SDP)
})

test('SIP-06: hold by re-INVITE, both ways', () => {
  const { network, ann, desk } = established()
  for (const [asker, answerer, leg] of [
    [ann, desk, 'a'],
    [desk, ann, desk.legOf('incoming')],
  ] as const) {
    answerer.react = (event, nowMs) => {
      if (event.type === 'offered') answerer.run(answerer.ua.answerOffer(event.leg, { body: SDP }, nowMs))
    }
    asker.run(asker.ua.offer(leg, SDP, 'application/sdp', network.nowMs))
    network.runUntil(network.nowMs + 1_000)
    assert.equal(answerer.events.at(-1)?.type, 'offered')
    assert.equal(asker.events.at(-1)?.type, 'offer-answered')
  }
  assert.equal(count(network, 'ACK'), 3)
})

test('SIP-05: an offerless re-INVITE is answered with an offer, and its ACK brings the answer', () => {
  const { network, ann, desk } = established()
  desk.react = (event, nowMs) => {
    if (event.type === 'offered') desk.run(desk.ua.answerOffer(event.leg, { body: SDP }, nowMs))
  }
  ann.react = (event, nowMs) => {
    if (event.type === 'offered') ann.run(ann.ua.answerOffer('a', { body: SDP }, nowMs))
  }
  ann.run(ann.ua.offer('a', undefined, 'application/sdp', network.nowMs))
  network.runUntil(5_000)
  assert.equal(ann.story, 'provisional-180 answered offered')
  assert.equal(desk.story, 'incoming confirmed offered offer-answered')
})

test('SIP-09: both sides offer at once: 491 both ways, both offers succeed in the end', () => {
  const { network, ann, desk } = established()
  for (const agent of [ann, desk]) {
    agent.react = (event, nowMs) => {
      if (event.type === 'offered') agent.run(agent.ua.answerOffer(event.leg, { body: SDP }, nowMs))
    }
  }
  ann.run(ann.ua.offer('a', SDP, 'application/sdp', network.nowMs))
  desk.run(desk.ua.offer(desk.legOf('incoming'), SDP, 'application/sdp', network.nowMs))
  network.runUntil(20_000)
  assert.equal(count(network, 'SIP/2.0 491'), 2)
  for (const agent of [ann, desk]) {
    assert.equal(agent.events.filter((event) => event.type === 'offer-answered').length, 1)
    assert.equal(agent.events.filter((event) => event.type === 'offered').length, 1)
  }
})

test('a second offer of ours waits until the first is answered', () => {
  const { network, ann, desk } = established()
  desk.react = (event, nowMs) => {
    if (event.type !== 'offered') return
    network.at(nowMs + 500, () => desk.run(desk.ua.answerOffer(event.leg, { body: SDP }, network.nowMs)))
  }
  for (let i = 0; i < 3; i++) ann.run(ann.ua.offer('a', SDP, 'application/sdp', network.nowMs))
  network.runUntil(10_000)
  assert.equal(ann.story, 'provisional-180 answered offer-answered offer-answered')
})

test('a refused offer leaves the call as it was', () => {
  const { network, ann, desk } = established()
  desk.react = (event, nowMs) => {
    if (event.type === 'offered') desk.run(desk.ua.answerOffer(event.leg, { status: 488 }, nowMs))
  }
  ann.run(ann.ua.offer('a', SDP, 'application/sdp', network.nowMs))
  network.runUntil(5_000)
  assert.equal(ann.story, 'provisional-180 answered offer-failed-488')
  ann.run(ann.ua.hangUp('a', network.nowMs))
  network.runUntil(100_000)
  assert.ok(desk.story.endsWith('ended'))
  assert.ok(network.idle)
})

test('a re-INVITE that waits for our answer when we hang up gets 487', () => {
  const { network, ann, desk } = established()
  ann.run(ann.ua.offer('a', SDP, 'application/sdp', network.nowMs))
  network.runUntil(network.nowMs + 10)
  desk.run(desk.ua.hangUp(desk.legOf('incoming'), network.nowMs))
  network.runUntil(100_000)
  assert.equal(count(network, 'SIP/2.0 487'), 1)
  assert.equal(ann.story, 'provisional-180 answered offer-failed-487 ended')
  assert.ok(network.idle)
})

test('a re-INVITE that gets no final answer is cancelled, and the call goes on', () => {
  const { network, ann, desk } = established()
  ann.run(ann.ua.offer('a', SDP, 'application/sdp', network.nowMs))
  network.runUntil(90_000)
  assert.equal(count(network, 'CANCEL'), 1)
  assert.equal(ann.story, 'provisional-180 answered offer-failed-487')
  const late = desk.ua.answerOffer(desk.legOf('incoming'), { body: SDP }, network.nowMs)
  assert.deepEqual(late, [])
  ann.run(ann.ua.hangUp('a', network.nowMs))
  network.runUntil(200_000)
  assert.equal(desk.story, 'incoming confirmed offered offer-withdrawn ended')
  assert.ok(network.idle)
})

test('UPDATE with SDP is offered, without it is answered by the UA; glare is refused', () => {
  const { network, ann, desk } = established()
  const ack = network.sent.find((text) => text.startsWith('ACK')) ?? ''
  const update = (seq: number, body: string): Uint8Array => {
    const type = body === '' ? '' : 'Content-Type: application/sdp\r\n'
    const head = ack.slice(0, ack.indexOf('Content-Length')).replace(/^ACK/, 'UPDATE').replace('1 ACK', `${seq} UPDATE`)
    return Buffer.from(`${head.replace(/branch=\w+/, `branch=z9hG4bKu${seq}`)}${type}\r\n${body}`)
  }
  const send = (seq: number, body: string): string => {
    desk.run(desk.ua.receive(update(seq, body), ann.address, network.nowMs))
    return network.sent.at(-1)?.slice(0, 11) ?? ''
  }
  assert.equal(send(2, ''), 'SIP/2.0 200')
  send(3, 'v=0')
  assert.equal(desk.events.at(-1)?.type, 'offered')
  assert.equal(send(4, 'v=0'), 'SIP/2.0 500')
  desk.run(desk.ua.answerOffer(desk.legOf('incoming'), { body: SDP }, network.nowMs))
  assert.match(network.sent.at(-1) ?? '', /^SIP\/2\.0 200 [^]*CSeq: 3 UPDATE/)
  desk.run(desk.ua.offer(desk.legOf('incoming'), SDP, 'application/sdp', network.nowMs))
  assert.equal(send(5, 'v=0'), 'SIP/2.0 491')
  assert.equal(send(1, ''), 'SIP/2.0 500', 'out of order')
})
