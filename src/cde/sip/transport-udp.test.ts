import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { systemClock } from '../../lib/clock.ts'
import { systemRandom } from '../../lib/random.ts'
import { SDP } from './test-network.ts'
import { openUdpTransport, type SipTransport } from './transport-udp.ts'
import { type LegEvent, UserAgent } from './user-agent.ts'

const LOOPBACK = { host: '127.0.0.1', port: 0 }
const newAgent = (): UserAgent => new UserAgent({ local: LOOPBACK, userAgent: 'test', random: systemRandom })

interface Phone {
  readonly ua: UserAgent
  readonly transport: SipTransport
  readonly story: LegEvent['type'][]
}

async function openPhone(react: (event: LegEvent, phone: () => Phone) => void): Promise<Phone> {
  const ua = newAgent()
  const story: LegEvent['type'][] = []
  const transport = await openUdpTransport(ua, LOOPBACK, systemClock, (event) => {
    story.push(event.type)
    react(event, () => phone)
  })
  const phone = { ua, transport, story }
  return phone
}

test('a call over real UDP sockets on loopback, with INFO whose body is wiped', async () => {
  const over = Promise.withResolvers<void>()
  let infoBody = new Uint8Array(0)
  const desk = await openPhone((event, phone) => {
    const { ua, transport } = phone()
    const nowMs = systemClock.monotonicMs()
    if (event.type === 'incoming') transport.run(ua.answer(event.leg, { body: SDP }, nowMs))
    if (event.type === 'info') {
      assert.equal(Buffer.from(event.body).toString(), 'Signal=x')
      infoBody = Uint8Array.from(event.body)
      queueMicrotask(() => {
        assert.ok(event.body.every((octet) => octet === 0))
        transport.run(ua.hangUp(event.leg, nowMs))
      })
    }
  })
  const ann = await openPhone((event, phone) => {
    const { ua, transport } = phone()
    const nowMs = systemClock.monotonicMs()
    if (event.type === 'answered') {
      transport.run(ua.info(event.leg, 'application/dtmf-relay', Buffer.from('Signal=x'), nowMs))
    }
    if (event.type === 'ended') over.resolve()
  })
  const { port } = desk.transport.local
  const call = {
    target: `sip:desk@127.0.0.1:${port}`,
    destination: desk.transport.local,
    from: '<sip:ann@127.0.0.1>',
    to: '<sip:desk@127.0.0.1>',
    headers: [],
    body: SDP,
    maxForwards: 70,
  }
  ann.transport.run(ann.ua.invite('a', call, systemClock.monotonicMs()))
  await over.promise
  await ann.transport.close()
  await desk.transport.close()
  assert.deepEqual(ann.story, ['answered', 'ended'])
  assert.equal(desk.story[0], 'incoming')
  assert.equal(infoBody.length, 8)
})

test('an address that cannot be sent to fails the call and nothing else', async () => {
  const failed = Promise.withResolvers<number>()
  const phone = await openPhone((event) => {
    if (event.type === 'failed') failed.resolve(event.status)
  })
  const call = {
    target: 'sip:x@127.0.0.1',
    destination: { host: '::1', port: 9 },
    from: '<sip:a@127.0.0.1>',
    to: '<sip:x@127.0.0.1>',
    headers: [],
    body: SDP,
    maxForwards: 70,
  }
  phone.transport.run(phone.ua.invite('a', call, systemClock.monotonicMs()))
  assert.equal(await failed.promise, 503)
  await phone.transport.close()
})

test('a port that is taken rejects, and outputs after close are dropped', async () => {
  const taken = createSocket('udp4')
  await new Promise<void>((resolve) => taken.bind(0, '127.0.0.1', resolve))
  const bind = { host: '127.0.0.1', port: taken.address().port }
  await assert.rejects(
    openUdpTransport(newAgent(), bind, systemClock, () => {}),
    { code: 'EADDRINUSE' },
  )
  taken.close()
  const phone = await openPhone(() => {})
  await phone.transport.close()
  phone.transport.run([{ type: 'send', to: bind, datagram: SDP }])
})

test('what was sent before close leaves the machine, to closing twice too', async () => {
  const peer = createSocket('udp4')
  await new Promise<void>((resolve) => peer.bind(0, '127.0.0.1', resolve))
  const arrived = once(peer, 'message', { signal: AbortSignal.timeout(2_000) })
  const phone = await openPhone(() => {})
  const to = { host: '127.0.0.1', port: peer.address().port }
  phone.transport.run([{ type: 'send', to, datagram: Buffer.from('BYE') }])
  const closed = phone.transport.close()
  assert.equal(phone.transport.close(), closed)
  await closed
  await assert.doesNotReject(arrived).finally(() => peer.close())
})
