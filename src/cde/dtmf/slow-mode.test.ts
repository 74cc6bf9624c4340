/** Lines that send every key twice. Seeded models. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../lib/random.ts'
import {
  SEED,
  RUNS,
  type Hand,
  hands,
  dialler,
  keyed,
  over,
  Listening,
  randomCard,
  runs,
  doubling,
  echoing,
  exactShare,
  patternOf,
  at,
} from './slow-mode.test-kit.ts'

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

test('a key that is pressed twice at just the distance of the line’s doubles is told twice', () => {
  for (const line of doubling) {
    const lagMs = line.lagMs ?? 0
    const shown = [7, 8, 9, 0].map((key, i) => at(key, 500 + 1_000 * i))
    const pressed = [...shown, at(5, 5_000), at(5, 5_006 + lagMs), at(5, 5_012 + 2 * lagMs), at(3, 8_000)]
    const sent = over({ ...line, jitterMs: 0 }, pressed, seededRandom(SEED))
    assert.deepEqual(new Listening().take(sent), [7, 8, 9, 0, 5, 5, 5, 3], line.name)
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
