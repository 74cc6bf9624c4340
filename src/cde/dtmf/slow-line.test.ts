/** Slow mode on the line itself: RTP with audio and events in, keys out; through arming, and from one call to the next. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EVENT_TYPE, formats, packetize, type TimedPacket } from '../../../test/support/dtmf-call.ts'
import { seededRandom } from '../../lib/random.ts'
import { eventPackets, synthesizeKeys } from '../../sim/tones.ts'
import { CallerDirection } from './caller-direction.ts'
import type { SlowNews, SlowPattern } from './slow-mode.ts'

const SEED = 2_310
const CARD = [4, 0, 1, 2, 8, 8, 8, 8, 8, 8, 8, 8, 1, 8, 8, 1]
const TONE_MS = 70
const GAP_MS = 230

/** One key after another as events, and each once more: as a tone so much later, or as an event with a new timestamp. */
function doubled(keys: readonly number[], lagMs: number, by: 'tone' | 'event', gapMs = GAP_MS): TimedPacket[] {
  const tones = synthesizeKeys(keys, { toneMs: TONE_MS, gapMs, leadSamples: 1_600 }, seededRandom(SEED))
  const late = new Int16Array(tones.samples.length + lagMs * 8)
  if (by === 'tone') late.set(tones.samples, lagMs * 8)
  const events = (shiftMs: number, sequence: number): TimedPacket[] =>
    tones.spans.flatMap(({ from, to }, index) => {
      const timestamp = from + shiftMs * 8
      const durationUnits = to - from
      const settings = { payloadType: EVENT_TYPE, ssrc: 1, sequence: sequence + index * 100, timestamp, durationUnits }
      return eventPackets(keys[index] ?? 0, settings).map(({ atUnits, packet }) => ({
        atMs: (timestamp + atUnits) / 8,
        packet,
      }))
    })
  const again = by === 'event' ? events(lagMs, 40_000) : []
  return [...packetize(late, { timestamp: 0, sequence: 0 }), ...events(0, 20_000), ...again]
}

/** @returns what a field would hold, and what was said of the line */
function call(
  packets: readonly TimedPacket[],
  expected?: SlowPattern,
): { keys: number[]; news: SlowNews[]; doubts: string[] } {
  const keys: number[] = []
  const doubts: string[] = []
  const news: SlowNews[] = []
  const direction = new CallerDirection({
    replacement: 'silence',
    random: seededRandom(1),
    jitterMs: 40,
    onKey: (key) => keys.push(key),
    onUncertain: ({ why }) => doubts.push(why),
    onMaskFailed: () => {},
    onSlow: (said) => {
      news.push(said)
      if (said.type !== 'doubled') return
      const told = keys.length
      for (const place of said.places.toSorted((a, b) => a - b)) keys.splice(told - 1 - place, 1)
    },
  })
  direction.setFormats(formats(), formats(), 0)
  if (expected !== undefined) direction.expectSlow(expected)
  direction.arm(0)
  const sorted = packets.toSorted((a, b) => a.atMs - b.atMs)
  const endMs = (sorted.at(-1)?.atMs ?? 0) + 1_000
  for (let atMs = 0, next = 0; atMs < endMs; atMs += 5) {
    for (; (sorted[next]?.atMs ?? endMs) <= atMs; next++) direction.receive(sorted[next]?.packet as Uint8Array, atMs)
    direction.tick(atMs)
  }
  return { keys, news, doubts }
}

test('a gateway that sends the tone 300 ms after its event: each key once', () => {
  for (const lagMs of [300, 450]) {
    const { keys, news } = call(doubled(CARD, lagMs, 'tone'))
    assert.deepEqual(keys, CARD, `after ${lagMs} ms, seed ${SEED}`)
    const patterns = news.flatMap((said) => (said.type === 'slow' ? [said.pattern] : []))
    assert.equal(patterns.length, 1)
    assert.ok(Math.abs((patterns[0]?.lagMs ?? 0) - lagMs) <= 10, `${patterns[0]?.lagMs}`)
    assert.equal(news.filter(({ type }) => type === 'normal').length, 0)
  }
})

test('a gateway that sends the event twice: no key is taken back, and it is said that none is certain', () => {
  const { keys, news, doubts } = call(doubled([4, 0, 1, 2, 8, 3, 9, 5], 60, 'event'))
  assert.deepEqual(
    keys,
    [4, 0, 1, 2, 8, 3, 9, 5].flatMap((key) => [key, key]),
  )
  assert.deepEqual(doubts, ['doubled', 'doubled'])
  assert.deepEqual(
    news,
    keys.slice(8).map(() => ({ type: 'doubled', places: [] })),
  )
})

test('on a trunk that is known to double, keys are swallowed once the call has shown it itself, also those of one key', () => {
  const expected = { first: 'event', second: 'in-band', lagMs: 310 } as const
  const { keys, news } = call(doubled([5, 5, 5, 5, 5], 300, 'tone', 530), expected)
  assert.deepEqual(keys, [5, 5, 5, 5, 5])
  assert.equal(news.filter(({ type }) => type === 'slow').length, 1)
  // Put right since: nothing is swallowed, and it is not expected any more.
  const repaired = call(doubled([5, 5, 5, 5, 5], 20, 'tone', 530), expected)
  assert.deepEqual([repaired.keys, repaired.news], [[5, 5, 5, 5, 5], [{ type: 'normal' }]])
})
