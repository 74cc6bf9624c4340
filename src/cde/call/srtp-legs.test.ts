/**
 * SRTP on one leg, on the other, on both: the call's machine and its media with phones that are keyed by the SDP they get. What
 * must hold: the far side hears the caller's audio, nothing but SRTP is on the wire of a secure leg, and no way leads back.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address } from '../../lib/address.ts'
import { srtpLimits } from '../../lib/limits.ts'
import { seededRandom } from '../../lib/random.ts'
import { PortPool } from '../media/ports.ts'
import { parseRtcp } from '../media/rtcp.ts'
import { parseRtp, writeRtp } from '../media/rtp.ts'
import { parseSdp, type Sdp, serializeSdp } from '../media/sdp.ts'
import type { FrameListener, MediaEngine, PacketListener } from '../media/socket.ts'
import { LegSecurity, type SrtpPolicy } from '../media/srtp/leg-security.ts'
import { LegSrtp } from '../media/srtp/leg-srtp.ts'
import type { LegEvent } from '../sip/user-agent.ts'
import { Call } from './call.ts'
import { openCallMedia } from './call-media.ts'
import type { MediaOrder } from './media-orders.ts'
import { NegotiatedMedia } from './negotiated-media.ts'
import type { CallEffect } from './effects.ts'
import { MediaPorts } from './media-ports.ts'
import type { Side } from './negotiation.ts'

const random = seededRandom(8_643)
const voice = random(160)
const nothing: Uint8Array = new Uint8Array()

function described(body: Uint8Array): Sdp {
  const sdp = parseSdp(body)
  assert.ok(typeof sdp !== 'string', String(sdp))
  return sdp
}

/** A phone that speaks as its security says. */
class Phone {
  readonly address: Address
  readonly srtp = new LegSrtp()
  readonly heard: Uint8Array[] = []
  security: LegSecurity
  #sequence = 100

  constructor(port: number, policy: SrtpPolicy) {
    this.address = { host: '198.51.100.7', port }
    this.security = new LegSecurity({ policy, keysAllowed: true, random })
  }

  offer(): Uint8Array {
    return serializeSdp(this.security.ownOffer(this.#plain('RTP/AVP')))
  }

  answer(offer: Uint8Array): Uint8Array {
    const { description } = described(offer).media[0] ?? assert.fail()
    this.security.theirOffer(described(offer))
    const answer = serializeSdp(this.security.ownAnswer(this.#plain(description.transport)))
    this.srtp.agree(this.security.agreement, 0)
    return answer
  }

  answered(answer: Uint8Array): void {
    this.security.theirAnswer(described(answer))
    this.srtp.agree(this.security.agreement, 0)
  }

  /** The next packet of its voice, as it is on the wire. */
  says(): Uint8Array {
    const fields = { payloadType: 8, marker: false, sequence: this.#sequence, timestamp: this.#sequence * 160, ssrc: 3 }
    this.#sequence++
    const sealed = this.srtp.sealRtp(writeRtp(fields, voice))
    assert.ok(typeof sealed !== 'string', String(sealed))
    return sealed
  }

  #plain(transport: string): Sdp {
    const { host, port } = this.address
    return described(Buffer.from(`v=0\nc=IN IP4 ${host}\nm=audio ${port} ${transport} 8\na=rtpmap:8 PCMA/8000\n`))
  }
}

interface Wire {
  readonly port: number
  readonly packet: Uint8Array
}

async function setUp(policies: Readonly<Record<Side, SrtpPolicy>>, agentAnswers?: SrtpPolicy) {
  let nowMs = 1_000
  const sent: Wire[] = []
  const listeners = new Map<number, { onPacket: PacketListener; onFrame: FrameListener | undefined }>()
  const engine: MediaEngine = {
    async open(local, onPacket, onFrame) {
      listeners.set(local.port, { onPacket, onFrame })
      const send = (packet: Uint8Array): void => void sent.push({ port: local.port, packet: packet.slice() })
      return { local, send, forward: () => assert.fail('a secure call has no shortcut'), close: () => {} }
    },
  }
  const ports = new MediaPorts('192.0.2.1', new PortPool(10_000, 10_003, random), engine, () => nowMs)
  const options = { ports, replacement: 'flat', jitterMs: 40, random, nowMs: () => nowMs } as const
  const media = await openCallMedia(options, { onKey: () => {}, onEvent: () => {} })
  assert.ok(media !== 'no-ports')
  const link = { send: (order: MediaOrder) => media.execute(order, nowMs), sendKey: () => {} }
  const wishes = {
    caller: { policy: 'mirrored', keysAllowed: true },
    agent: { policy: policies.agent, keysAllowed: true },
  } as const
  const negotiated = new NegotiatedMedia(link, { addresses: media.addresses, wishes, random })
  const caller = new Phone(4_000, policies.caller)
  const agent = new Phone(5_000, agentAnswers ?? (policies.agent === 'off' ? 'off' : 'mirrored'))
  const call = new Call(
    { callId: 'BCDFGHJKLMNPQRSTVW', number: 'sales', passHeaders: [] },
    incoming(caller.offer()),
    nowMs,
  )
  const bodies: string[] = []
  const run = (effects: readonly CallEffect[]): readonly CallEffect[] => {
    for (const effect of effects) {
      if (effect.type === 'use-media') negotiated.use(effect.sessions)
      else if ('body' in effect && effect.body !== undefined) bodies.push(Buffer.from(effect.body).toString())
    }
    return effects
  }
  call.start()
  const invite = find(run(call.mediaReady(negotiated.localSdp)), 'invite')
  const answer = run(call.legEvent('agent', answered(agent.answer(invite.body)), nowMs))
  const portOf = (side: Side): number =>
    negotiated.localSdp[side].formats.length && portIn(bodies[side === 'agent' ? 0 : 1])
  return {
    ...{ media, negotiated, call, caller, agent, sent, run, answer, bodies, portOf },
    /** A datagram from a phone's own address, or from its RTCP port. */
    arrive(side: Side, packet: Uint8Array, rtcp = false): void {
      const { host, port } = side === 'caller' ? caller.address : agent.address
      const offset = rtcp ? 1 : 0
      const from = { host, port: port + offset }
      const { onPacket, onFrame } = listeners.get(portOf(side) + offset) ?? assert.fail()
      const octets = packet.slice()
      if (onFrame?.({ octets, start: 0, length: octets.length, from }) !== true) onPacket(octets, from)
    },
    passTime: (ms: number): void => {
      nowMs += ms
    },
    now: (): number => nowMs,
  }
}

type Set = Awaited<ReturnType<typeof setUp>>

function versionOf(body: Uint8Array): number {
  return Number(/^o=\S+ \d+ (\d+)/m.exec(Buffer.from(body).toString())?.[1])
}

function portIn(body: string | undefined): number {
  return Number(/m=audio (\d+)/.exec(body ?? '')?.[1])
}

function find<T extends CallEffect['type']>(effects: readonly CallEffect[], type: T) {
  const found = effects.find((effect): effect is Extract<CallEffect, { type: T }> => effect.type === type)
  return found ?? assert.fail(`${type} is not among ${effects.map((effect) => effect.type).join(', ')}`)
}

function incoming(body: Uint8Array): Extract<LegEvent, { type: 'incoming' }> {
  const source = { host: '198.51.100.7', port: 5_060 }
  const address = '<sip:a@198.51.100.7>'
  const rest = { headers: [], body, contentType: 'application/sdp', source, maxForwards: 70 }
  return { type: 'incoming', leg: 'c', requestUri: 'sip:1@192.0.2.1', from: address, to: address, ...rest }
}

const answered = (body: Uint8Array): LegEvent => ({
  type: 'answered',
  leg: 'a',
  headers: [],
  body,
  contentType: 'application/sdp',
})
const offered = (body: Uint8Array): LegEvent => ({ type: 'offered', leg: 'c', body, contentType: 'application/sdp' })
const offerAnswered = (body: Uint8Array): LegEvent => ({
  type: 'offer-answered',
  leg: 'a',
  body,
  contentType: 'application/sdp',
})

/** A call that is up, with the caller keyed by the answer it got. */
async function talking(policies: Readonly<Record<Side, SrtpPolicy>>, agentAnswers?: SrtpPolicy): Promise<Set> {
  const set = await setUp(policies, agentAnswers)
  set.caller.answered(find(set.answer, 'answer').body)
  set.call.legEvent('caller', { type: 'confirmed', leg: 'c', body: nothing, contentType: '' }, set.now())
  return set
}

/** What leaves by a side's port when the other side says a packet; undefined for nothing. */
function relayed(set: Set, from: Side, packet: Uint8Array): Uint8Array | undefined {
  set.sent.length = 0
  set.passTime(20)
  set.arrive(from, packet)
  const port = set.portOf(from === 'caller' ? 'agent' : 'caller')
  return set.sent.find((wire) => wire.port === port)?.packet
}

function assertHeard(set: Set, from: Side, note: string): void {
  const to = from === 'caller' ? set.agent : set.caller
  const wire = relayed(set, from, set[from].says()) ?? assert.fail(`${note}: nothing left`)
  const isClear = Buffer.from(wire).includes(Buffer.from(voice))
  assert.equal(isClear, !to.srtp.secure, `${note}: in the clear on the wire`)
  const opened = to.srtp.openRtp(wire, 0)
  const rtp = typeof opened === 'string' ? opened : parseRtp(opened)
  assert.ok(typeof rtp !== 'string', `${note}: ${String(rtp)}`)
  assert.deepEqual([...rtp.payload], [...voice], note)
}

for (const [callerPolicy, agentPolicy] of [
  ['required', 'off'],
  ['offered', 'off'],
  ['off', 'required'],
  ['off', 'offered'],
  ['required', 'required'],
  ['offered', 'offered'],
] as const) {
  test(`audio and reports cross both ways with SRTP ${callerPolicy} by the caller, ${agentPolicy} to the agent`, async () => {
    const set = await talking({ caller: callerPolicy, agent: agentPolicy })
    assert.deepEqual([set.caller.srtp.secure, set.agent.srtp.secure], [callerPolicy !== 'off', agentPolicy !== 'off'])
    for (let i = 0; i < 5; i++) {
      assertHeard(set, 'caller', `caller ${i}`)
      assertHeard(set, 'agent', `agent ${i}`)
    }
    set.sent.length = 0
    set.passTime(10_000)
    set.media.wake(set.now())
    for (const side of ['caller', 'agent'] as const) {
      const report = set.sent.find(({ port }) => port === set.portOf(side) + 1)?.packet ?? assert.fail('no report')
      const opened = set[side].srtp.openRtcp(report, 0)
      assert.ok(typeof opened !== 'string' && typeof parseRtcp(opened) !== 'string', String(opened))
    }
    // No key of one leg is in the other's SDP.
    const keys = set.bodies.map((body) => [...body.matchAll(/inline:(\S+)/g)].map(([, key]) => key))
    assert.equal(new globalThis.Set(keys.flat()).size, keys.flat().length)
  })
}

test('on a secure leg nothing in the clear, nothing forged and nothing twice is heard', async () => {
  for (const side of ['caller', 'agent'] as const) {
    const set = await talking({ caller: 'required', agent: 'required' })
    const clear = writeRtp({ payloadType: 8, marker: false, sequence: 100, timestamp: 0, ssrc: 3 }, voice)
    assert.equal(relayed(set, side, clear), undefined)
    const packet = set[side].says()
    const forged = packet.slice()
    forged[40] = (forged[40] ?? 0) ^ 1
    assert.equal(relayed(set, side, forged), undefined)
    assert.ok(relayed(set, side, packet))
    assert.equal(relayed(set, side, packet), undefined)
    set.arrive(side, Uint8Array.of(0x80, 200, 0, 1, 0, 0, 0, 3), true)
    const counters = set.media.counters()
    assert.deepEqual([counters['srtp_auth_failed'], counters['srtp_replayed'], counters['srtp_short']], [2, 1, 1])
  }
})

test('an agent that must have SRTP and answers in the clear gets no call, and no media', async () => {
  const set = await setUp({ caller: 'off', agent: 'required' }, 'off')
  assert.equal(find(set.answer, 'reject').status, 488)
  assert.equal(find(set.answer, 'hang-up').side, 'agent')
  assert.equal(set.call.state, 'ended')
  assert.equal(set.negotiated.localSdp.agent.security.agreement, undefined)
})

test('an agent that may have SRTP and knows none is spoken to in the clear', async () => {
  const set = await talking({ caller: 'required', agent: 'offered' }, 'off')
  assert.equal(set.agent.srtp.secure, false)
  assertHeard(set, 'caller', 'caller')
  assertHeard(set, 'agent', 'agent')
})

test('a re-INVITE without keys on a secure leg is refused, and the call goes on encrypted', async () => {
  const set = await talking({ caller: 'required', agent: 'off' })
  const clearPhone = new Phone(4_000, 'off')
  const effects = set.run(set.call.legEvent('caller', offered(clearPhone.offer()), set.now()))
  assert.deepEqual(find(effects, 'answer-offer').answer, { status: 488 })
  assertHeard(set, 'caller', 'caller')
  assertHeard(set, 'agent', 'agent')
})

test('a re-INVITE with a new key: the old one is heard for two seconds more, the new one at once', async () => {
  const set = await talking({ caller: 'required', agent: 'off' })
  assertHeard(set, 'caller', 'before')
  assertHeard(set, 'agent', 'before')
  const crossing = [set.caller.says(), set.caller.says()]
  set.caller.security = new LegSecurity({ policy: 'required', keysAllowed: true, random })
  const offer = set.caller.offer()
  const reoffer = find(set.run(set.call.legEvent('caller', offered(offer), set.now())), 'offer')
  const effects = set.run(set.call.legEvent('agent', offerAnswered(set.agent.answer(reoffer.body)), set.now()))
  const { answer } = find(effects, 'answer-offer')
  assert.ok('body' in answer)
  assert.ok(relayed(set, 'caller', crossing[0] ?? nothing), 'crossed with the answer')
  set.caller.answered(answer.body)
  // RFC 3264 8: another description, so another version.
  const versions = [find(set.answer, 'answer').body, answer.body].map((body) => versionOf(body))
  assert.equal((versions[1] ?? 0) - (versions[0] ?? 0), 1)
  assertHeard(set, 'caller', 'new key')
  assertHeard(set, 'agent', 'new key')
  set.passTime(srtpLimits.oldKeyMs)
  assert.equal(relayed(set, 'caller', crossing[1] ?? nothing), undefined)
  assertHeard(set, 'caller', 'later')
})

test('a re-INVITE with the same key changes neither key nor version nor what is heard', async () => {
  const set = await talking({ caller: 'required', agent: 'off' })
  assertHeard(set, 'agent', 'before')
  const first = find(set.answer, 'answer').body
  const reoffer = find(set.run(set.call.legEvent('caller', offered(set.caller.offer()), set.now())), 'offer')
  const effects = set.run(set.call.legEvent('agent', offerAnswered(set.agent.answer(reoffer.body)), set.now()))
  const { answer } = find(effects, 'answer-offer')
  assert.ok('body' in answer)
  assert.equal(Buffer.from(answer.body).toString(), Buffer.from(first).toString())
  assertHeard(set, 'caller', 'after')
  assertHeard(set, 'agent', 'after')
})

test('after the call nothing is sent and no key is left', async () => {
  const set = await talking({ caller: 'required', agent: 'required' })
  const packet = set.caller.says()
  set.negotiated.close()
  assert.equal(relayed(set, 'caller', packet), undefined)
  for (const side of ['caller', 'agent'] as const) {
    assert.equal(set.negotiated.localSdp[side].security.agreement, undefined)
  }
})
