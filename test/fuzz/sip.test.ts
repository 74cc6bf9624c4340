import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMessage, serializeMessage } from '../../src/cde/sip/message.ts'
import { callTo, SDP, TestNetwork } from '../../src/cde/sip/test-network.ts'
import { type RandomBytes, randomUnit, seededRandom } from '../../src/lib/random.ts'

// Whatever octets come in: parser and UserAgent give a value, a word, or silence. Anything thrown fails.

const PIECES = ['\r\n', ' ', ';', ',', '<', '>', '"', '\\', ':', '=', '@', '\0', '\xff', '999999999999', 'tag=', 'ACK']

/** A few random wounds: octets changed, cut, doubled, or a piece of grammar put where it does not belong. */
function mutate(original: Uint8Array, random: RandomBytes): Uint8Array {
  const below = (count: number): number => Math.floor(randomUnit(random) * count)
  let octets = Buffer.from(original)
  for (let wounds = 1 + below(4); wounds > 0; wounds--) {
    const at = below(octets.length + 1)
    const piece = Buffer.from(PIECES[below(PIECES.length)] ?? '', 'latin1')
    const end = Math.min(octets.length, at + below(20))
    const kind = below(4)
    if (kind === 0 && octets.length > 0) octets[at % octets.length] = below(256)
    else if (kind === 1) octets = Buffer.concat([octets.subarray(0, at), octets.subarray(end)])
    else if (kind === 2) octets = Buffer.concat([octets.subarray(0, end), octets.subarray(at)])
    else octets = Buffer.concat([octets.subarray(0, at), piece, octets.subarray(at)])
  }
  return octets
}

/** All datagrams of one call with everything in it. */
function recordedCall(): Uint8Array[] {
  const network = new TestNetwork(1)
  const [ann, desk] = [network.agent(1), network.agent(2)]
  desk.react = (event, nowMs) => {
    if (event.type === 'incoming') desk.run(desk.ua.ring(event.leg, 183, { body: SDP }, nowMs))
    if (event.type === 'incoming') desk.run(desk.ua.answer(event.leg, { body: SDP }, nowMs))
    if (event.type === 'offered') desk.run(desk.ua.answerOffer(event.leg, { body: SDP }, nowMs))
  }
  ann.react = (event, nowMs) => {
    if (event.type === 'answered') ann.run(ann.ua.offer('a', SDP, 'application/sdp', nowMs))
    if (event.type === 'offer-answered') ann.run(ann.ua.info('a', 'text/plain', SDP, nowMs))
  }
  ann.run(ann.ua.invite('a', callTo(desk), 0))
  network.runUntil(1_000)
  ann.run(ann.ua.hangUp('a', 1_000))
  ann.run(ann.ua.invite('b', callTo(desk), 1_000))
  ann.run(ann.ua.hangUp('b', 1_000))
  network.runUntil(2_000)
  return network.sent.map((text) => Buffer.from(text, 'latin1'))
}

test('mutated messages: the parser never throws, and what it takes it can write and read again', () => {
  const seed = 20_261
  const random = seededRandom(seed)
  const corpus = recordedCall()
  for (let round = 0; round < 12_000; round++) {
    const message = parseMessage(mutate(corpus[round % corpus.length] ?? SDP, random))
    if (typeof message === 'string') continue
    const again = parseMessage(serializeMessage(message))
    assert.ok(typeof again === 'object', `seed ${seed}, round ${round}: ${String(again)}`)
    assert.equal(again.headers.length >= message.headers.length, true, `seed ${seed}, round ${round}`)
  }
})

test('mutated messages into the middle of a call: the UserAgent never throws and forgets everything in the end', () => {
  for (let seed = 0; seed < 100; seed++) {
    const random = seededRandom(seed)
    const network = new TestNetwork(seed)
    const [ann, desk] = [network.agent(1), network.agent(2)]
    desk.react = (event, nowMs) => {
      if (event.type === 'incoming') desk.run(desk.ua.answer(event.leg, { body: SDP }, nowMs))
      if (event.type === 'offered') desk.run(desk.ua.answerOffer(event.leg, { body: SDP }, nowMs))
    }
    ann.react = (event, nowMs) => {
      if (event.type === 'answered') ann.run(ann.ua.offer('a', SDP, 'application/sdp', nowMs))
      if (event.type === 'incoming') ann.run(ann.ua.reject(event.leg, 486, {}, nowMs))
    }
    // Beside every datagram of the call a wounded twin arrives, at both ends.
    let twins = 0
    network.filter = (text, from, to) => {
      if (++twins > 300) return true
      const twin = mutate(Buffer.from(text, 'latin1'), random)
      network.at(network.nowMs, () => {
        for (const agent of [ann, desk]) {
          agent.run(agent.ua.receive(twin, agent.address.host === to.host ? from : to, network.nowMs))
        }
      })
      return true
    }
    ann.run(ann.ua.invite('a', callTo(desk), 0))
    network.runUntil(500)
    network.filter = () => true
    for (const agent of [ann, desk]) {
      for (const event of agent.events) agent.run(agent.ua.hangUp(event.leg, network.nowMs))
    }
    network.runUntil(300_000)
    assert.ok(network.idle, `seed ${seed}: ${JSON.stringify([ann.ua.held(), desk.ua.held()])}`)
  }
})
