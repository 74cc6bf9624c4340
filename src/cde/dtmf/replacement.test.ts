import assert from 'node:assert/strict'
import { test } from 'node:test'
import { armedCall, EVENT_TYPE, packetize, soundingSamples } from '../../../test/support/dtmf-call.ts'
import { seededRandom } from '../../lib/random.ts'
import { decodeG711, encodeG711 } from '../media/g711.ts'
import { eventPackets, synthesizeKeys } from '../../sim/tones.ts'
import { PIP } from './replacement.ts'

const SEED = 31

/** What is audible, from its first to its last sample. */
function sound(samples: Int16Array): Int16Array {
  const from = samples.findIndex((sample) => Math.abs(sample) > 8)
  const to = samples.findLastIndex((sample) => Math.abs(sample) > 8)
  return from === -1 ? new Int16Array(0) : samples.slice(from, to + 1)
}

const pip = sound(decodeG711('PCMA', encodeG711('PCMA', Int16Array.from(PIP))))

test('every key, held for 40 ms to 3 s, soft or loud, sounds the same to the bit', () => {
  const random = seededRandom(SEED)
  assert.ok(pip.length > 900)
  for (let key = 0; key < 16; key++) {
    const toneMs = [40, 80, 333, 3_000][key % 4] ?? 40
    const settings = { toneMs, gapMs: 100, levelDbm0: -3 - key, leadSamples: 1_000 + key * 37 }
    const heard = armedCall(packetize(synthesizeKeys([key], settings, random).samples), { replacement: 'flat' })
    assert.deepEqual(sound(heard.samples), pip, `key ${key}, seed ${SEED}`)
  }
})

test('a press in two carriages gives one pip, and so does one in events alone', () => {
  const random = seededRandom(SEED)
  for (const withTone of [true, false]) {
    const tones = synthesizeKeys([7], { toneMs: 120, gapMs: 100, leadSamples: 1_600 }, random)
    const audio = packetize(withTone ? tones.samples : new Int16Array(tones.samples.length), {
      timestamp: 0,
      sequence: 0,
    })
    const settings = { payloadType: EVENT_TYPE, ssrc: 1, sequence: 5_000, timestamp: 1_600, durationUnits: 960 }
    const events = eventPackets(7, settings).map(({ atUnits, packet }) => ({ atMs: 230 + atUnits / 8, packet }))
    const heard = armedCall([...audio, ...events], { replacement: 'flat' })
    assert.deepEqual(sound(heard.samples), pip)
  }
})

test('keys at human pace give one pip each', () => {
  const tones = synthesizeKeys([1, 2, 2, 3], { toneMs: 100, gapMs: 150 }, seededRandom(SEED))
  const heard = armedCall(packetize(tones.samples), { replacement: 'flat' })
  assert.equal(soundingSamples(heard.samples), 4 * soundingSamples(pip))
})

test('silence is silence', () => {
  const tones = synthesizeKeys([1, 2], { toneMs: 100, gapMs: 150 }, seededRandom(SEED))
  assert.equal(soundingSamples(armedCall(packetize(tones.samples)).samples), 0)
})
