// Which codecs a call may agree on: what the setting allows, on both legs, and in their repeated offers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../lib/random.ts'
import { type AudioCodec, defaultCodecs } from '../media/audio-formats.ts'
import { LegSecurity } from '../media/srtp/leg-security.ts'
import { LocalSdp } from './local-sdp.ts'
import { Negotiation } from './negotiation.ts'

const wide: readonly AudioCodec[] = ['G722', 'PCMA', 'PCMU', 'telephone-event']

function sdp(formats: string): Uint8Array {
  const lines = ['v=0', 'o=- 1 1 IN IP4 198.51.100.1', 's=-', 'c=IN IP4 198.51.100.1', 't=0 0']
  return new TextEncoder().encode([...lines, `m=audio 4000 RTP/AVP ${formats}`, ''].join('\r\n'))
}

function negotiation(codecs: readonly AudioCodec[]): { legs: Record<'caller' | 'agent', LocalSdp>; talk: Negotiation } {
  const leg = (port: number) => {
    const security = new LegSecurity({ policy: 'off', keysAllowed: false, random: seededRandom(port) })
    return new LocalSdp({ host: '192.0.2.10', port }, port, security, codecs)
  }
  const legs = { caller: leg(20_000), agent: leg(20_002) }
  return { legs, talk: new Negotiation(legs) }
}

const audioLine = (body: Uint8Array | string): string =>
  typeof body === 'string' ? body : (/m=audio[^\r]*/.exec(new TextDecoder().decode(body))?.[0] ?? '')

test('by default a caller with G.722 alone is refused, and one with more is offered on without it', () => {
  assert.equal(negotiation(defaultCodecs).talk.offered('caller', sdp('9')), 'no-common-codec')
  assert.equal(audioLine(negotiation(defaultCodecs).talk.offered('caller', sdp('9 0'))), 'm=audio 20002 RTP/AVP 0')
})

test('where it is allowed, both legs agree on G.722, and our own words are read with it too', () => {
  const { legs, talk } = negotiation(wide)
  assert.equal(audioLine(talk.offered('caller', sdp('9 8'))), 'm=audio 20002 RTP/AVP 9 8')
  assert.equal(audioLine(talk.answered('agent', sdp('9'))), 'm=audio 20000 RTP/AVP 9')
  assert.deepEqual(
    [talk.sessions.caller, talk.sessions.agent].map((session) => session?.formats.map(({ codec }) => codec)),
    [['G722', 'PCMA'], ['G722']],
  )
  assert.deepEqual(
    [legs.caller.formats, legs.agent.formats].map((formats) => formats.map(({ codec }) => codec)),
    [['G722'], ['G722', 'PCMA']],
  )
  assert.equal(audioLine(talk.ownOffer('agent')), 'm=audio 20002 RTP/AVP 9 8 0 101')
})

test('a caller with G.722 alone and an agent without it: each keeps its own, we transcode', () => {
  const { talk } = negotiation(wide)
  assert.equal(audioLine(talk.offered('caller', sdp('9'))), 'm=audio 20002 RTP/AVP 9 8 0 101')
  assert.equal(audioLine(talk.answered('agent', sdp('0'))), 'm=audio 20000 RTP/AVP 9')
  assert.deepEqual(
    talk.sessions.agent?.formats.map(({ codec }) => codec),
    ['PCMU'],
  )
})
