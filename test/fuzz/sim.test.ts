import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeG711 } from '../../src/cde/media/g711.ts'
import { writeRtp } from '../../src/cde/media/rtp.ts'
import { findCardNumber } from '../../src/lib/luhn-scan.ts'
import { seededRandom } from '../../src/lib/random.ts'
import { ownFormats, readPhoneSdp, writePhoneSdp } from '../../src/sim/phone-sdp.ts'
import { callBody, isOwnPage, keyBody } from '../../src/sim/requests.ts'
import { RtpReceiver } from '../../src/sim/rtp-receiver.ts'
import { readStaticFile } from '../../src/sim/static-files.ts'
import { mutate } from './mutate.ts'

const SEED = 4_733

test('mutated RTP never stops a simulated phone', () => {
  const random = seededRandom(SEED)
  const receiver = new RtpReceiver(() => {})
  receiver.setFormats(ownFormats(['PCMA', 'PCMU'], true))
  const audio = encodeG711('PCMA', new Int16Array(160).fill(900))
  for (let i = 0; i < 10_000; i++) {
    const fields = { payloadType: i % 3 === 0 ? 101 : 8, marker: false, sequence: i, timestamp: i * 160, ssrc: 7 }
    const datagram = mutate(writeRtp(fields, i % 3 === 0 ? Uint8Array.of(1, 10, 0, 160) : audio), random)
    assert.doesNotThrow(() => receiver.receive(datagram, i * 20), `seed ${SEED}, datagram ${i}`)
    receiver.nextLiveFrame()
  }
  assert.ok(receiver.counters().audioPackets > 1_000, `seed ${SEED}`)
})

test('mutated session descriptions never stop a simulated phone', () => {
  const random = seededRandom(SEED)
  const own = ownFormats(['PCMA', 'PCMU'], true)
  const valid = writePhoneSdp({ host: '192.0.2.1', port: 4_000 }, own, 'sendrecv', 1)
  assert.equal(readPhoneSdp(valid, own)?.remote.port, 4_000)
  for (let i = 0; i < 5_000; i++) {
    const body = mutate(valid, random)
    assert.doesNotThrow(() => readPhoneSdp(body, own), `seed ${SEED}, body ${i}`)
  }
})

test('mutated request bodies, hosts and paths are refused, never thrown and never repeated', async () => {
  const random = seededRandom(SEED)
  const text = (valid: string): string => new TextDecoder().decode(mutate(new TextEncoder().encode(valid), random))
  for (let i = 0; i < 3_000; i++) {
    const body = text('{"key":"4","carriage":"in-band","holdMs":4242424242424242}')
    let json: unknown
    try {
      json = JSON.parse(body)
    } catch {
      json = body
    }
    for (const schema of [keyBody, callBody]) {
      const checked = schema.safeParse(json)
      assert.equal(findCardNumber(String(schema.description)), -1, `seed ${SEED}, body ${i}`)
      assert.ok(!checked.success || JSON.stringify(checked.data).length < 80, `seed ${SEED}, body ${i}`)
    }
    const headers = { host: text('127.0.0.1:8090'), origin: text('http://127.0.0.1:8090') }
    assert.doesNotThrow(() => isOwnPage(headers, '127.0.0.1', []), `seed ${SEED}, host ${i}`)
  }
  for (let i = 0; i < 500; i++) {
    const path = text('/assets/index-abc.js')
    assert.equal(await readStaticFile('/nonexistent', path), undefined, `seed ${SEED}, path ${i}`)
  }
})
