/** Where DTLS is to be had, and what is offered where it is not: media threads with our certificate, and without. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePorts } from '../../../test/support/free-ports.ts'
import { systemRandom } from '../../lib/random.ts'
import { fingerprintOf, makeIdentity } from '../media/dtls/certificate.ts'
import { writeFingerprint } from '../media/dtls/fingerprint.ts'
import { ownOffer } from '../media/offer-answer.ts'
import { MediaThreads } from './media-threads.ts'

const host = '127.0.0.1'
const listener = { onKey: () => {}, onEvent: () => {} }
const wishes = {
  caller: { policy: 'mirrored', keysAllowed: false },
  agent: { policy: 'dtls', keysAllowed: false },
} as const

async function started(identity: ReturnType<typeof makeIdentity> | undefined): Promise<MediaThreads> {
  const portMin = await freePorts(16)
  const settings = { host, portMin, portMax: portMin + 15, jitterMs: 40, replacement: 'flat', engine: 'auto' } as const
  const media = new MediaThreads({
    settings,
    identity,
    threads: 2,
    codecs: ['PCMA'],
    nowMs: () => performance.now(),
    random: systemRandom,
    onLost: () => assert.fail('a thread was lost'),
  })
  assert.notEqual(await media.start(), 'media-engine-unavailable')
  return media
}

test('threads with our certificate offer its fingerprint, and no thread but theirs keeps its key', async () => {
  const identity = makeIdentity(systemRandom, Date.now())
  const media = await started(identity)
  try {
    assert.ok(
      identity.privateKey.every((octet) => octet === 0),
      'the private key stayed in the main thread',
    )
    const opened = await media.open(listener, wishes)
    assert.ok(typeof opened !== 'string', String(opened))
    const offer = Buffer.from(opened.localSdp.agent.offer((local) => ownOffer(local, 'sendrecv'))).toString()
    assert.match(offer, /^m=audio \d+ UDP\/TLS\/RTP\/SAVP /m)
    assert.ok(offer.includes(`a=fingerprint:${writeFingerprint(fingerprintOf(identity))}`), offer)
    opened.close()
  } finally {
    await media.stop()
  }
})

test('a destination that must be keyed by DTLS is not called where no addon may be loaded', async () => {
  const media = await started(undefined)
  try {
    assert.equal(await media.open(listener, wishes), 'failed')
    const others = await media.open(listener, { ...wishes, agent: { policy: 'off', keysAllowed: false } })
    assert.ok(typeof others !== 'string', String(others))
    others.close()
  } finally {
    await media.stop()
  }
})
