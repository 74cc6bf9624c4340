/** Every press is told once, with the right key, whatever carries it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { armedCall, EVENT_TYPE, formats, packetize, type TimedPacket } from '../../../test/support/dtmf-call.ts'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import { eventPackets, synthesizeKeys, type Tones } from '../../sim/tones.ts'

const SEED = 4_711
const ALL = Array.from({ length: 16 }, (_, key) => key)

function eventsFor(tones: Tones, keys: readonly number[], lagMs: number, payloadType = EVENT_TYPE): TimedPacket[] {
  return tones.spans.flatMap(({ from, to }, index) =>
    eventPackets(keys[index] ?? 0, {
      payloadType,
      ssrc: 1,
      sequence: 20_000 + index * 100,
      timestamp: from,
      durationUnits: to - from,
    }).map(({ atUnits, packet }) => ({ atMs: from / 8 + lagMs + atUnits / 8, packet })),
  )
}

const audio = (tones: Tones): TimedPacket[] => packetize(tones.samples, { timestamp: 0, sequence: 0 })
const quiet = (tones: Tones): TimedPacket[] =>
  packetize(new Int16Array(tones.samples.length), { timestamp: 0, sequence: 0 })

test('in-band: every key of 40 ms and more, standard tones, in both laws, certain within 60 ms and a packet', () => {
  const random = seededRandom(SEED)
  for (const toneMs of [40, 41, 50, 80, 200]) {
    for (const [index, levelDbm0] of [-3, -10, -24].entries()) {
      const settings = {
        toneMs,
        gapMs: 40,
        levelDbm0,
        twistDb: [4, 0, -8][index] ?? 0,
        frequencyError: [0.015, 0, -0.015][index] ?? 0,
      }
      const tones = synthesizeKeys(
        ALL,
        { ...settings, leadSamples: 800 + Math.floor(randomUnit(random) * 160) },
        random,
      )
      const codec = index % 2 === 0 ? 'PCMA' : 'PCMU'
      const heard = armedCall(packetize(tones.samples, { codec }), { caller: formats(codec), agent: formats(codec) })
      assert.deepEqual(heard.keys, ALL, `${JSON.stringify(settings)}, seed ${SEED}`)
      for (const [key, atMs] of heard.keyAtMs.entries()) assert.ok(atMs - (tones.spans[key]?.from ?? 0) / 8 <= 80)
    }
  }
})

test('in-band: equal keys with pauses of 30 ms are as many presses', () => {
  const random = seededRandom(SEED)
  for (let lead = 800; lead < 960; lead += 7) {
    const keys = [5, 5, 5, 5, 0, 0, 11, 11]
    const tones = synthesizeKeys(keys, { toneMs: 45, gapMs: 30, leadSamples: lead }, random)
    assert.deepEqual(armedCall(audio(tones)).keys, keys, `lead ${lead}, seed ${SEED}`)
  }
})

test('in-band: an interruption of 10 ms does not double a key, and 24 ms are no key', () => {
  const tones = synthesizeKeys([8], { toneMs: 120, gapMs: 100 }, seededRandom(SEED))
  const middle = (tones.spans[0]?.from ?? 0) + 480
  tones.samples.fill(0, middle, middle + 80)
  assert.deepEqual(armedCall(audio(tones)).keys, [8])
  assert.deepEqual(armedCall(audio(synthesizeKeys(ALL, { toneMs: 23, gapMs: 60 }, seededRandom(SEED)))).keys, [])
})

test('in-band: frequencies 3.5 % off and tones at -55 dBm0 are no keys', () => {
  for (const settings of [{ frequencyError: 0.035 }, { frequencyError: -0.035 }, { levelDbm0: -55 }]) {
    const tones = synthesizeKeys(ALL, { toneMs: 100, gapMs: 60, ...settings }, seededRandom(SEED))
    assert.deepEqual(armedCall(audio(tones)).keys, [], JSON.stringify(settings))
  }
})

test('events: every key once, without any audio, at the first packet', () => {
  const tones = synthesizeKeys(ALL, { toneMs: 80, gapMs: 80 }, seededRandom(SEED))
  for (const beside of [[], quiet(tones)]) {
    const heard = armedCall([...beside, ...eventsFor(tones, ALL, 0)].sort((a, b) => a.atMs - b.atMs))
    assert.deepEqual(heard.keys, ALL)
    for (const [key, atMs] of heard.keyAtMs.entries()) assert.ok(atMs - (tones.spans[key]?.from ?? 0) / 8 <= 21)
  }
})

test('both: the same press as tone and as event is told once, whichever comes first', () => {
  const random = seededRandom(SEED)
  for (const lagMs of [-20, 0, 20, 50, 90]) {
    for (const [toneMs, gapMs] of [
      [45, 30],
      [80, 80],
      [200, 100],
    ] as const) {
      const keys = Array.from({ length: 12 }, () => Math.floor(randomUnit(random) * 16))
      const tones = synthesizeKeys([...keys, 5, 5, 5], { toneMs, gapMs }, random)
      const heard = armedCall(
        [...audio(tones), ...eventsFor(tones, [...keys, 5, 5, 5], lagMs)].sort((a, b) => a.atMs - b.atMs),
      )
      assert.deepEqual(heard.keys, [...keys, 5, 5, 5], `lag ${lagMs}, ${toneMs}/${gapMs} ms, seed ${SEED}`)
      assert.deepEqual(heard.doubts, [])
    }
  }
})

test('a caller who changes from events to tones in mid call loses no key', () => {
  const tones = synthesizeKeys([1, 2, 3, 4, 5, 6, 7, 8], { toneMs: 80, gapMs: 80 }, seededRandom(SEED))
  const half = tones.spans[4]?.from ?? 0
  const sound = tones.samples.slice()
  sound.fill(0, 0, half - 100)
  const events = eventsFor({ ...tones, spans: tones.spans.slice(0, 4) }, [1, 2, 3, 4], 0)
  const heard = armedCall(
    [...packetize(sound, { timestamp: 0, sequence: 0 }), ...events].sort((a, b) => a.atMs - b.atMs),
  )
  assert.deepEqual(heard.keys, [1, 2, 3, 4, 5, 6, 7, 8])
  for (const [key, atMs] of heard.keyAtMs.entries()) assert.ok(atMs - (tones.spans[key]?.from ?? 0) / 8 <= 130)
})

test('two carriages that name different keys for one press: the key is uncertain', () => {
  const tones = synthesizeKeys([1], { toneMs: 150, gapMs: 100 }, seededRandom(SEED))
  const heard = armedCall([...audio(tones), ...eventsFor(tones, [2], 20)].sort((a, b) => a.atMs - b.atMs))
  assert.deepEqual(heard.doubts, [{ why: 'carriages-differ', wasTold: true, isLatest: false }])
})

test('INFO: each body is a key, and INFO beside tones or events counts once', () => {
  const tones = synthesizeKeys([4, 2, 2], { toneMs: 100, gapMs: 150 }, seededRandom(SEED))
  const infos = tones.spans.map(({ from }, index) => ({
    atMs: from / 8 + 130,
    contentType: 'application/dtmf-relay',
    body: new TextEncoder().encode(`Signal=${index === 0 ? 4 : 2}\r\nDuration=100\r\n`),
  }))
  assert.deepEqual(armedCall(quiet(tones), { infos }).keys, [4, 2, 2])
  assert.deepEqual(armedCall(audio(tones), { infos }).keys, [4, 2, 2])
  assert.deepEqual(armedCall([...quiet(tones), ...eventsFor(tones, [4, 2, 2], 0)], { infos }).keys, [4, 2, 2])
})

test('events on a payload type that was not negotiated are no keys', () => {
  const tones = synthesizeKeys([4, 2], { toneMs: 100, gapMs: 150 }, seededRandom(SEED))
  const heard = armedCall([...quiet(tones), ...eventsFor(tones, [4, 2], 0, 97)])
  assert.deepEqual(heard.keys, [])
  assert.ok((heard.counters['dtmf_event_suspected'] ?? 0) > 0)
})
