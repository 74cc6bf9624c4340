/** What was surely a press and no certain key is told as uncertain, once, and never guessed. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { armedCall, EVENT_TYPE, packetize, type TimedPacket } from '../../../test/support/dtmf-call.ts'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import { parseWav } from '../../lib/wav.ts'
import { eventPackets, synthesizeKeys, type Tones, type ToneSettings } from '../../sim/tones.ts'
import { writeRtp } from '../media/rtp.ts'
import { findKeys } from './recording.ts'

const SEED = 1_104
const ALL = Array.from({ length: 16 }, (_, key) => key)
const audio = (samples: Int16Array): TimedPacket[] => packetize(samples, { timestamp: 0, sequence: 0 })
const quiet = (tones: Tones): TimedPacket[] => audio(new Int16Array(tones.samples.length))
const byTime = (...packets: readonly (readonly TimedPacket[])[]): TimedPacket[] =>
  packets.flat().sort((a, b) => a.atMs - b.atMs)

function events(tones: Tones, keys: readonly number[], payloadType = EVENT_TYPE): TimedPacket[] {
  return tones.spans.flatMap(({ from, to }, index) =>
    eventPackets(keys[index] ?? 0, {
      payloadType,
      ssrc: 1,
      sequence: 20_000 + index * 100,
      timestamp: from,
      durationUnits: to - from,
    }).map(({ atUnits, packet }) => ({ atMs: (from + atUnits) / 8, packet })),
  )
}

/** All keys, each with the same fault. @returns how many were told, and why the others were not */
function heard(settings: Partial<ToneSettings>): { keys: number; wrong: number; whys: string[] } {
  const random = seededRandom(SEED)
  const leadSamples = 800 + Math.floor(randomUnit(random) * 160)
  const tones = synthesizeKeys(ALL, { toneMs: 80, gapMs: 150, leadSamples, ...settings }, random)
  const { keys, doubts } = armedCall(audio(tones.samples))
  for (const doubt of doubts) assert.deepEqual({ ...doubt, why: '' }, { why: '', wasTold: false, isLatest: true })
  return {
    keys: keys.length,
    wrong: keys.filter((key) => !ALL.includes(key)).length,
    whys: doubts.map(({ why }) => why),
  }
}

test('between what must be taken and what must be refused no key is guessed: each press is told as uncertain', () => {
  const faults: readonly [Partial<ToneSettings>, string][] = [
    [{ toneMs: 27 }, 'too-short'],
    [{ twistDb: 10 }, 'at-the-edge'],
    [{ twistDb: -14 }, 'at-the-edge'],
    [{ frequencyError: 0.026 }, 'at-the-edge'],
    [{ frequencyError: -0.026 }, 'at-the-edge'],
    [{ levelDbm0: -44 }, 'at-the-edge'],
    [{ snrDb: 5 }, 'at-the-edge'],
  ]
  for (const [fault, why] of faults) {
    const { keys, wrong, whys } = heard(fault)
    assert.equal(wrong, 0)
    assert.ok(keys + whys.length >= 15 && keys + whys.length <= 16, `${JSON.stringify(fault)}: ${keys}, ${whys.length}`)
    assert.ok(whys.length >= 12, `${JSON.stringify(fault)}: only ${whys.length} of ${16 - keys}, seed ${SEED}`)
    assert.ok(whys.filter((word) => word === why).length >= whys.length - 2, `${JSON.stringify(fault)}: ${whys.join()}`)
  }
})

test('what must be refused is neither a key nor uncertain: 20 ms, -55 dBm0, 4 % off', () => {
  for (const fault of [{ toneMs: 20 }, { toneMs: 15 }, { levelDbm0: -55 }, { frequencyError: 0.04 }]) {
    assert.deepEqual(heard(fault), { keys: 0, wrong: 0, whys: [] }, JSON.stringify(fault))
  }
})

test('two keys at once, with one tone in common, are one uncertain press', () => {
  for (const [first, second, shareDb] of [
    [1, 2, 0],
    [1, 4, 2],
    [5, 8, -2],
    [7, 9, 0],
  ] as const) {
    const [one, other] = [first, second].map(
      (key) => synthesizeKeys([key], { toneMs: 100, gapMs: 200 }, seededRandom(SEED + key)).samples,
    )
    const both = (one as Int16Array).map((sample, i) => sample + ((other as Int16Array)[i] ?? 0) * 10 ** (shareDb / 20))
    const { keys, doubts } = armedCall(audio(both))
    assert.deepEqual(keys, [], `${first} and ${second}`)
    assert.deepEqual(
      doubts.map(({ why }) => why),
      ['too-near'],
      `${first} and ${second}`,
    )
  }
})

test('an unclear tone beside a clear event is that event’s press', () => {
  const keys = [4, 2, 2, 9, 0, 5]
  for (const fault of [{ toneMs: 27 }, { toneMs: 80, twistDb: 10 }, { toneMs: 80, snrDb: 5 }]) {
    const tones = synthesizeKeys(keys, { gapMs: 120, ...fault }, seededRandom(SEED))
    const got = armedCall(byTime(audio(tones.samples), events(tones, keys)))
    assert.deepEqual([got.keys, got.doubts], [keys, []], JSON.stringify(fault))
  }
})

test('events of a type that nobody agreed on: uncertain once each, unless the tone beside them is clear', () => {
  const tones = synthesizeKeys([4, 2, 2], { toneMs: 100, gapMs: 150 }, seededRandom(SEED))
  const alone = armedCall(byTime(quiet(tones), events(tones, [4, 2, 2], 97)))
  assert.deepEqual(alone.keys, [])
  assert.deepEqual(
    alone.doubts.map(({ why }) => why),
    ['not-negotiated', 'not-negotiated', 'not-negotiated'],
  )
  const beside = armedCall(byTime(audio(tones.samples), events(tones, [4, 2, 2], 97)))
  assert.deepEqual([beside.keys, beside.doubts], [[4, 2, 2], []])
})

test('four octets of nothing, sent to keep a way open, are no press', () => {
  const packets = Array.from({ length: 20 }, (_, i) => ({
    atMs: 500 * i,
    packet: writeRtp(
      { payloadType: 97, marker: false, sequence: 100 + i, timestamp: 4_000 * i, ssrc: 1 },
      new Uint8Array(4),
    ),
  }))
  const { keys, doubts } = armedCall(packets)
  assert.deepEqual([keys, doubts], [[], []])
})

test('a key that bounces before it is down is one press', () => {
  const random = seededRandom(SEED)
  const bounced = synthesizeKeys([7], { toneMs: 27, gapMs: 25, tailSamples: 0 }, random).samples
  const down = synthesizeKeys([7], { toneMs: 80, gapMs: 200, leadSamples: 0 }, random).samples
  const { keys, doubts } = armedCall(audio(Int16Array.from([...bounced, ...down])))
  assert.deepEqual([keys, doubts], [[7], []])
})

const FOLDER = '/usr/share/asterisk/sounds'
const skip = !existsSync(FOLDER) && 'not installed here: Debian package asterisk-core-sounds-en-wav'

test('a voice is hardly ever taken for an uncertain key: less than 3 times in an hour of speech', { skip }, (t) => {
  let doubts = 0
  let totalMs = 0
  // The language folders are links to one another: real files only.
  for (const file of globSync(`${FOLDER}/*_*_*_*/**/*.wav`)) {
    const wav = parseWav(readFileSync(file))
    if (typeof wav === 'string' || wav.rateHz !== 8_000) continue
    const samples = wav.samples[0] ?? new Int16Array(0)
    findKeys(samples, 8_000, () => doubts++)
    totalMs += samples.length / 8
  }
  const perHour = (doubts * 3_600_000) / totalMs
  t.diagnostic(`${(totalMs / 60_000).toFixed(1)} min: ${doubts} times, ${perHour.toFixed(1)} an hour`)
  assert.ok(totalMs > 60_000, 'too little speech was found to judge by')
  assert.ok(perHour < 3, `${perHour}`)
})
