import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mostLikelyKey } from './known-plaintext.ts'
import { parseEvents } from '../cde/dtmf/events.ts'
import { parseRtp } from '../cde/media/rtp.ts'
import { seededRandom } from '../lib/random.ts'
import { eventPackets, synthesizeKeys } from './tones.ts'

const ALL = Array.from({ length: 16 }, (_, key) => key)

test('the same seed gives the same samples, and each span holds its key', () => {
  const settings = { toneMs: 40, gapMs: 30, twistDb: -8, frequencyError: 0.015, snrDb: 20 }
  const tones = synthesizeKeys(ALL, settings, seededRandom(5))
  assert.deepEqual(tones, synthesizeKeys(ALL, settings, seededRandom(5)))
  for (const [key, { from, to }] of tones.spans.entries()) {
    assert.equal(to - from, 320)
    assert.equal(mostLikelyKey(tones.samples.subarray(from, to), 0.015), key)
  }
})

test('a level of L dBm0 is L - 3.14 dB below full scale', () => {
  const { samples, spans } = synthesizeKeys([1], { toneMs: 1_000, gapMs: 0, levelDbm0: -10 }, seededRandom(1))
  const { from, to } = spans[0] ?? { from: 0, to: 0 }
  const power = samples.subarray(from, to).reduce((sum, sample) => sum + sample ** 2, 0) / (to - from)
  // Two tones of the same level are 3 dB more than one, a sine 3 dB less than its peak.
  assert.ok(Math.abs(20 * Math.log10(Math.sqrt(power) / 32_768) - -13.14) < 0.1)
})

test('a press is its updates and three end packets; a long one is split at 0xFFFF', () => {
  const settings = { payloadType: 101, ssrc: 9, sequence: 65_535, timestamp: 0xffff_ffff, durationUnits: 480 }
  const seen = (durationUnits: number) =>
    eventPackets(11, { ...settings, durationUnits }).map(({ packet }) => {
      const rtp = parseRtp(packet)
      assert.ok(typeof rtp !== 'string')
      const blocks = parseEvents(rtp.payload)
      assert.ok(typeof blocks !== 'string')
      return { ...rtp, ...blocks[0] }
    })
  const short = seen(480)
  assert.deepEqual(
    short.map(({ end }) => end),
    [false, false, true, true, true],
  )
  assert.deepEqual(
    short.map(({ durationUnits }) => durationUnits),
    [160, 320, 480, 480, 480],
  )
  assert.deepEqual(
    short.map(({ marker }) => marker),
    [true, false, false, false, false],
  )
  assert.deepEqual(new Set(seen(100_000).map(({ timestamp }) => timestamp)), new Set([0xffff_ffff, 0xfffe]))
})
