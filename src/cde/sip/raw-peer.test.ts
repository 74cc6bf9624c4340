import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../lib/random.ts'
import { headerValue, parseMessage, type SipRequest, serializeMessage } from './message.ts'
import { reasonPhrase, responseTo } from './responses.ts'
import { type LegEvent, type Output, UserAgent } from './user-agent.ts'

// A UserAgent against answers written by hand: forks, odd tags, routes, and what no UserAgent of ours would send.

const PEER = { host: '192.0.2.2', port: 5060 }
const SDP = Buffer.from('v=0\r\n')

class Bench {
  readonly ua = new UserAgent({
    local: { host: '192.0.2.1', port: 5060 },
    userAgent: 'test',
    random: seededRandom(7),
  })
  readonly sent: { request: SipRequest; to: string }[] = []
  readonly events: LegEvent[] = []
  nowMs = 0

  run(outputs: readonly Output[]): this {
    for (const output of outputs) {
      if (output.type === 'event') this.events.push(output.event)
      else {
        const message = parseMessage(output.datagram)
        assert.ok(typeof message === 'object')
        if (message.kind === 'request') this.sent.push({ request: message, to: `${output.to.host}:${output.to.port}` })
      }
    }
    return this
  }

  call(): SipRequest {
    const { invite } = {
      invite: {
        target: 'sip:desk@pbx.example',
        destination: PEER,
        from: '<sip:ann@192.0.2.1>',
        to: '<sip:desk@pbx.example>',
        headers: [],
        body: SDP,
        maxForwards: 70,
      },
    }
    this.run(this.ua.invite('a', invite, this.nowMs))
    return this.last('INVITE')
  }

  last(method: string): SipRequest {
    const found = this.sent.findLast(({ request }) => request.method === method)
    assert.ok(found !== undefined, `no ${method}`)
    return found.request
  }

  all(method: string): { request: SipRequest; to: string }[] {
    return this.sent.filter(({ request }) => request.method === method)
  }

  answer(request: SipRequest, status: number, tag: string | undefined, headers: [string, string][] = []): this {
    const response = responseTo(request, status, {
      toTag: tag,
      headers: headers.map(([name, value]) => ({ name, value })),
      reason: reasonPhrase(status),
      body: status > 100 && status < 300 && request.method === 'INVITE' ? SDP : undefined,
    })
    return this.run(this.ua.receive(serializeMessage(response), PEER, this.nowMs))
  }

  get story(): string {
    return this.events.map((event) => event.type).join(' ')
  }
}

const contact = (host: string): [string, string] => ['Contact', `<sip:desk@${host}>`]

test('SIP-02: several early dialogs are one leg', () => {
  const bench = new Bench()
  const invite = bench.call()
  bench.answer(invite, 180, 'one').answer(invite, 183, 'two').answer(invite, 180, 'three')
  assert.equal(bench.story, 'provisional provisional provisional')
  assert.equal(bench.ua.held().dialogs, 3)
  bench.answer(invite, 200, 'two', [contact('192.0.2.7')])
  assert.deepEqual(bench.ua.held(), { legs: 1, dialogs: 1, transactions: 1 })
})

test('SIP-03: of several 2xx the first is kept, each gets its ACK, the others BYE, repeats only the ACK', () => {
  const bench = new Bench()
  const invite = bench.call()
  bench.answer(invite, 200, 'one', [contact('192.0.2.7')])
  bench.nowMs = 20_000
  bench.answer(invite, 200, 'two', [contact('192.0.2.8')])
  bench.answer(invite, 200, 'two', [contact('192.0.2.8')]).answer(invite, 200, 'one', [contact('192.0.2.7')])
  assert.equal(bench.story, 'answered')
  assert.deepEqual(
    bench.all('ACK').map(({ to }) => to),
    ['192.0.2.7:5060', '192.0.2.8:5060', '192.0.2.8:5060', '192.0.2.7:5060'],
  )
  assert.deepEqual(
    bench.all('BYE').map(({ to, request }) => `${to} ${headerValue(request, 'To')}`),
    ['192.0.2.8:5060 <sip:desk@pbx.example>;tag=two'],
  )
  assert.equal(bench.ua.held().legs, 1)
})

test('requests in the dialog follow the Record-Route, loose and strict', () => {
  for (const [route, uri, routes] of [
    ['<sip:192.0.2.50;lr>', 'sip:desk@192.0.2.7', '<sip:192.0.2.51;lr> <sip:192.0.2.50;lr>'],
    ['<sip:192.0.2.50>', 'sip:desk@192.0.2.7', '<sip:192.0.2.51;lr> <sip:192.0.2.50>'],
  ] as const) {
    const bench = new Bench()
    const invite = bench.call()
    bench.answer(invite, 200, 'one', [['Record-Route', `${route}, <sip:192.0.2.51;lr>`], contact('192.0.2.7')])
    const [ack] = bench.all('ACK')
    assert.equal(ack?.to, '192.0.2.51:5060')
    assert.equal(ack?.request.uri, uri)
    assert.equal(
      ack?.request.headers
        .filter((header) => header.name === 'Route')
        .map((h) => h.value)
        .join(' '),
      routes,
    )
  }
  const bench = new Bench()
  bench.answer(bench.call(), 200, 'one', [['Record-Route', '<sip:192.0.2.51>'], contact('192.0.2.7')])
  const [ack] = bench.all('ACK')
  assert.deepEqual(
    [ack?.to, ack?.request.uri, headerValue(ack?.request ?? { headers: [] }, 'Route')],
    ['192.0.2.51:5060', 'sip:192.0.2.51', '<sip:desk@192.0.2.7>'],
  )
})

test('a 200 without To tag and without Contact still makes a call that can be hung up', () => {
  const bench = new Bench()
  bench.answer(bench.call(), 200, undefined)
  assert.equal(bench.story, 'answered')
  bench.run(bench.ua.hangUp('a', 10))
  assert.equal(bench.all('BYE')[0]?.to, '192.0.2.2:5060')
})

test('every fork beyond the limit is dropped and counted', () => {
  const bench = new Bench()
  const invite = bench.call()
  for (let fork = 0; fork < 20; fork++) bench.answer(invite, 180, `t${fork}`)
  assert.equal(bench.ua.held().dialogs, 16)
  for (let fork = 0; fork < 20; fork++) bench.answer(invite, 200, `t${fork}`)
  assert.equal(bench.all('ACK').length, 16)
  assert.equal(bench.ua.counters()['sip_forks_full'], 4)
})

test('a refusal whose ACK was lost gets the same ACK again', () => {
  const bench = new Bench()
  const invite = bench.call()
  bench.answer(invite, 486, 'one').answer(invite, 486, 'one')
  assert.equal(bench.story, 'failed')
  assert.equal(bench.all('ACK').length, 2)
  assert.equal(headerValue(bench.last('ACK'), 'Via'), headerValue(invite, 'Via'))
})

test('a datagram that cannot be sent fails the call with 503; a malformed target with 400', () => {
  const bench = new Bench()
  const invite = bench.call()
  bench.run(bench.ua.sendFailed(serializeMessage(invite), 5))
  const [failed] = bench.events
  assert.ok(failed?.type === 'failed' && failed.status === 503)
  const bad = { target: 'no uri', destination: PEER, from: '<sip:a@b>', to: '<sip:a@b>', headers: [], maxForwards: 70 }
  bench.run(bench.ua.invite('b', bad, 5))
  assert.ok(bench.events[1]?.type === 'failed' && bench.events[1].status === 400)
})

test('SIP-35: stray responses, ACKs and CANCELs are counted and dropped', () => {
  const bench = new Bench()
  const invite = { ...bench.call(), headers: bench.call().headers }
  bench.events.length = 0
  const stray = (request: SipRequest): Output[] => bench.ua.receive(serializeMessage(request), PEER, 0)
  const foreign = invite.headers.map((header) =>
    header.name === 'Via' ? { name: 'Via', value: 'SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKforeign' } : header,
  )
  assert.deepEqual(stray({ ...invite, method: 'ACK', headers: foreign }), [])
  assert.deepEqual(stray({ ...invite, method: 'CANCEL', headers: foreign }), [])
  const response = serializeMessage(responseTo({ ...invite, headers: foreign }, 200))
  assert.deepEqual(bench.ua.receive(response, PEER, 0), [])
  const { sip_stray_ack, sip_stray_cancel, sip_stray_response } = bench.ua.counters()
  assert.deepEqual([sip_stray_ack, sip_stray_cancel, sip_stray_response], [1, 1, 1])
})
