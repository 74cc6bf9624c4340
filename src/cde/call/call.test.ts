/** The two-leg machine, driven event by event; SDP is real, nothing else exists. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callLimits } from '../../lib/limits.ts'
import { seededRandom } from '../../lib/random.ts'
import { LegSecurity, type SrtpPolicy } from '../media/srtp/leg-security.ts'
import type { LegEvent } from '../sip/user-agent.ts'
import { Call } from './call.ts'
import type { CallEffect } from './effects.ts'
import { LocalSdp } from './local-sdp.ts'

const sdp = (port: number, extra = ''): Uint8Array =>
  Buffer.from(
    `v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 8 101\r\n` +
      `a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n${extra}`,
  )
const nothing: Uint8Array = new Uint8Array()

function incoming(body: Uint8Array): Extract<LegEvent, { type: 'incoming' }> {
  return {
    type: 'incoming',
    leg: 'c',
    requestUri: 'sip:+442079460000@192.0.2.10',
    from: '<sip:+441632960142@192.0.2.1>;tag=a',
    to: '<sip:+442079460000@192.0.2.10>',
    headers: [{ name: 'X-Account', value: '17' }],
    body,
    contentType: 'application/sdp',
    source: { host: '192.0.2.1', port: 5060 },
    maxForwards: 70,
  }
}

function newCall(body = sdp(4_000)): Call {
  return new Call({ callId: 'BCDFGHJKLMNPQRSTVW', number: 'sales', passHeaders: ['X-Account'] }, incoming(body), 0)
}

const security = (policy: SrtpPolicy) => new LegSecurity({ policy, keysAllowed: true, random: seededRandom(1) })
const local = () => ({
  caller: new LocalSdp({ host: '192.0.2.10', port: 20_000 }, 1, security('mirrored')),
  agent: new LocalSdp({ host: '192.0.2.10', port: 20_002 }, 2, security('off')),
})
const types = (effects: readonly CallEffect[]): string[] => effects.map(({ type }) => type)
const one = <T extends CallEffect['type']>(effects: readonly CallEffect[], type: T) => {
  const found = effects.find((effect): effect is Extract<CallEffect, { type: T }> => effect.type === type)
  assert.ok(found, `${type} is not among ${types(effects).join(', ')}`)
  return found
}
const text = (body: Uint8Array | undefined): string => Buffer.from(body ?? nothing).toString()

const provisional = (status: number, body = nothing): LegEvent => ({
  type: 'provisional',
  leg: 'a',
  status,
  reason: '',
  headers: [],
  body,
  contentType: 'application/sdp',
})
const answered = (body: Uint8Array): LegEvent => ({
  type: 'answered',
  leg: 'a',
  headers: [],
  body,
  contentType: 'application/sdp',
})
const confirmed = (body = nothing): LegEvent => ({ type: 'confirmed', leg: 'c', body, contentType: '' })
const bye = (leg: string): LegEvent => ({ type: 'ended', leg, cause: 'bye', headers: [] })
const offered = (leg: string, body: Uint8Array): LegEvent => ({
  type: 'offered',
  leg,
  body,
  contentType: 'application/sdp',
})

function talking(): Call {
  const call = newCall()
  call.start()
  call.mediaReady(local())
  call.legEvent('agent', answered(sdp(5_000)), 100)
  call.legEvent('caller', confirmed(), 200)
  assert.equal(call.state, 'talking')
  return call
}

test('a call is offered, answered and confirmed; each side hears of our addresses only', () => {
  const call = newCall()
  assert.deepEqual(types(call.start()), ['open-media'])
  const placed = call.mediaReady(local())
  const invite = one(placed, 'invite')
  assert.equal(invite.maxForwards, 69)
  assert.deepEqual(invite.headers, [
    { name: 'X-Account', value: '17' },
    { name: 'X-Tonewall-Call', value: 'BCDFGHJKLMNPQRSTVW' },
  ])
  assert.match(text(invite.body), /m=audio 20002 /)
  assert.doesNotMatch(text(invite.body), /192\.0\.2\.1\b/)
  assert.deepEqual(types(call.legEvent('agent', provisional(180), 10)), ['ring'])
  const done = call.legEvent('agent', answered(sdp(5_000)), 20)
  assert.match(text(one(done, 'answer').body), /m=audio 20000 RTP\/AVP 8 101/)
  assert.equal(one(done, 'use-media').sessions.agent?.remote.port, 5_000)
  assert.equal(one(done, 'use-media').sessions.caller?.remote.port, 4_000)
  assert.equal(one(done, 'report').report.type, 'call-answered')
})

test('early media is announced once; a later 180 without SDP changes nothing (SIP-01)', () => {
  const call = newCall()
  call.mediaReady(local())
  const early = call.legEvent('agent', provisional(183, sdp(5_000)), 10)
  const ring = one(early, 'ring')
  assert.equal(ring.status, 183)
  const later = one(call.legEvent('agent', provisional(180), 20), 'ring')
  assert.equal(text(later.body), text(ring.body))
  const final = call.legEvent('agent', answered(sdp(5_000)), 30)
  assert.equal(text(one(final, 'answer').body), text(ring.body))
})

test('the caller gives up while the agent rings', () => {
  const call = newCall()
  call.mediaReady(local())
  const effects = call.legEvent('caller', { type: 'cancelled', leg: 'c', headers: [] }, 10)
  assert.deepEqual(types(effects), ['hang-up', 'close-media', 'report'])
  assert.deepEqual(one(effects, 'report').report, {
    type: 'call-ended',
    callId: 'BCDFGHJKLMNPQRSTVW',
    result: 'success',
    reason: 'cancelled',
  })
  assert.deepEqual(call.legEvent('agent', answered(sdp(5_000)), 20), [], 'the user agent handles the crossing 200')
})

test('the caller gives up while ports are being bound: nothing is placed afterwards', () => {
  const call = newCall()
  call.start()
  call.legEvent('caller', { type: 'cancelled', leg: 'c', headers: [] }, 10)
  assert.deepEqual(call.mediaReady(local()), [])
})

test('final answers of the agent side are passed, challenges, redirects and 503 are not', () => {
  for (const [status, seen] of [
    [486, 486],
    [603, 603],
    [404, 404],
    [302, 480],
    [401, 480],
    [407, 480],
    [503, 500],
  ] as const) {
    const call = newCall()
    call.mediaReady(local())
    const effects = call.legEvent('agent', { type: 'failed', leg: 'a', status, reason: '', headers: [] }, 10)
    assert.equal(one(effects, 'reject').status, seen, `agent side said ${status}`)
  }
})

test('an agent side without a common codec is hung up and the caller told 488', () => {
  const call = newCall()
  call.mediaReady(local())
  const video = Buffer.from(
    'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 98\r\na=rtpmap:98 opus/48000/2\r\n',
  )
  const effects = call.legEvent('agent', answered(video), 10)
  assert.equal(one(effects, 'reject').status, 488)
  assert.equal(one(effects, 'hang-up').side, 'agent')
})

test('an offer that is no SDP is refused and never placed', () => {
  const call = newCall(Buffer.from('garbage'))
  const effects = call.mediaReady(local())
  assert.equal(one(effects, 'reject').status, 488)
  assert.ok(!types(effects).includes('invite'))
})

test('hold: the offer crosses with our address and one version more, the answer comes back (SIP-06, SIP-08)', () => {
  const call = talking()
  const relayed = one(call.legEvent('agent', offered('a', sdp(5_000, 'a=sendonly\r\n')), 300), 'offer')
  assert.equal(relayed.side, 'caller')
  assert.match(text(relayed.body), /a=sendonly/)
  assert.match(text(relayed.body), /^o=- 1 2 /m)
  const effects = call.legEvent(
    'caller',
    { type: 'offer-answered', leg: 'c', body: sdp(4_000, 'a=recvonly\r\n'), contentType: 'application/sdp' },
    310,
  )
  const answer = one(effects, 'answer-offer')
  assert.equal(answer.side, 'agent')
  assert.ok('body' in answer.answer && /a=recvonly/.test(text(answer.answer.body)))
})

test('a refused re-INVITE leaves the call as it was (RFC 6141)', () => {
  const call = talking()
  call.legEvent('caller', offered('c', sdp(4_000, 'a=inactive\r\n')), 300)
  const effects = call.legEvent('agent', { type: 'offer-failed', leg: 'a', status: 488 }, 310)
  assert.deepEqual(effects, [
    { type: 'withdraw-media', side: 'caller' },
    { type: 'answer-offer', side: 'caller', answer: { status: 488 } },
  ])
  assert.equal(call.state, 'talking')
})

test('re-INVITEs from both sides at once: the second gets 491', () => {
  const call = talking()
  call.legEvent('agent', offered('a', sdp(5_000)), 300)
  const effects = call.legEvent('caller', offered('c', sdp(4_000)), 300)
  assert.deepEqual(effects, [{ type: 'answer-offer', side: 'caller', answer: { status: 491 } }])
})

const answeredOffer = (leg: string, body: Uint8Array): LegEvent => ({
  type: 'offer-answered',
  leg,
  body,
  contentType: 'application/sdp',
})

test('a re-INVITE taken back: its media is forgotten and the other side is offered what was agreed before', () => {
  const call = talking()
  one(call.legEvent('caller', offered('c', sdp(4_444, 'a=sendonly\r\nm=video 4446 RTP/AVP 99\r\n')), 300), 'offer')
  assert.deepEqual(call.legEvent('caller', { type: 'offer-withdrawn', leg: 'c' }, 310), [
    { type: 'withdraw-media', side: 'caller' },
  ])
  const refused = [{ type: 'answer-offer', side: 'caller', answer: { status: 491 } }]
  assert.deepEqual(call.legEvent('caller', offered('c', sdp(4_000)), 311), refused)

  const effects = call.legEvent('agent', answeredOffer('a', sdp(5_002, 'a=recvonly\r\n')), 320)
  assert.deepEqual(types(effects), ['use-media', 'offer'], 'nothing is answered to the caller')
  assert.equal(one(effects, 'use-media').sessions.caller?.remote.port, 4_000)
  assert.equal(one(effects, 'use-media').sessions.agent?.remote.port, 5_002)
  const again = one(effects, 'offer')
  assert.equal(again.side, 'agent')
  assert.match(text(again.body), /^o=- 2 3 /m)
  assert.match(text(again.body), /m=audio 20002 RTP\/AVP 8 .*\r\n[^]*a=sendrecv\r\nm=video 0 /)
  assert.deepEqual(call.legEvent('caller', offered('c', sdp(4_000)), 321), refused)

  const restored = call.legEvent('agent', answeredOffer('a', sdp(5_004)), 330)
  assert.deepEqual(types(restored), ['use-media'])
  assert.equal(one(restored, 'use-media').sessions.caller?.remote.port, 4_000)
  assert.equal(one(restored, 'use-media').sessions.agent?.remote.port, 5_004)
  assert.equal(one(call.legEvent('caller', offered('c', sdp(4_000)), 340), 'offer').side, 'agent', 'offers pass again')
})

test('a re-INVITE taken back that the other side refuses leaves everything as it was', () => {
  const call = talking()
  call.legEvent('agent', offered('a', sdp(5_000, 'a=inactive\r\n')), 300)
  call.legEvent('agent', { type: 'offer-withdrawn', leg: 'a' }, 310)
  assert.deepEqual(call.legEvent('caller', { type: 'offer-failed', leg: 'c', status: 488 }, 320), [])
  assert.equal(one(call.legEvent('agent', offered('a', sdp(5_000)), 330), 'offer').side, 'caller')
})

test('while our own offer waits for its answer, no other is opened: 491', () => {
  const call = newCall(nothing)
  call.mediaReady(local())
  call.legEvent('agent', answered(sdp(5_000)), 20)
  const refused = [{ type: 'answer-offer', side: 'agent', answer: { status: 491 } }]
  assert.deepEqual(call.legEvent('agent', offered('a', nothing), 25), refused)
  assert.deepEqual(call.legEvent('agent', offered('a', sdp(5_000)), 26), refused)
  assert.equal(one(call.legEvent('caller', confirmed(sdp(4_000)), 30), 'use-media').sessions.caller?.remote.port, 4_000)
  assert.ok('body' in one(call.legEvent('agent', offered('a', nothing), 40), 'answer-offer').answer)
})

test('a caller who sends no offer gets ours and answers in the ACK (SIP-04)', () => {
  const call = newCall(nothing)
  const invite = one(call.mediaReady(local()), 'invite')
  assert.match(text(invite.body), /m=audio 20002 /)
  const effects = call.legEvent('agent', answered(sdp(5_000)), 20)
  assert.match(text(one(effects, 'answer').body), /m=audio 20000 /)
  const after = call.legEvent('caller', confirmed(sdp(4_000)), 30)
  assert.equal(one(after, 'use-media').sessions.caller?.remote.port, 4_000)
})

test('… and without a usable answer in the ACK the call ends', () => {
  const call = newCall(nothing)
  call.mediaReady(local())
  call.legEvent('agent', answered(sdp(5_000)), 20)
  assert.ok(types(call.legEvent('caller', confirmed(), 30)).includes('hang-up'))
})

test('either side hangs up: the other is hung up, the media closed, the blame right', () => {
  for (const [side, leg, reason] of [
    ['caller', 'c', 'caller-hung-up'],
    ['agent', 'a', 'agent-hung-up'],
  ] as const) {
    const call = talking()
    const effects = call.legEvent(side, bye(leg), 300)
    assert.equal(one(effects, 'hang-up').side, side === 'caller' ? 'agent' : 'caller')
    const report = one(effects, 'report').report
    assert.ok(report.type === 'call-ended' && report.reason === reason && report.result === 'success')
    assert.deepEqual(call.legEvent(side, bye(leg), 301), [], 'nothing leads out of ended')
  }
})

test('nobody answers within the ring time', () => {
  const call = newCall()
  call.mediaReady(local())
  assert.deepEqual(call.wake(callLimits.ringMs - 1), [])
  const effects = call.wake(callLimits.ringMs)
  assert.equal(one(effects, 'reject').status, 408)
  assert.equal(one(effects, 'hang-up').side, 'agent')
})

test('a call that lasts beyond the limit is ended by us', () => {
  const call = talking()
  const effects = call.wake(100 + callLimits.callMs)
  assert.deepEqual(types(effects), ['hang-up', 'hang-up', 'close-media', 'report'])
})
