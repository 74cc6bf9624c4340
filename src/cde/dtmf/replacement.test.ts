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
  assert.ok(pip.length > 450)
  for (let key = 0; key < 16; key++) {
    const toneMs = [40, 80, 333, 3_000][key % 4] ?? 40
    const settings = { toneMs, gapMs: 100, levelDbm0: -3 - key, leadSamples: 1_000 + key * 37 }
    const heard = armedCall(packetize(synthesizeKeys([key], settings, random).samples), { replacement: 'flat' })
    assert.deepEqual(sound(heard.samples), pip, `key ${key}, seed ${SEED}`)
  }
})

test('a press in two carriages gives one pip, and so does one in events alone', () => {
  const random = seededRandom(SEED)
  for (const [withTone, lagMs] of [
    [true, 0],
    [true, 30],
    [true, 230],
    [false, 0],
  ] as const) {
    const tones = synthesizeKeys([7], { toneMs: 400, gapMs: 100, leadSamples: 1_600 }, random)
    const sent = withTone ? tones.samples : new Int16Array(tones.samples.length)
    const settings = { payloadType: EVENT_TYPE, ssrc: 1, sequence: 5_000, timestamp: 1_600, durationUnits: 3_200 }
    const events = eventPackets(7, settings).map(({ atUnits, packet }) => ({ atMs: 200 + lagMs + atUnits / 8, packet }))
    const packets = [...packetize(sent, { timestamp: 0, sequence: 0 }), ...events].sort((a, b) => a.atMs - b.atMs)
    assert.deepEqual(sound(armedCall(packets, { replacement: 'flat' }).samples), pip, `event ${lagMs} ms late`)
  }
})

test('keys at human pace give one pip each', () => {
  const tones = synthesizeKeys([1, 2, 2, 3], { toneMs: 100, gapMs: 150 }, seededRandom(SEED))
  const heard = armedCall(packetize(tones.samples), { replacement: 'flat' })
  assert.equal(soundingSamples(heard.samples), 4 * soundingSamples(pip))
})

test('keys faster than pips give fewer pips, never other ones', () => {
  const tones = synthesizeKeys([1, 2, 3, 4, 5, 6, 7, 8], { toneMs: 45, gapMs: 45 }, seededRandom(SEED))
  const { samples } = armedCall(packetize(tones.samples), { replacement: 'flat' })
  let pips = 0
  for (let rest = sound(samples); rest.length > 0; rest = sound(rest.subarray(pip.length))) {
    assert.deepEqual(rest.slice(0, pip.length), pip)
    pips++
  }
  assert.ok(pips >= 4 && pips <= 8, `${pips} pips`)
})

test('where a pip begins is chance: four cells of the grid, whatever the key', () => {
  const starts = new Map<number, number>()
  for (let call = 0; call < 64; call++) {
    const settings = { toneMs: 60, gapMs: 200, leadSamples: 1_600 + 5 }
    const tones = synthesizeKeys([call % 16], settings, seededRandom(SEED))
    const heard = armedCall(packetize(tones.samples, { timestamp: 0, sequence: 0 }), {
      replacement: 'flat',
      random: seededRandom(call),
    })
    const start = heard.samples.findIndex((sample) => Math.abs(sample) > 8) - heard.offset
    starts.set(Math.floor(start / 80), (starts.get(Math.floor(start / 80)) ?? 0) + 1)
    assert.ok(start % 80 < 8, `${start} is not at a cell's beginning`)
  }
  assert.deepEqual(
    [...starts.keys()].toSorted((a, b) => a - b),
    [17, 18, 19, 20],
  )
  for (const count of starts.values()) assert.ok(count > 6, `${[...starts.values()].join()}, seeds 0 to 63`)
})

test('silence is silence', () => {
  const tones = synthesizeKeys([1, 2], { toneMs: 100, gapMs: 150 }, seededRandom(SEED))
  assert.equal(soundingSamples(armedCall(packetize(tones.samples)).samples), 0)
})
