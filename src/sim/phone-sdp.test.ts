import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answeringDirection, ownFormats, readPhoneSdp, writePhoneSdp } from './phone-sdp.ts'

const both = ownFormats(['PCMA', 'PCMU'], true)

test('what a phone writes, a phone reads', () => {
  for (const host of ['192.0.2.7', '2001:db8::7']) {
    const audio = readPhoneSdp(writePhoneSdp({ host, port: 4_002 }, both, 'sendonly', 3), both)
    assert.deepEqual(audio?.remote, { host, port: 4_002 })
    assert.deepEqual(audio?.formats, both)
    assert.equal(audio?.direction, 'sendonly')
    assert.equal(audio?.ptimeMs, 20)
  }
})

test('only common formats are kept, under the other side’s numbers and in its order', () => {
  const offered = [
    { payloadType: 0, codec: 'PCMU', clockHz: 8_000 },
    { payloadType: 96, codec: 'telephone-event', clockHz: 8_000 },
    { payloadType: 8, codec: 'PCMA', clockHz: 8_000 },
  ] as const
  const body = writePhoneSdp({ host: '192.0.2.7', port: 4_002 }, offered, 'sendrecv', 1)
  assert.deepEqual(readPhoneSdp(body, both)?.formats, offered)
  assert.deepEqual(readPhoneSdp(body, ownFormats(['PCMA'], false))?.formats, [offered[2]])
})

test('a body without common audio is no session', () => {
  const body = writePhoneSdp({ host: '192.0.2.7', port: 4_002 }, ownFormats(['PCMU'], true), 'sendrecv', 1)
  assert.equal(readPhoneSdp(body, ownFormats(['PCMA'], true)), undefined)
  assert.equal(readPhoneSdp(new Uint8Array(0), both), undefined)
  assert.equal(readPhoneSdp(new TextEncoder().encode('hello'), both), undefined)
})

test('each direction is answered with its counterpart', () => {
  assert.deepEqual((['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const).map(answeringDirection), [
    'sendrecv',
    'recvonly',
    'sendonly',
    'inactive',
  ])
})
