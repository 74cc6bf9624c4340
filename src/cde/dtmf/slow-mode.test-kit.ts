/** Seeded models of hands, and of lines that send keys once or twice; for tests. */
import { type RandomBytes, randomUnit, seededRandom } from '../../lib/random.ts'
import type { Carriage } from './key-codes.ts'
import { Presses } from './presses.ts'
import { SlowMode, type SlowNews, type SlowPattern } from './slow-mode.ts'

export const SEED = 88
const MS = 8
export const RUNS = 100

export interface Press {
  readonly key: number
  readonly fromMs: number
  readonly toMs: number
}

/** How a hand keys: from key to key, and how long each is held; gamma-like, never faster than a finger. */
export interface Hand {
  readonly name: string
  readonly periodMs: number
  readonly spread: number
  readonly sameKeyShare: number
}

export const hands: readonly Hand[] = [
  { name: 'quick', periodMs: 170, spread: 0.2, sameKeyShare: 0.75 },
  { name: 'usual', periodMs: 320, spread: 0.3, sameKeyShare: 0.7 },
  { name: 'slow', periodMs: 700, spread: 0.5, sameKeyShare: 0.6 },
  { name: 'even', periodMs: 250, spread: 0.04, sameKeyShare: 0.8 },
]
export const dialler: Hand = { name: 'dialler', periodMs: 100, spread: 0, sameKeyShare: 1 }

export function normal(random: RandomBytes): number {
  return Math.sqrt(-2 * Math.log(1 - randomUnit(random))) * Math.cos(2 * Math.PI * randomUnit(random))
}

export function keyed(keys: readonly number[], hand: Hand, random: RandomBytes): Press[] {
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
export interface Line {
  readonly name: string
  readonly first: Carriage
  readonly second?: Carriage
  readonly lagMs?: number
  readonly jitterMs?: number
}

export interface Sent extends Press {
  readonly carriage: Carriage
}

export function over(line: Line, presses: readonly Press[], random: RandomBytes): Sent[] {
  const sent: Sent[] = presses.map((press) => ({ ...press, carriage: line.first }))
  if (line.second === undefined) return sent
  for (const press of presses) {
    const lagMs = (line.lagMs ?? 0) + (line.jitterMs ?? 0) * (randomUnit(random) - 0.5)
    sent.push({ key: press.key, carriage: line.second, fromMs: press.fromMs + lagMs, toMs: press.toMs + lagMs })
  }
  return sent.sort((a, b) => a.fromMs - b.fromMs)
}

/** A call: the keys as a field would hold them at the end, those told without those told to have been doubles. */
export class Listening {
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

export const randomCard = (random: RandomBytes): number[] =>
  Array.from({ length: 16 }, () => Math.floor(randomUnit(random) * 10))

/** Two keys a few times each: the fewest that a judge of distances can go by. */
export const runs = Array.from({ length: 16 }, (_, i) => (i < 12 ? 5 : 4))

export const good: readonly Line[] = [
  { name: 'events', first: 'event' },
  { name: 'tones', first: 'in-band' },
  { name: 'events, then tones after 20-40 ms', first: 'event', second: 'in-band', lagMs: 30, jitterMs: 20 },
  { name: 'tones and events in any order', first: 'event', second: 'in-band', lagMs: 0, jitterMs: 60 },
  { name: 'events, then INFO after 10-110 ms', first: 'event', second: 'info', lagMs: 60, jitterMs: 100 },
]
export const doubling: readonly Line[] = [
  { name: 'tone 220 ms after its event', first: 'event', second: 'in-band', lagMs: 220, jitterMs: 10 },
  { name: 'tone 300 ms after its event', first: 'event', second: 'in-band', lagMs: 300, jitterMs: 20 },
  { name: 'tone 600 ms after its event', first: 'event', second: 'in-band', lagMs: 600, jitterMs: 20 },
  { name: 'event 250 ms after its tone', first: 'in-band', second: 'event', lagMs: 250, jitterMs: 20 },
]
/** Doubles in the same carriage, as a hand can make them: they are never swallowed. */
export const echoing: readonly Line[] = [
  { name: 'event sent again after 60 ms', first: 'event', second: 'event', lagMs: 60, jitterMs: 4 },
  { name: 'event sent again after 80 ms', first: 'event', second: 'event', lagMs: 80, jitterMs: 10 },
  { name: 'tone with an echo after 130 ms', first: 'in-band', second: 'in-band', lagMs: 130, jitterMs: 6 },
]

/** @returns the share of cards that were taken exactly, each on a call of its own */
export function exactShare(
  line: Line,
  hand: Hand,
  cards: (random: RandomBytes) => number[],
  expected?: SlowPattern,
): number {
  const random = seededRandom(SEED)
  let exact = 0
  for (let run = 0; run < RUNS; run++) {
    const card = cards(random)
    const got = new Listening(expected).take(over(line, keyed(card, hand, random), random))
    if (got.join() === card.join()) exact++
  }
  return exact / RUNS
}

export const patternOf = ({ first, second, lagMs }: Line): SlowPattern => ({
  first,
  second: second ?? first,
  lagMs: lagMs ?? 0,
})

export const at = (key: number, fromMs: number): Press => ({ key, fromMs, toMs: fromMs + 60 })
