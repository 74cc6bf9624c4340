/**
 * Garbage on every open port while a caller keys a card: malformed SIP, RTP from strangers and from the right address, JSON that
 * is wrong or huge. The call goes on, the card is captured exactly, no process ends, and nothing that was sent comes back.
 */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { randomUnit, seededRandom } from '../../src/lib/random.ts'
import { freePorts } from '../support/free-ports.ts'
import { allFieldsValid, answeredCall, openCapture, paymentIn, submit } from '../support/payment-flow.ts'
import { startPhones } from '../support/phones.ts'
import { type Product, startProduct } from '../support/product.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

const SEED = 20_261_122
const PLANTED = '4111111111111111'
const CARD = '4242424242424242'
const EXPIRY_AND_CODE = `12${String((new Date().getUTCFullYear() + 2) % 100).padStart(2, '0')}967`

const sipTemplate = [
  'INVITE sip:+442071234567@127.0.0.1 SIP/2.0',
  'Via: SIP/2.0/UDP 127.0.0.1:40000;branch=z9hG4bKx',
  'From: <sip:a@127.0.0.1>;tag=1',
  'To: <sip:b@127.0.0.1>',
  `Call-ID: ${PLANTED}@127.0.0.1`,
  'CSeq: 1 INVITE',
  'Contact: <sip:a@127.0.0.1:40000>',
  'Content-Type: application/sdp',
  'Content-Length: 40',
  '',
  'v=0\r\nm=audio x RTP/AVP 8\r\nc=IN IP4 999.1.1.1',
].join('\r\n')

/** Datagrams made by cutting, repeating and flipping octets of a template. */
function mutations(template: Uint8Array, count: number): Uint8Array[] {
  const random = seededRandom(SEED)
  const below = (limit: number): number => Math.floor(randomUnit(random) * limit)
  return Array.from({ length: count }, () => {
    const bytes = Buffer.from(template.subarray(0, 1 + below(template.length)))
    for (let flips = below(12); flips > 0; flips--) bytes[below(bytes.length)] = below(256)
    return bytes
  })
}

async function flood(ports: readonly number[], datagrams: readonly Uint8Array[]): Promise<Buffer[]> {
  const socket = createSocket('udp4')
  const answers: Buffer[] = []
  socket.on('message', (message) => answers.push(message))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  for (const port of ports) {
    for (const datagram of datagrams) await new Promise((sent) => socket.send(datagram, port, '127.0.0.1', sent))
  }
  socket.close()
  return answers
}

async function badRequests(product: Product, callId: string, captureId: string): Promise<void> {
  const key = 'Bearer test-desk-key-BCDFGHJKLMNPQRST'
  const json = { 'content-type': 'application/json', authorization: key }
  const attempts: [string, RequestInit, number, string][] = [
    [
      `/v1/calls/${callId}/captures`,
      { method: 'POST', headers: json, body: '{"mode":"field"}' },
      409,
      'CAPTURE_EXISTS',
    ],
    [
      '/v1/calls/BCDFGHJKLMNPQRSTVW/captures',
      { method: 'POST', headers: json, body: '{"mode":"field"}' },
      404,
      'CALL_UNKNOWN',
    ],
    [
      `/v1/captures/${captureId}/payments`,
      {
        method: 'POST',
        headers: { ...json, 'idempotency-key': 'early-order-1' },
        body: '{"amountMinor":100,"currency":"GBP","orderReference":"A-1"}',
      },
      409,
      'FIELD_MISSING',
    ],
    [
      `/v1/captures/${captureId}/fields/shoeSize/request`,
      { method: 'POST', headers: json, body: '{}' },
      400,
      'FIELD_UNKNOWN',
    ],
    [`/v1/calls/${callId}/captures`, { method: 'POST', headers: json, body: `{"${PLANTED}":1` }, 400, 'BODY_INVALID'],
    [
      `/v1/calls/${callId}/captures`,
      { method: 'POST', headers: json, body: JSON.stringify({ mode: 'field', [PLANTED]: PLANTED }) },
      400,
      'BODY_INVALID',
    ],
    [
      `/v1/calls/${callId}/captures`,
      { method: 'POST', headers: json, body: `{"mode":"${PLANTED.repeat(20_000)}"}` },
      413,
      '',
    ],
    [`/v1/calls/${PLANTED}`, { headers: { authorization: key } }, 404, ''],
    [`/v1/calls/${callId}`, { headers: { authorization: `Bearer ${PLANTED}` } }, 401, 'UNAUTHORIZED'],
  ]
  for (const [path, init, status, code] of attempts) {
    const response = await fetch(product.address + path, init)
    const body = await response.text()
    assert.equal(
      response.status,
      status,
      `${init.method ?? 'GET'} ${path.replace(PLANTED, '…')}: ${body.replaceAll(PLANTED, '…')}`,
    )
    assert.ok(body.includes(code))
    assert.ok(!body.includes(PLANTED), 'the answer repeats what was sent')
  }
}

test('the call and the capture go on, exactly, and nothing is echoed', { timeout: 120_000 }, async () => {
  await using folder = await temporaryFolder('hostile')
  const agentPort = await freePorts(2)
  await using product = await startProduct({ folder, destination: `sip:agent@127.0.0.1:${agentPort}`, lifeMs: 110_000 })
  await using phones = await startPhones(product, agentPort)
  await phones.call()
  const callId = await answeredCall(product)
  const captureId = await openCapture(product, callId)
  const pids = [product.controlPid, await product.cdePid()]

  const mediaPorts = Array.from({ length: 40 }, (_, i) => product.sipPort + 3 + i)
  const rtp = Buffer.concat([Buffer.from([0x80, 0x65, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9]), Buffer.from([5, 0x8a, 3, 0x20])])
  const hostile = (async () => {
    const sipAnswers = await flood([product.sipPort], mutations(Buffer.from(sipTemplate), 2_000))
    await flood(mediaPorts, mutations(rtp, 60))
    await badRequests(product, callId, captureId)
    return sipAnswers
  })()
  const [sipAnswers] = await Promise.all([hostile, phones.key(CARD + EXPIRY_AND_CODE, 'in-band')])

  const capture = await allFieldsValid(product, captureId, 5_000)
  assert.equal(capture.fields[0]?.lastFour, '4242', `seed ${SEED}`)
  const { paymentId } = await submit(product, captureId, 'order-1')
  await paymentIn(product, paymentId, ['approved'], 10_000)
  assert.deepEqual([product.controlPid, await product.cdePid()], pids, 'a process ended and was replaced')
  assert.ok(!product.output().includes(PLANTED), 'the log repeats what was sent')
  // RFC 3261 8.2.6.2 has a response repeat Via, From, To, Call-ID and CSeq; a body or another header never comes back.
  for (const answer of sipAnswers) assert.ok(!answer.toString('latin1').includes('m=audio'))
})
