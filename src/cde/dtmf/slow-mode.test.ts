/** Lines that send every key twice, and hands that press a key twice: seeded models of both. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RandomBytes, randomUnit, seededRandom } from '../../lib/random.ts'
import type { Carriage } from './key-codes.ts'
import { Presses } from './presses.ts'
import { SlowMode, type SlowNews, type SlowPattern } from './slow-mode.ts'

const SEED = 88
const MS = 8
const RUNS = 100
const PAIRED_RUNS = 40

interface Press {
  readonly key: number
  readonly fromMs: number
  readonly toMs: number
}

/** How a hand keys: from key to key, and how long each is held; gamma-like, never faster than a finger. */
interface Hand {
  readonly name: string
  readonly periodMs: number
  readonly spread: number
  readonly sameKeyShare: number
}

const hands: readonly Hand[] = [
  { name: 'quick', periodMs: 170, spread: 0.2, sameKeyShare: 0.75 },
  { name: 'usual', periodMs: 320, spread: 0.3, sameKeyShare: 0.7 },
  { name: 'slow', periodMs: 700, spread: 0.5, sameKeyShare: 0.6 },
  { name: 'even', periodMs: 250, spread: 0.04, sameKeyShare: 0.8 },
]
const dialler: Hand = { name: 'dialler', periodMs: 100, spread: 0, sameKeyShare: 1 }

function normal(random: RandomBytes): number {
  return Math.sqrt(-2 * Math.log(1 - randomUnit(random))) * Math.cos(2 * Math.PI * randomUnit(random))
}

function keyed(keys: readonly number[], hand: Hand, random: RandomBytes): Press[] {
  let atMs = 500
  return keys.map((key, i) => {
    // The same key again needs no way of the finger.
    const way = keys[i - 1] === key ? hand.sameKeyShare : 1
    const periodMs = hand.periodMs * way * Math.max(0.45, 1 + hand.spread * normal(random))
    if (i > 0) atMs += Math.max(95, periodMs)
    return { key, fromMs: atMs, toMs: atMs + Math.min(60 + 40 * randomUnit(random), periodMs - 25) }
  })
}

/** What a trunk makes of presses. */
interface Line {
  readonly name: string
  readonly first: Carriage
  readonly second?: Carriage
  readonly lagMs?: number
  readonly jitterMs?: number
}

interface Sent extends Press {
  readonly carriage: Carriage
}

function over(line: Line, presses: readonly Press[], random: RandomBytes): Sent[] {
  const sent: Sent[] = presses.map((press) => ({ ...press, carriage: line.first }))
  if (line.second === undefined) return sent
  for (const press of presses) {
    const lagMs = (line.lagMs ?? 0) + (line.jitterMs ?? 0) * (randomUnit(random) - 0.5)
    sent.push({ key: press.key, carriage: line.second, fromMs: press.fromMs + lagMs, toMs: press.toMs + lagMs })
  }
  return sent.sort((a, b) => a.fromMs - b.fromMs)
}

/** A call: the keys as a field would hold them at the end, those told without those told to have been doubles. */
class Listening {
  readonly keys: number[] = []
  readonly news: SlowNews[] = []
  uncertain = 0
  readonly slow = new SlowMode((news) => this.#hear(news))

  constructor(expected?: SlowPattern) {
    if (expected !== undefined) this.slow.expect(expected)
  }

  get pattern(): SlowPattern | undefined {
    return this.news.flatMap((news) => (news.type === 'slow' ? [news.pattern] : [])).at(-1)
  }

  /** One field: armed, keyed, disarmed. */
  take(sent: readonly Sent[]): number[] {
    this.keys.length = 0
    const presses = new Presses({ onKey: (key) => this.keys.push(key), onUncertain: () => this.uncertain++ }, this.slow)
    // A tone is known 35 ms after it began, an event at once; what is over is told 20 ms later.
    const steps = sent.flatMap(({ key, carriage, fromMs, toMs }) => {
      const knownMs = fromMs + (carriage === 'in-band' ? 35 : 5)
      return [
        { atMs: knownMs, run: () => presses.begin(key, carriage, fromMs * MS, knownMs * MS) },
        { atMs: Math.max(toMs + 20, knownMs + 1), run: () => presses.end(carriage, toMs * MS) },
      ]
    })
    const endMs = Math.max(...sent.map(({ toMs }) => toMs)) + 2_000
    for (let atMs = 0; atMs < endMs; atMs += 20) steps.push({ atMs, run: () => presses.settle(atMs * MS) })
    for (const { run } of steps.sort((a, b) => a.atMs - b.atMs)) run()
    presses.wipe()
    return [...this.keys]
  }

  #hear(news: SlowNews): void {
    this.news.push(news)
    if (news.type !== 'doubled') return
    const doubles = new Set(news.places.map((place) => this.keys.length - 1 - place))
    const left = this.keys.filter((_, i) => !doubles.has(i))
    this.keys.splice(0, this.keys.length, ...left)
  }
}

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

const randomCard = (random: RandomBytes): number[] =>
  Array.from({ length: 16 }, () => Math.floor(randomUnit(random) * 10))
/** Published test numbers, and hard ones: pairs and runs of one key. */
const alternating = Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? 4 : 2))
const runs = Array.from({ length: 16 }, (_, i) => (i < 12 ? 5 : 4))

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

const good: readonly Line[] = [
  { name: 'events', first: 'event' },
  { name: 'tones', first: 'in-band' },
  { name: 'events, then tones after 20-40 ms', first: 'event', second: 'in-band', lagMs: 30, jitterMs: 20 },
  { name: 'tones and events in any order', first: 'event', second: 'in-band', lagMs: 0, jitterMs: 60 },
  { name: 'events, then INFO after 10-110 ms', first: 'event', second: 'info', lagMs: 60, jitterMs: 100 },
]
const doubling: readonly Line[] = [
  { name: 'tone 220 ms after its event', first: 'event', second: 'in-band', lagMs: 220, jitterMs: 10 },
  { name: 'tone 300 ms after its event', first: 'event', second: 'in-band', lagMs: 300, jitterMs: 20 },
  { name: 'tone 600 ms after its event', first: 'event', second: 'in-band', lagMs: 600, jitterMs: 20 },
  { name: 'event 250 ms after its tone', first: 'in-band', second: 'event', lagMs: 250, jitterMs: 20 },
]
/** Doubles in the same carriage, as a hand can make them: they are never swallowed. */
const echoing: readonly Line[] = [
  { name: 'event sent again after 60 ms', first: 'event', second: 'event', lagMs: 60, jitterMs: 4 },
  { name: 'event sent again after 80 ms', first: 'event', second: 'event', lagMs: 80, jitterMs: 10 },
  { name: 'tone with an echo after 130 ms', first: 'in-band', second: 'in-band', lagMs: 130, jitterMs: 6 },
]

/** @returns the share of cards that were taken exactly, each on a call of its own */
function exactShare(line: Line, hand: Hand, cards: (random: RandomBytes) => number[], expected?: SlowPattern): number {
  const random = seededRandom(SEED)
  let exact = 0
  for (let run = 0; run < RUNS; run++) {
    const card = cards(random)
    const got = new Listening(expected).take(over(line, keyed(card, hand, random), random))
    if (got.join() === card.join()) exact++
  }
  return exact / RUNS
}

const patternOf = ({ first, second, lagMs }: Line): SlowPattern => ({
  first,
  second: second ?? first,
  lagMs: lagMs ?? 0,
})

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

test('a line that sends each key twice: the first card of the first call is put right while it is keyed', (t) => {
  for (const line of doubling) {
    const shares = [...hands, dialler].map((hand) => ({ hand: hand.name, exact: exactShare(line, hand, randomCard) }))
    t.diagnostic(`${line.name}: ${shares.map(({ hand, exact }) => `${hand} ${exact}`).join(', ')}`)
    for (const { hand, exact } of shares) {
      if (hand === 'usual' || hand === 'slow') assert.ok(exact >= 0.95, `${line.name}, ${hand}: ${exact}, seed ${SEED}`)
    }
  }
})

test('the next call on a trunk that is known to double: nothing is swallowed before it shows it itself; 5555 is proof, too', (t) => {
  for (const line of doubling) {
    for (const [name, cards] of [
      ['random', randomCard],
      ['5555…', () => runs],
    ] as const) {
      const shares = [...hands, dialler].map((hand) => ({
        hand: hand.name,
        exact: exactShare(line, hand, cards, patternOf(line)),
      }))
      t.diagnostic(`${line.name}, ${name}: ${shares.map(({ hand, exact }) => `${hand} ${exact}`).join(', ')}`)
      for (const { hand, exact } of shares) {
        if (name === 'random' && (hand === 'usual' || hand === 'slow'))
          assert.ok(exact >= 0.95, `${line.name}: ${exact}`)
      }
    }
  }
})

test('what a trunk is expected to double is given up when the doubles stay away', () => {
  for (const line of doubling) {
    const random = seededRandom(SEED)
    const [hand] = hands.filter(({ name }) => name === 'usual')
    assert.ok(hand !== undefined)
    const call = new Listening(patternOf(line))
    call.take(over({ name: 'good', first: line.first }, keyed([1, 2, 3, 4, 5, 6], hand, random), random))
    assert.equal(call.slow.isSlow, false, line.name)
    assert.equal(call.news.filter(({ type }) => type === 'normal').length, 1)
    assert.deepEqual(call.take(over({ name: 'good', first: line.first }, keyed(runs, hand, random), random)), runs)
  }
})

test('slow mode ends by itself when the doubles stay away, and pairs of keys are pairs again', () => {
  for (const line of doubling) {
    const random = seededRandom(SEED)
    const hand = hands[2] as Hand
    const repaired = { name: 'repaired', first: line.first }
    const call = new Listening()
    call.take(over(line, keyed([4, 0, 1, 2, 8, 3], hand, random), random))
    assert.equal(call.slow.isSlow, true, line.name)
    call.take(over(repaired, keyed([1, 2, 3, 4], hand, random), random))
    assert.equal(call.slow.isSlow, false, line.name)
    assert.deepEqual(call.take(over(repaired, keyed(runs, hand, random), random)), runs)
  }
})

test('a line that doubles in one carriage: no key is taken back, and the keys are said to be uncertain', (t) => {
  for (const line of echoing) {
    for (const hand of [...hands, dialler]) {
      const random = seededRandom(SEED)
      let doubted = 0
      for (let run = 0; run < RUNS; run++) {
        const call = new Listening()
        const got = call.take(over(line, keyed(randomCard(random), hand, random), random))
        assert.equal(got.length, 32, `${line.name}, ${hand.name}, seed ${SEED}`)
        if (call.uncertain > 0) doubted++
      }
      t.diagnostic(`${line.name}, ${hand.name}: ${doubted} of ${RUNS} are uncertain`)
      if (hand.name === 'usual' || hand.name === 'slow') assert.ok(doubted >= 0.95 * RUNS, `${line.name}: ${doubted}`)
    }
  }
})

test('pairs of one key are a reason for doubt only after a field that was nothing but pairs, and wrong', () => {
  const [line] = echoing
  assert.ok(line !== undefined)
  const doubts = (keys: readonly number[], isSuspected: boolean): number => {
    const random = seededRandom(SEED)
    const call = new Listening()
    if (isSuspected) call.slow.suspect()
    const pressed = keys.map((key, i) => at(key, 500 + 300 * i))
    call.take(over(line, pressed, random))
    return call.uncertain
  }
  assert.deepEqual([doubts([5, 5, 5, 5, 5], false), doubts([5, 5, 5, 5, 5], true)], [0, 1])
})

const at = (key: number, fromMs: number): Press => ({ key, fromMs, toMs: fromMs + 60 })

test('a key that is pressed twice at just the distance of the line’s doubles is told twice', () => {
  for (const line of doubling) {
    const lagMs = line.lagMs ?? 0
    const pressed = [at(1, 500), at(5, 2_000), at(5, 2_006 + lagMs), at(5, 2_012 + 2 * lagMs), at(3, 5_000)]
    const sent = over({ ...line, jitterMs: 0 }, pressed, seededRandom(SEED))
    assert.deepEqual(new Listening(patternOf(line)).take(sent), [1, 5, 5, 5, 3], line.name)
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

test('a double that was told in place of a press that came at the same time is not taken back', () => {
  const line = { name: 'event after its tone', first: 'in-band', second: 'event', lagMs: 250 } as const
  const pressed = [at(2, 500), at(9, 1_000), at(0, 1_700), at(4, 1_750), at(4, 2_004), at(7, 3_000)]
  assert.deepEqual(new Listening().take(over(line, pressed, seededRandom(SEED))), [2, 9, 0, 4, 4, 7])
})

test('what is learned is told: in which carriages and how far the doubles are, and what had been told of them', () => {
  for (const line of doubling) {
    const random = seededRandom(SEED)
    const call = new Listening()
    const card = [4, 0, 1, 2, 8, 8, 8, 3, 1, 7, 0, 9, 2, 6, 5, 1]
    assert.deepEqual(call.take(over(line, keyed(card, hands[2] as Hand, random), random)), card, line.name)
    assert.ok(Math.abs((call.pattern?.lagMs ?? 0) - (line.lagMs ?? 0)) <= 15, `${line.name}: ${call.pattern?.lagMs}`)
    const doubled = call.news.reduce(
      (sum, news) => sum + (news.type === 'doubled' ? Math.max(1, news.places.length) : 0),
      0,
    )
    assert.equal(doubled, card.length, `${line.name}: each key had one double`)
  }
})
