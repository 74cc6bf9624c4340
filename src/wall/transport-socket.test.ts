/** Both ends on a real Unix socket; what a broken or hostile other zone may send. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { wallLimits } from '../lib/limits.ts'
import { writeFrame } from './frames.ts'
import { type Order, order, report, type Report, wrapTotals } from './messages.ts'
import { openWall } from './transport-socket.ts'

const id = 'BCDFGHJKLMNPQRSTVW'

async function pair(): Promise<{ a: Socket; b: Socket; [Symbol.asyncDispose](): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'tonewall-wall-'))
  const server = createServer()
  server.listen(join(folder, 's'))
  await once(server, 'listening')
  const a = connect(join(folder, 's'))
  const [b] = (await once(server, 'connection')) as [Socket]
  return {
    a,
    b,
    async [Symbol.asyncDispose]() {
      a.destroy()
      b.destroy()
      server.close()
      await once(server, 'close')
      rmSync(folder, { recursive: true })
    },
  }
}

/** The receiving end: collects, and settles once `expected` things happened. */
function receiver(socket: Socket, expected: number) {
  const events: string[] = []
  const { promise, resolve } = Promise.withResolvers<string[]>()
  const add = (event: string): void => {
    events.push(event)
    if (events.length >= expected) resolve(events)
  }
  openWall<Report, Order>(socket, {
    incoming: report,
    outgoing: order,
    onMessage: (message) => add(message.type),
    onRefused: (refusal) => add(`refused ${refusal}`),
    onClosed: () => add('closed'),
  })
  return promise
}

test('messages arrive in order, whatever the stream does to their octets', async () => {
  await using ends = await pair()
  const seen = receiver(ends.b, 3)
  const frames = [
    { type: 'ready' },
    { type: 'call-answered', callId: id },
    { type: 'capture-started', captureId: id },
  ].map((message) => writeFrame(message))
  for (const octet of Buffer.concat(frames as Uint8Array[])) ends.a.write(Buffer.of(octet))
  assert.deepEqual(await seen, ['ready', 'call-answered', 'capture-started'])
})

test('unknown messages, extra fields, digits and garbage are refused and counted; the stream goes on', async () => {
  await using ends = await pair()
  const seen = receiver(ends.b, 6)
  const bad = [
    { type: 'card', number: '4242424242424242' },
    { type: 'ready', pan: '4242424242424242' },
    { type: 'field', captureId: id, field: 'cardNumber', state: 'valid', count: 16, lastFour: '42424242' },
    { type: 'call-started', callId: id, number: 'sales', headers: [{ name: 'X-A', value: '4242424242424242' }] },
  ]
  for (const message of bad) ends.a.write(writeFrame(message))
  ends.a.write(Buffer.concat([Buffer.from([0, 0, 0, 3]), Buffer.from('{{{')]))
  ends.a.write(writeFrame({ type: 'ready' }))
  assert.deepEqual(await seen, [...Array<string>(4).fill('refused unknown-message'), 'refused not-json', 'ready'])
})

test('totals pass however long the CDE has run; counts of keys do not grow that far', () => {
  const totals = { rtp_received: Number.MAX_SAFE_INTEGER, calls_live: 7 }
  const counters = wrapTotals(totals)
  assert.equal(report.safeParse({ type: 'counters', counters }).success, true)
  assert.equal(counters['calls_live'], 7)
  assert.equal(report.safeParse({ type: 'counters', counters: { rtp_received: -1 } }).success, false)
  assert.equal(report.safeParse({ type: 'keys-dropped', callId: id, count: 1_000_000_001 }).success, false)
})

test('nothing as long as a card number passes as a total, as the name of one, or as the source of a trunk', () => {
  const shortest = wallLimits.totalMax + 1
  const twelve = '5'.repeat(12)
  const trunk = { number: 'sales', reported: 1, lost: 0, doubled: 0, uncertain: 0, slow: false }
  const passes = (rest: object): boolean => report.safeParse({ type: 'counters', ...rest }).success
  assert.equal(String(shortest).length, 12)
  assert.equal(passes({ counters: { rtp_received: shortest } }), false)
  assert.equal(passes({ counters: { [`rtp_${twelve}`]: 1 } }), false)
  assert.equal(passes({ counters: {}, trunks: [{ ...trunk, reported: shortest, source: '192.0.2.1' }] }), false)
  assert.equal(passes({ counters: {}, trunks: [{ ...trunk, source: twelve }] }), false)
  for (const source of ['other', '192.0.2.1', '2001:db8::1', '::ffff:192.0.2.1']) {
    assert.equal(passes({ counters: {}, trunks: [{ ...trunk, source }] }), true, source)
  }
})

test('a frame that claims to be larger than the bound ends the connection', async () => {
  await using ends = await pair()
  const seen = receiver(ends.b, 2)
  const claim = Buffer.alloc(4)
  claim.writeUInt32BE(wallLimits.messageOctetsMax + 1)
  ends.a.write(claim)
  assert.deepEqual(await seen, ['refused oversized', 'closed'])
})

test('a message that its own schema refuses is never sent', async () => {
  await using ends = await pair()
  const refusals: string[] = []
  const wall = openWall<Order, Report>(ends.a, {
    incoming: order,
    outgoing: report,
    onMessage: () => {},
    onRefused: (refusal) => refusals.push(refusal),
    onClosed: () => {},
  })
  const leaking = {
    type: 'call-started',
    callId: id,
    number: 'sales',
    headers: [{ name: 'X-A', value: '4242 4242 4242 4242' }],
  }
  assert.equal(wall.send(leaking as Report), false)
  assert.deepEqual(refusals, ['unknown-message'])
})
