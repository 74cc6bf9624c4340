/** Lines that send every key once: whoever keys whatever in whatever time, not one key is lost. Seeded models. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RandomBytes, randomUnit, seededRandom } from '../../lib/random.ts'
import type { SlowPattern } from './slow-mode.ts'
import {
  SEED,
  type Press,
  hands,
  dialler,
  normal,
  type Line,
  type Sent,
  over,
  Listening,
  randomCard,
  runs,
  good,
  doubling,
  exactShare,
  patternOf,
  at,
} from './slow-mode.test-kit.ts'

const PAIRED_RUNS = 40
const LOSSY_RUNS = 3_000

/** From key to key: of the same one, of another one, and after each four; and how unsteady the hand is. */
interface Tempo {
  readonly sameMs: number
  readonly otherMs: number
  /** 0: no groups. */
  readonly groupMs: number
  readonly sigmaMs: number
}

const tempos: readonly Tempo[] = [0, 2, 4, 8, 20].flatMap((sigmaMs) => [
  { sameMs: 120, otherMs: 120, groupMs: 600, sigmaMs: Math.min(sigmaMs, 8) },
  { sameMs: 180, otherMs: 180, groupMs: 700, sigmaMs: Math.min(sigmaMs, 8) },
  { sameMs: 180, otherMs: 180, groupMs: 0, sigmaMs: Math.min(sigmaMs, 8) },
  { sameMs: 150, otherMs: 250, groupMs: 0, sigmaMs },
  { sameMs: 150, otherMs: 250, groupMs: 700, sigmaMs },
])

function inTempo(keys: readonly number[], tempo: Tempo, random: RandomBytes): Press[] {
  let atMs = 500
  return keys.map((key, i) => {
    const isGroup = tempo.groupMs > 0 && i % 4 === 0
    const steadyMs = isGroup ? tempo.groupMs : key === keys[i - 1] ? tempo.sameMs : tempo.otherMs
    if (i > 0) atMs += Math.max(95, steadyMs + tempo.sigmaMs * normal(random))
    return { key, fromMs: atMs, toMs: atMs + 60 }
  })
}

const alternating = Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? 4 : 2))

/** Each of these keys so many times, the way some cards and accounts are. */
const each = (keys: readonly number[], times: number): number[] =>
  keys.flatMap((key) => Array(times).fill(key) as number[])
const paired = [
  each([4, 3, 2, 1], 4),
  each([5, 4, 3, 1], 4),
  each([4, 5, 6, 7, 8, 9, 0, 1], 2),
  runs,
  each([1, 2, 3, 4, 5], 2),
]

test('a line that sends each key once: whatever is keyed, by hand or by a dialler, is told as it is', () => {
  for (const line of good) {
    for (const hand of [...hands, dialler]) {
      for (const cards of [randomCard, () => alternating, () => runs, ...paired.map((keys) => () => keys)]) {
        assert.equal(exactShare(line, hand, cards), 1, `${line.name}, ${hand.name}, seed ${SEED}`)
      }
    }
  }
})

/** Keys in pairs, the hardest for a judge of pairs. @returns how many of `PAIRED_RUNS` numbers are told as keyed, and how many without a doubt */
function pairsOver(line: Line, tempo: Tempo, keys: readonly number[], expected?: SlowPattern): [number, number] {
  const random = seededRandom(SEED)
  let [exact, certain] = [0, 0]
  for (let run = 0; run < PAIRED_RUNS; run++) {
    const call = new Listening(expected)
    if (call.take(over(line, inTempo(keys, tempo, random), random)).join() === keys.join()) exact++
    if (call.uncertain === 0) certain++
  }
  return [exact, certain]
}

test('pairs, in groups with pauses or with pairs faster than the rest, by a machine or a hand: not one key is lost', (t) => {
  for (const tempo of tempos) {
    const name = JSON.stringify(tempo)
    let doubted = 0
    for (const line of good) {
      for (const keys of paired) {
        const [exact, certain] = pairsOver(line, tempo, keys)
        assert.equal(exact, PAIRED_RUNS, `${line.name}, ${name}, seed ${SEED}`)
        doubted += PAIRED_RUNS - certain
      }
    }
    // In an even tempo, with or without groups of four, nothing is odd about any of them.
    if (tempo.sameMs === tempo.otherMs) assert.equal(doubted, 0, `${name}, seed ${SEED}`)
    else t.diagnostic(`${name}: ${doubted} of ${good.length * paired.length * PAIRED_RUNS} are uncertain`)
  }
})

test('a line that doubles nothing, on a trunk that is known to double: not one key is lost, at whatever distance', () => {
  for (const line of good) {
    for (const { first, second, lagMs } of doubling.map(patternOf)) {
      for (const periodMs of [lagMs - 20, lagMs, lagMs + 20]) {
        const tempo = { sameMs: periodMs, otherMs: periodMs, groupMs: 0, sigmaMs: 5 }
        for (const keys of [...paired, runs, [1, 1, 2, 3, 4, 5, 6]]) {
          const [exact] = pairsOver(line, tempo, keys, { first, second, lagMs })
          assert.equal(exact, PAIRED_RUNS, `${line.name}, ${first} ${second}, ${JSON.stringify(tempo)}, seed ${SEED}`)
        }
      }
    }
  }
})

test('a line that loses one of two carriages now and then, up to three times of ten, is not taken for one that doubles', () => {
  const random = seededRandom(SEED)
  for (let run = 0; run < LOSSY_RUNS; run++) {
    const alphabet = 1 + Math.floor(randomUnit(random) * 4)
    const keys = Array.from({ length: 19 }, () => Math.floor(randomUnit(random) * alphabet))
    const periodMs = 120 + 380 * randomUnit(random)
    const tempo = { sameMs: periodMs, otherMs: periodMs, groupMs: 0, sigmaMs: 10 * randomUnit(random) }
    const loss = 0.3 * randomUnit(random)
    const sent = inTempo(keys, tempo, random).flatMap((press) => {
      const lost = randomUnit(random) / loss
      const event: Sent = { ...press, carriage: 'event' }
      const tone: Sent = { ...press, fromMs: press.fromMs + 30, toMs: press.toMs + 30, carriage: 'in-band' }
      return lost < 0.5 ? [tone] : lost < 1 ? [event] : [event, tone]
    })
    const lagMs = Math.round(periodMs * (1 + Math.floor(2 * randomUnit(random))))
    const call = new Listening({ first: 'event', second: 'in-band', lagMs })
    call.take(sent)
    assert.equal(call.news.filter(({ type }) => type !== 'normal').length, 0, `run ${run}, seed ${SEED}`)
  }
})

test('a caller whose keys take another carriage in mid number, and repeat themselves in time, doubles nothing', () => {
  for (const [first, second] of [
    ['event', 'in-band'],
    ['in-band', 'event'],
  ] as const) {
    const pressed = Array.from({ length: 12 }, (_, i) => at(1 + (i % 2), 500 + 190 * i))
    const sent = pressed.map((press, i) => ({ ...press, carriage: i < 4 ? first : second }))
    const call = new Listening()
    assert.equal(call.take(sent).join(), pressed.map(({ key }) => key).join(), `${first}, then ${second}`)
    assert.equal(call.slow.isSlow, false)
  }
})
