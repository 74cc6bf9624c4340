/**
 * DTLS-SRTP on one leg: the call's machine and its media with phones that do the handshake. What must hold: until it is over, and
 * with whom SDP says, nothing passes in either direction; then the far side hears what was said; and no way leads back.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address } from '../../lib/address.ts'
import { seededRandom } from '../../lib/random.ts'
import { DtlsAssociation } from '../media/dtls/association.ts'
import { type DtlsIdentity, fingerprintOf, makeIdentity } from '../media/dtls/certificate.ts'
import { openContext } from '../media/dtls/context.ts'
import { LegDtls } from '../media/dtls/leg-dtls.ts'
import type { Associate } from '../media/dtls/open.ts'
import { isDtls } from '../media/dtls/records.ts'
import { PortPool } from '../media/ports.ts'
import { parseRtp, writeRtp } from '../media/rtp.ts'
import { parseSdp, type Sdp, serializeSdp } from '../media/sdp.ts'
import type { MediaEngine, PacketListener } from '../media/socket.ts'
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

const random = seededRandom(8_842)
const NOW_MS = Date.UTC(2026, 10, 22)
const voice = random(160)

function associating(identity: DtlsIdentity): Associate {
  const context = openContext(identity) ?? assert.fail('no context')
  return (role) => new DtlsAssociation(context, role)
}

const own = makeIdentity(random, NOW_MS)
const associate = associating(own)

function described(body: Uint8Array): Sdp {
  const sdp = parseSdp(body)
  return typeof sdp === 'string' ? assert.fail(sdp) : sdp
}

/** A phone that does as its policy says; one with `mirrored` answers what it is offered. */
class Phone {
  readonly address: Address
  readonly srtp = new LegSrtp()
  readonly sent: Uint8Array[] = []
  security!: LegSecurity
  #dtls!: LegDtls
  #sequence = 100

  constructor(port: number, policy: SrtpPolicy) {
    this.address = { host: '198.51.100.7', port }
    this.becomeAnother(policy)
  }

  /** Another certificate, of which nobody has heard. */
  becomeAnother(policy: SrtpPolicy): void {
    const identity = makeIdentity(random, NOW_MS)
    this.security = new LegSecurity({ policy, keysAllowed: true, random, dtls: fingerprintOf(identity) })
    this.#dtls = new LegDtls({
      associate: associating(identity),
      send: (datagram) => this.sent.push(datagram),
      onKeys: (agreement, nowMs) => this.srtp.agree(agreement, nowMs),
    })
  }

  offer(): Uint8Array {
    return serializeSdp(this.security.ownOffer(this.#plain('RTP/AVP')))
  }

  answer(offer: Uint8Array): Uint8Array {
    this.security.theirOffer(described(offer))
    const transport = described(offer).media[0]?.description.transport ?? assert.fail()
    const answer = serializeSdp(this.security.ownAnswer(this.#plain(transport)))
    this.#agree()
    return answer
  }

  answered(answer: Uint8Array): void {
    this.security.theirAnswer(described(answer))
    this.#agree()
  }

  receive(datagram: Uint8Array, nowMs: number): void {
    if (isDtls(datagram)) this.#dtls.receive(datagram, nowMs)
  }

  /** The next packet of its voice, as it is on the wire. */
  says(): Uint8Array {
    const fields = { payloadType: 8, marker: false, sequence: this.#sequence, timestamp: this.#sequence * 160, ssrc: 3 }
    this.#sequence++
    const sealed = this.srtp.sealRtp(writeRtp(fields, voice))
    return typeof sealed === 'string' ? assert.fail(sealed) : sealed
  }

  #agree(): void {
    this.#dtls.agree(this.security.dtls, this.address, 0)
  }

  #plain(transport: string): Sdp {
    const { host, port } = this.address
    return described(Buffer.from(`v=0\nc=IN IP4 ${host}\nm=audio ${port} ${transport} 8\na=rtpmap:8 PCMA/8000\n`))
  }
}

interface Options {
  readonly callerPolicy: SrtpPolicy
  readonly agentPolicy: SrtpPolicy
  readonly agentAnswers?: SrtpPolicy
  readonly hasDtls?: boolean
  /** What becomes of a description on its way to us. */
  readonly altered?: (sdp: string) => string
}

async function setUp({ callerPolicy, agentPolicy, agentAnswers = 'mirrored', hasDtls = true, altered }: Options) {
  let nowMs = 1_000
  const sent: { readonly port: number; readonly packet: Uint8Array; readonly to: Address }[] = []
  const listeners = new Map<number, PacketListener>()
  const engine: MediaEngine = {
    async open(local, onPacket) {
      listeners.set(local.port, onPacket)
      const send = (packet: Uint8Array, to: Address): void =>
        void sent.push({ port: local.port, packet: packet.slice(), to })
      return { local, send, forward: () => assert.fail('a secure call has no shortcut'), close: () => {} }
    },
  }
  const ports = new MediaPorts('192.0.2.1', new PortPool(10_000, 10_003, random), engine, () => nowMs)
  const replacement = 'flat'
  const media = await openCallMedia(
    { ports, replacement, jitterMs: 40, random, nowMs: () => nowMs, associate },
    { onKey: () => {}, onEvent: () => {} },
  )
  assert.ok(media !== 'no-ports')
  const link = { send: (order: MediaOrder) => media.execute(order, nowMs), sendKey: () => {} }
  const negotiated = new NegotiatedMedia(link, {
    addresses: media.addresses,
    wishes: { caller: { policy: 'mirrored', keysAllowed: true }, agent: { policy: agentPolicy, keysAllowed: true } },
    random,
    dtls: hasDtls ? fingerprintOf(own) : undefined,
  })
  const phones = { caller: new Phone(4_000, callerPolicy), agent: new Phone(5_000, agentAnswers) }
  const onWay = (body: Uint8Array): Uint8Array =>
    altered === undefined ? body : Buffer.from(altered(Buffer.from(body).toString()))
  const call = new Call(
    { callId: 'BCDFGHJKLMNPQRSTVW', number: 'sales', passHeaders: [] },
    incoming(onWay(phones.caller.offer())),
    nowMs,
  )
  const run = (effects: readonly CallEffect[]): readonly CallEffect[] => {
    for (const effect of effects) if (effect.type === 'use-media') negotiated.use(effect.sessions)
    return effects
  }
  call.start()
  const ready = run(call.mediaReady(negotiated.localSdp))
  const portOf = (side: Side): number => negotiated.addresses[side].port
  const arrive = (side: Side, packet: Uint8Array, offset = 0): void => {
    const { host, port } = phones[side].address
    const onPacket = listeners.get(portOf(side) + offset) ?? assert.fail()
    onPacket(packet.slice(), { host, port: port + offset })
  }
  return {
    ...{ media, negotiated, call, phones, sent, run, ready, portOf, arrive, onWay },
    now: (): number => nowMs,
    passTime: (ms: number): void => {
      nowMs += ms
    },
    /** Carries handshakes to and fro until nobody has anything to say. */
    shakeHands(): void {
      for (let round = 0; round < 40; round++) {
        const ours = sent.splice(0)
        for (const { port, packet } of ours)
          phones[port === portOf('caller') ? 'caller' : 'agent'].receive(packet, nowMs)
        for (const side of ['caller', 'agent'] as const)
          for (const datagram of phones[side].sent.splice(0)) arrive(side, datagram)
        if (sent.length === 0 && ours.length === 0) return
      }
      assert.fail('the handshake has no end')
    },
  }
}

type Set = Awaited<ReturnType<typeof setUp>>

/** A call that is answered on both sides, before any handshake. */
async function answeredCall(options: Options): Promise<Set & { readonly answer: readonly CallEffect[] }> {
  const set = await setUp(options)
  const invite = find(set.ready, 'invite')
  const body = set.onWay(set.phones.agent.answer(invite.body))
  const answer = set.run(set.call.legEvent('agent', described200(body), set.now()))
  if (set.call.state !== 'ended') set.phones.caller.answered(find(answer, 'answer').body)
  return { ...set, answer }
}

const sdpType = { contentType: 'application/sdp' } as const
const described200 = (body: Uint8Array): LegEvent => ({ type: 'answered', leg: 'a', headers: [], body, ...sdpType })

function incoming(body: Uint8Array): Extract<LegEvent, { type: 'incoming' }> {
  const source = { host: '198.51.100.7', port: 5_060 }
  const address = '<sip:a@198.51.100.7>'
  const rest = { headers: [], body, source, maxForwards: 70, ...sdpType }
  return { type: 'incoming', leg: 'c', requestUri: 'sip:1@192.0.2.1', from: address, to: address, ...rest }
}

function find<T extends CallEffect['type']>(effects: readonly CallEffect[], type: T) {
  const found = effects.find((effect): effect is Extract<CallEffect, { type: T }> => effect.type === type)
  return found ?? assert.fail(`${type} is not among ${effects.map((effect) => effect.type).join(', ')}`)
}

/** What leaves by a side's port when the other side says a packet; undefined for nothing. */
function relayed(set: Set, from: Side, packet: Uint8Array): Uint8Array | undefined {
  set.sent.length = 0
  set.passTime(20)
  set.arrive(from, packet)
  const port = set.portOf(from === 'caller' ? 'agent' : 'caller')
  return set.sent.find((wire) => wire.port === port && !isDtls(wire.packet))?.packet
}

function assertHeard(set: Set, from: Side): void {
  const to = set.phones[from === 'caller' ? 'agent' : 'caller']
  const wire = relayed(set, from, set.phones[from].says()) ?? assert.fail(`nothing of the ${from} left`)
  assert.equal(Buffer.from(wire).includes(Buffer.from(voice)), !to.srtp.secure, 'in the clear on the wire')
  const opened = to.srtp.openRtp(wire, 0)
  const rtp = typeof opened === 'string' ? opened : parseRtp(opened)
  assert.ok(typeof rtp !== 'string', String(rtp))
  assert.deepEqual([...rtp.payload], [...voice])
}

function clearPacket(sequence: number): Uint8Array {
  return writeRtp({ payloadType: 8, marker: false, sequence, timestamp: sequence * 160, ssrc: 3 }, voice)
}

for (const [callerPolicy, agentPolicy] of [
  ['dtls', 'off'],
  ['off', 'dtls'],
  ['dtls', 'dtls'],
  ['required', 'dtls'],
] as const) {
  test(`keys of a handshake: caller ${callerPolicy}, agent ${agentPolicy}; until it is over nothing passes`, async () => {
    const set = await answeredCall({ callerPolicy, agentPolicy })
    assert.equal(relayed(set, 'caller', clearPacket(1)), undefined, 'sent before there were keys')
    assert.equal(relayed(set, 'agent', clearPacket(1)), undefined, 'sent before there were keys')
  })

  test(`audio crosses both ways: caller ${callerPolicy}, agent ${agentPolicy}`, async () => {
    const set = await answeredCall({ callerPolicy, agentPolicy })
    set.phones.caller.srtp.agree(set.phones.caller.security.agreement, 0)
    set.shakeHands()
    for (let i = 0; i < 5; i++) {
      assertHeard(set, 'caller')
      assertHeard(set, 'agent')
    }
    for (const side of ['caller', 'agent'] as const) {
      if (!set.phones[side].srtp.secure) continue
      assert.equal(relayed(set, side, clearPacket(900)), undefined, 'heard in the clear')
    }
  })
}

test('an offer of DTLS is refused with 488 where there is none, and where it cannot be trusted', async () => {
  const sha1 = `sha-1 ${Array.from({ length: 20 }, () => 'AA').join(':')}`
  const altered: readonly ((sdp: string) => string)[] = [
    (sdp) => sdp.replace(/a=fingerprint:.*\r\n/, ''),
    (sdp) => sdp.replace(/a=fingerprint:.*/, `a=fingerprint:${sha1}`),
    (sdp) => sdp.replace(/a=setup:.*/, 'a=setup:holdconn'),
    (sdp) => sdp.replace(/a=setup:.*\r\n/, ''),
  ]
  for (const alter of altered) {
    const set = await setUp({ callerPolicy: 'dtls', agentPolicy: 'off', altered: alter })
    assert.equal(find(set.ready, 'reject').status, 488, alter.toString())
  }
  for (const transport of ['UDP/TLS/RTP/SAVP', 'UDP/TLS/RTP/SAVPF']) {
    const alter = (sdp: string): string => sdp.replace('UDP/TLS/RTP/SAVP', transport)
    const without = await setUp({ callerPolicy: 'dtls', agentPolicy: 'off', hasDtls: false, altered: alter })
    assert.equal(find(without.ready, 'reject').status, 488, transport)
    const having = await setUp({ callerPolicy: 'dtls', agentPolicy: 'off', altered: alter })
    assert.ok(find(having.ready, 'invite'), transport)
  }
})

test('with another fingerprint in SDP than the certificate that is shown, nobody is heard', async () => {
  const swapped = (sdp: string): string => sdp.replace(/(a=fingerprint:sha-256 )../, '$100')
  const set = await answeredCall({ callerPolicy: 'dtls', agentPolicy: 'off', altered: swapped })
  set.shakeHands()
  assert.ok((set.media.counters()['dtls_failed_fingerprint'] ?? 0) > 0)
  assert.equal(relayed(set, 'agent', clearPacket(1)), undefined, 'sent to a stranger')
  assert.equal(relayed(set, 'caller', set.phones.caller.says()), undefined, 'heard of a stranger')
})

test('an agent that must be keyed by DTLS and answers in the clear, or with keys in SDP, gets no call', async () => {
  for (const agentAnswers of ['off', 'required'] as const) {
    const set = await answeredCall({ callerPolicy: 'off', agentPolicy: 'dtls', agentAnswers })
    assert.equal(find(set.answer, 'reject').status, 488)
    assert.equal(set.call.state, 'ended')
  }
  // RFC 3264 6 forbids an answer of another transport; whoever sends one is not heard in the clear for it.
  const altered = (sdp: string): string => sdp.replace('UDP/TLS/RTP/SAVP', 'RTP/AVP')
  const set = await answeredCall({ callerPolicy: 'off', agentPolicy: 'dtls', agentAnswers: 'off', altered })
  assert.equal(find(set.answer, 'reject').status, 488)
})

async function talking(): Promise<Set> {
  const set = await answeredCall({ callerPolicy: 'dtls', agentPolicy: 'off' })
  set.call.legEvent('caller', { type: 'confirmed', leg: 'c', body: new Uint8Array(), contentType: '' }, set.now())
  set.shakeHands()
  assertHeard(set, 'caller')
  return set
}

function reoffered(set: Set, body: Uint8Array) {
  const offer: LegEvent = { type: 'offered', leg: 'c', body, ...sdpType }
  const effects = set.run(set.call.legEvent('caller', offer, set.now()))
  const reoffer = effects.find((effect) => effect.type === 'offer')
  if (reoffer === undefined) return find(effects, 'answer-offer').answer
  const answer: LegEvent = { type: 'offer-answered', leg: 'a', body: set.phones.agent.answer(reoffer.body), ...sdpType }
  return find(set.run(set.call.legEvent('agent', answer, set.now())), 'answer-offer').answer
}

test('a re-INVITE in the clear, or with keys in SDP, is refused, and the call goes on encrypted', async () => {
  for (const policy of ['off', 'required'] as const) {
    const set = await talking()
    assert.deepEqual(reoffered(set, new Phone(4_000, policy).offer()), { status: 488 })
    assertHeard(set, 'caller')
    assertHeard(set, 'agent')
  }
})

test('a re-INVITE of the same certificate keeps keys, version and roles, and no handshake begins', async () => {
  const set = await talking()
  set.sent.length = 0
  const answers = [reoffered(set, set.phones.caller.offer()), reoffered(set, set.phones.caller.offer())]
  const texts = answers.map((answer) => ('body' in answer ? Buffer.from(answer.body).toString() : ''))
  assert.match(texts[0] ?? '', /a=setup:active/)
  assert.equal(texts[0], texts[1])
  assert.deepEqual(set.sent, [])
  assertHeard(set, 'caller')
  assertHeard(set, 'agent')
})

test('a re-INVITE of another certificate is another handshake, and what follows is heard', async () => {
  const set = await talking()
  set.phones.caller.becomeAnother('dtls')
  const answer = reoffered(set, set.phones.caller.offer())
  assert.ok('body' in answer)
  set.phones.caller.answered(answer.body)
  set.shakeHands()
  assertHeard(set, 'caller')
  assertHeard(set, 'agent')
})

test('RTCP shares the port of RTP where the peer offered it, and is nowhere where not', async () => {
  for (const isMuxed of [true, false]) {
    const alter = (sdp: string): string => (isMuxed ? sdp : sdp.replace('a=rtcp-mux\r\n', ''))
    const set = await answeredCall({ callerPolicy: 'dtls', agentPolicy: 'off', altered: alter })
    set.shakeHands()
    assertHeard(set, 'agent')
    set.sent.length = 0
    set.passTime(10_000)
    set.media.wake(set.now())
    const reports = set.sent.filter(({ port }) => port === set.portOf('caller') || port === set.portOf('caller') + 1)
    assert.deepEqual(
      reports.map(({ port, to }) => [port - set.portOf('caller'), to.port]),
      isMuxed ? [[0, set.phones.caller.address.port]] : [],
    )
    const opened = reports.map(({ packet }) => typeof set.phones.caller.srtp.openRtcp(packet, 0))
    assert.deepEqual(opened, isMuxed ? ['object'] : [])
  }
})

test('after the call nothing is sent, whatever comes', async () => {
  const set = await talking()
  const packet = set.phones.caller.says()
  set.negotiated.close()
  assert.equal(relayed(set, 'caller', packet), undefined)
  set.arrive('caller', Uint8Array.of(22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0))
  assert.deepEqual(set.sent, [])
})
