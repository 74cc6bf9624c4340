// What RTCP and the receiver measured of a call, from the wall to the API, the events and the metrics.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../../lib/ids.ts'
import type { CallQualityReport } from '../../wall/call-quality.ts'
import { report } from '../../wall/messages.ts'
import { Harness } from '../testing/harness.test-kit.ts'

const deaf = { packets: 0, lost: 0, jitterMicroseconds: 0, jitterMaxMicroseconds: 0, sentPackets: 0 }
const quality: CallQualityReport = {
  caller: {
    packets: 970,
    lost: 30,
    jitterMicroseconds: 4_250,
    jitterMaxMicroseconds: 21_000,
    sentPackets: 400,
    farLost: 8,
    farJitterMicroseconds: 1_500,
    roundTripMicroseconds: 85_321,
  },
  agent: { ...deaf, sentPackets: 970, farLost: 5_000 },
}

async function eventsOf(control: Harness, type: string): Promise<unknown[]> {
  await control.control.settled()
  const rows = await control.store.db.selectFrom('event').selectAll().where('type', '=', type).execute()
  return rows.map(({ data }) => JSON.parse(data) as unknown)
}

test('figures of a live call are shown and replaced; the final ones, though they come after its end, are an event and counted once', async () => {
  await using control = await Harness.start()
  const callId = await control.answeredCall()
  const before = await control.call('GET', `/v1/calls/${callId}`)
  assert.equal(before.body['quality'], undefined)
  const first = { ...quality, caller: { ...quality.caller, packets: 5 } }
  control.cde.report({ type: 'call-quality', callId, isFinal: false, quality: first })
  assert.deepEqual(await eventsOf(control, 'call.quality'), [])
  control.cde.report({ type: 'call-ended', callId, result: 'success', reason: 'caller-hung-up' })
  control.cde.report({ type: 'call-quality', callId, isFinal: true, quality })
  const shown = {
    caller: {
      packets: 970,
      lost: 30,
      lossRatio: 0.03,
      jitterMs: 4.25,
      jitterMaxMs: 21,
      sentPackets: 400,
      farLost: 8,
      farLossRatio: 0.02,
      farJitterMs: 1.5,
      roundTripMs: 85.321,
    },
    // The peer claims to have lost more than was sent: no more than all of it counts.
    agent: { ...legOf(0, 970), farLost: 5_000, farLossRatio: 1 },
  }
  assert.deepEqual(await eventsOf(control, 'call.quality'), [{ quality: shown }])
  const { body } = await control.call('GET', `/v1/calls/${callId}`)
  assert.deepEqual([body['state'], body['quality']], ['ended', shown])

  const { text } = await control.call('GET', '/metrics', { key: '' })
  for (const line of [
    'tonewall_call_loss_ratio_bucket{le="0.02",leg="caller",direction="received"} 0',
    'tonewall_call_loss_ratio_bucket{le="0.03",leg="caller",direction="received"} 1',
    'tonewall_call_loss_ratio_bucket{le="0.02",leg="caller",direction="sent"} 1',
    'tonewall_call_loss_ratio_sum{leg="agent",direction="sent"} 1',
    'tonewall_call_jitter_seconds_sum{leg="caller",direction="received"} 0.00425',
    'tonewall_call_round_trip_seconds_count{leg="caller"} 1',
  ]) {
    assert.ok(text.includes(line), line)
  }
  // A leg that heard nothing has no loss and no jitter.
  assert.ok(!text.includes('leg="agent",direction="received"'))
})

test('silence of an armed caller is an event of its call, and so is its end', async () => {
  await using control = await Harness.start()
  const { callId } = await control.readyCapture()
  for (const state of ['silent', 'heard'] as const) control.cde.report({ type: 'caller-sound', callId, state })
  assert.deepEqual(await eventsOf(control, 'caller.silent'), [{}])
  assert.deepEqual(await eventsOf(control, 'caller.heard'), [{}])
})

test('figures of a call that nobody knows change nothing and are counted', async () => {
  await using control = await Harness.start()
  const callId = newId(control.random)
  control.cde.report({ type: 'call-quality', callId, isFinal: true, quality })
  control.cde.report({ type: 'caller-sound', callId, state: 'silent' })
  await control.control.settled()
  const { text } = await control.call('GET', '/metrics', { key: '' })
  assert.match(text, /tonewall_ignored_total\{what="call-quality",why="call-unknown"\} 1/)
  assert.match(text, /tonewall_ignored_total\{what="caller-sound",why="call-unknown"\} 1/)
})

test('the wall lets only whole, bounded figures through', () => {
  const callId = 'BCDFGHJKLMNPQRSTVW'
  const message = { type: 'call-quality', callId, isFinal: true, quality }
  assert.ok(report.safeParse(message).success)
  const { caller } = quality
  for (const wrong of [
    { ...caller, packets: -1 },
    { ...caller, packets: 4_111_111_111_111_111 },
    { ...caller, jitterMicroseconds: 1.5 },
    { ...caller, roundTripMicroseconds: 10_000_001 },
    { ...caller, text: 'a' },
  ]) {
    assert.ok(!report.safeParse({ ...message, quality: { ...quality, caller: wrong } }).success, JSON.stringify(wrong))
  }
})

function legOf(packets: number, sentPackets: number) {
  return { packets, lost: 0, lossRatio: 0, jitterMs: 0, jitterMaxMs: 0, sentPackets }
}
