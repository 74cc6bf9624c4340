import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSdp, type Sdp } from '../sdp.ts'
import { DtlsNegotiation, type DtlsProposal } from './negotiation.ts'

const own = { hash: 'sha-256', hex: '0f'.repeat(32) } as const
const theirs = `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AA').join(':')}`
const others = theirs.replaceAll('AA', 'BB')

function described(...lines: readonly string[]): Sdp {
  const sdp = parseSdp(Buffer.from(['v=0', 'm=audio 4000 UDP/TLS/RTP/SAVP 8', ...lines, ''].join('\n')))
  return typeof sdp === 'string' ? assert.fail(sdp) : sdp
}

type Way = 'readOffer' | 'readAnswer'

function read(negotiation: DtlsNegotiation, way: Way, ...lines: readonly string[]): DtlsProposal | undefined {
  const sdp = described(...lines)
  return negotiation[way](sdp, sdp.media[0] ?? assert.fail())
}

function agreed(negotiation: DtlsNegotiation, way: Way, ...lines: readonly string[]) {
  negotiation.agree(read(negotiation, way, ...lines) ?? assert.fail(lines.join(' ')))
  return negotiation.agreed ?? assert.fail()
}

test('who begins is as RFC 5763 5 has it, and a conflict of roles agrees on nothing', () => {
  const role = (way: Way, setup: string): string | undefined =>
    read(new DtlsNegotiation(own), way, `a=setup:${setup}`, theirs)?.role
  assert.deepEqual(
    ['actpass', 'active', 'passive', 'holdconn', ''].map((setup) => role('readOffer', setup)),
    ['client', 'server', 'client', undefined, undefined],
  )
  assert.deepEqual(
    ['active', 'passive', 'actpass', 'holdconn', ''].map((setup) => role('readAnswer', setup)),
    ['server', 'client', undefined, undefined, undefined],
  )
  assert.equal(read(new DtlsNegotiation(own), 'readOffer', theirs), undefined, 'no setup')
  assert.equal(read(new DtlsNegotiation(own), 'readOffer', 'a=setup:active'), undefined, 'no fingerprint')
  assert.equal(read(new DtlsNegotiation(own), 'readOffer', 'a=setup:active', 'a=fingerprint:sha-1 AA'), undefined)
})

test('our answer says the role that the offer left, our certificate, and that RTCP shares the port if it was offered', () => {
  const negotiation = new DtlsNegotiation(own)
  agreed(negotiation, 'readOffer', 'a=setup:actpass', theirs, 'a=rtcp-mux')
  const ours = `fingerprint:sha-256 ${Array.from({ length: 32 }, () => '0F').join(':')}`
  assert.deepEqual(negotiation.answerLines(), ['setup:active', ours, 'rtcp-mux'])
  const passive = new DtlsNegotiation(own)
  agreed(passive, 'readOffer', 'a=setup:active', theirs)
  assert.deepEqual(passive.answerLines(), ['setup:passive', ours])
  assert.deepEqual(passive.offerLines(), ['setup:actpass', ours, 'rtcp-mux'])
})

test('a later offer of the same certificate goes on with the association and its roles, whoever makes it', () => {
  const negotiation = new DtlsNegotiation(own)
  const first = agreed(negotiation, 'readOffer', 'a=setup:active', theirs)
  assert.equal(first.role, 'server')
  assert.deepEqual(agreed(negotiation, 'readOffer', 'a=setup:actpass', theirs), first)
  assert.deepEqual(agreed(negotiation, 'readAnswer', 'a=setup:active', theirs), first)
})

test('another certificate, another role or another id is another association', () => {
  const negotiation = new DtlsNegotiation(own)
  const numbers = [
    ['a=setup:actpass', theirs],
    ['a=setup:actpass', others],
    ['a=setup:active', others],
    ['a=setup:active', others, 'a=tls-id:abc3de65cddef001be82'],
    ['a=setup:active', theirs, others, 'a=tls-id:abc3de65cddef001be82'],
    ['a=setup:active', others, theirs, 'a=tls-id:abc3de65cddef001be82'],
  ].map((lines) => agreed(negotiation, 'readOffer', ...lines).association)
  assert.deepEqual(numbers, [1, 2, 3, 4, 5, 5])
})

test('an offer that is read and never answered changes nothing', () => {
  const negotiation = new DtlsNegotiation(own)
  const before = agreed(negotiation, 'readOffer', 'a=setup:actpass', theirs)
  read(negotiation, 'readOffer', 'a=setup:active', others)
  assert.deepEqual(negotiation.agreed, before)
})
