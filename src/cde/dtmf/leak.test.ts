/** No residue (DESIGN invariant 1): nothing on the masked leg gives a key away, whatever the tone and the network do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { armedCall, formats, type Heard, impair, packetize, soundingSamples } from '../../../test/support/dtmf-call.ts'
import { mostLikelyKey } from '../../sim/known-plaintext.ts'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import { synthesizeKeys, type Tones, type ToneSettings } from '../../sim/tones.ts'

const SEED = 20_261
const deaf = { judge: () => ({ reachSamples: 0, afterSamples: 0, isLikely: false }) }

interface Verdict {
  keys: number
  readByJudge: number
  residualSamples: number
}

function randomKeys(random: ReturnType<typeof seededRandom>, count = 16): number[] {
  return Array.from({ length: count }, () => Math.floor(randomUnit(random) * 16))
}

function judge(heard: Heard, tones: Tones, keys: readonly number[], frequencyError: number, verdict: Verdict): void {
  for (const [index, { from, to }] of tones.spans.entries()) {
    const span = heard.samples.subarray(heard.offset + from, heard.offset + to)
    verdict.keys++
    verdict.residualSamples += soundingSamples(span)
    if (mostLikelyKey(span, frequencyError) === keys[index]) verdict.readByJudge++
  }
}

/** Every sequence once with each law, starting at every offset within a packet. */
function masked(
  settings: ToneSettings,
  sequences: number,
  random = seededRandom(SEED),
  newMasker?: () => typeof deaf,
): Verdict {
  const verdict = { keys: 0, readByJudge: 0, residualSamples: 0 }
  for (let sequence = 0; sequence < sequences; sequence++) {
    const keys = randomKeys(random)
    const leadSamples = 800 + Math.floor(randomUnit(random) * 160)
    const tones = synthesizeKeys(keys, { ...settings, leadSamples }, random)
    const codec = sequence % 2 === 0 ? 'PCMA' : 'PCMU'
    const call = { caller: formats(codec), agent: formats(codec), ...(newMasker === undefined ? {} : { newMasker }) }
    judge(armedCall(packetize(tones.samples, { codec }), call), tones, keys, settings.frequencyError ?? 0, verdict)
  }
  return verdict
}

/** Chance is 1 in 16; four standard deviations above it the judge knows something. */
function assertChance(verdict: Verdict, what: string): void {
  const expected = verdict.keys / 16
  const limit = expected + 4 * Math.sqrt(expected * (15 / 16))
  assert.ok(verdict.readByJudge <= limit, `${what}: ${verdict.readByJudge} of ${verdict.keys} read, seed ${SEED}`)
}

test('control: without a masker the judge reads every key, so it would notice a leak', () => {
  for (const settings of [
    { toneMs: 15, gapMs: 30 },
    { toneMs: 40, gapMs: 40, levelDbm0: -45 },
    { toneMs: 50, gapMs: 40, snrDb: 10 },
  ]) {
    const verdict = masked(settings, 4, seededRandom(SEED), () => deaf)
    assert.ok(verdict.readByJudge >= verdict.keys * 0.98, `${verdict.readByJudge} of ${verdict.keys}, seed ${SEED}`)
    assert.ok(verdict.residualSamples > verdict.keys * settings.toneMs * 6)
  }
})

const conditions: readonly (readonly [string, readonly ToneSettings[]])[] = [
  ['tones of 15 to 200 ms', [15, 20, 23, 30, 40, 50, 80, 200].map((toneMs) => ({ toneMs, gapMs: 40 }))],
  ['pauses of 30 to 80 ms', [30, 40, 60, 80].flatMap((gapMs) => [15, 50].map((toneMs) => ({ toneMs, gapMs })))],
  [
    'levels of 0 to -45 dBm0',
    [0, -3, -20, -35, -45].flatMap((levelDbm0) => [15, 40].map((toneMs) => ({ toneMs, gapMs: 40, levelDbm0 }))),
  ],
  [
    'twist of 8, -8 and -12 dB',
    [8, -8, -12].flatMap((twistDb) => [15, 40].map((toneMs) => ({ toneMs, gapMs: 40, twistDb }))),
  ],
  [
    'frequencies off by up to 2.5 %',
    [0.025, -0.025, 0.0125, -0.0125].flatMap((frequencyError) =>
      [15, 40].map((toneMs) => ({ toneMs, gapMs: 40, frequencyError })),
    ),
  ],
  [
    'frequencies off by 3.5 %',
    [0.035, -0.035].flatMap((frequencyError) =>
      [15, 40].map((toneMs) => ({ toneMs, gapMs: 40, frequencyError, snrDb: 20 })),
    ),
  ],
  [
    'noise 10 and 6 dB below the tones',
    [15, 20, 40, 80].flatMap((toneMs) => [10, 6].map((snrDb) => ({ toneMs, gapMs: 40, snrDb }))),
  ],
  [
    'noise, weak tones and wrong frequencies together',
    [30, 40, 80].flatMap((toneMs) =>
      [-8, 8].map((twistDb) => ({ toneMs, gapMs: 40, snrDb: 10, twistDb, levelDbm0: -30, frequencyError: 0.018 })),
    ),
  ],
]

for (const [name, list] of conditions) {
  test(`no sample of a tone is left: ${name}`, () => {
    const total = { keys: 0, readByJudge: 0, residualSamples: 0 }
    for (const settings of list) {
      const verdict = masked(settings, 4)
      assert.equal(verdict.residualSamples, 0, `${JSON.stringify(settings)}, seed ${SEED}`)
      total.keys += verdict.keys
      total.readByJudge += verdict.readByJudge
    }
    assertChance(total, name)
  })
}

test('no sample of a tone is left: a tone that is interrupted for 5 or 10 ms soon after it began, or before it ends', () => {
  const random = seededRandom(SEED)
  for (const pieceMs of [1, 3, 6, 10]) {
    for (const interruptionMs of [5, 10]) {
      const tones = synthesizeKeys(randomKeys(random), { toneMs: 60, gapMs: 90, leadSamples: 900 + pieceMs }, random)
      for (const { from, to } of tones.spans) {
        tones.samples.fill(0, from + pieceMs * 8, from + (pieceMs + interruptionMs) * 8)
        tones.samples.fill(0, to - (pieceMs + interruptionMs) * 8, to - pieceMs * 8)
      }
      const heard = armedCall(packetize(tones.samples))
      assert.equal(soundingSamples(heard.samples), 0, `${pieceMs} and ${interruptionMs} ms, seed ${SEED}`)
    }
  }
})

test('the judge learns nothing from the flat replacement either', () => {
  const random = seededRandom(SEED)
  const verdict = { keys: 0, readByJudge: 0, residualSamples: 0 }
  for (let sequence = 0; sequence < 20; sequence++) {
    const keys = randomKeys(random)
    const tones = synthesizeKeys(keys, { toneMs: 60, gapMs: 90 }, random)
    judge(armedCall(packetize(tones.samples), { replacement: 'flat' }), tones, keys, 0, verdict)
  }
  assertChance(verdict, 'flat')
})

const networks = [
  ['1 % loss', { lossShare: 0.01 }],
  ['5 % loss', { lossShare: 0.05 }],
  ['10 % loss', { lossShare: 0.1 }],
  ['bursts of 3', { lossShare: 0.05, burst: 3 }],
  ['duplicates', { duplicateShare: 0.3 }],
  ['reordering', { swapShare: 0.2 }],
  ['20 ms of jitter', { jitterMs: 20 }],
  ['80 ms of jitter, more than the buffer', { jitterMs: 80 }],
  ['everything at once', { lossShare: 0.05, burst: 2, duplicateShare: 0.1, swapShare: 0.1, jitterMs: 30 }],
] as const

for (const [name, by] of networks) {
  test(`no sample of a tone is left: ${name}, packets of 10 to 60 ms`, () => {
    const random = seededRandom(SEED)
    for (const packetMs of [10, 20, 30, 40, 60]) {
      for (const toneMs of [15, 23, 40, 50, 100]) {
        const tones = synthesizeKeys(randomKeys(random), { toneMs, gapMs: 50, leadSamples: 2_000 + toneMs }, random)
        const heard = armedCall(impair(packetize(tones.samples, { packetMs }), by, random), { packetMs })
        // There is nothing but tones: whatever sounds is a leak, wherever it lies.
        assert.equal(soundingSamples(heard.samples), 0, `${packetMs} ms packets, ${toneMs} ms tones, seed ${SEED}`)
      }
    }
  })
}
