import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Presses } from './presses.ts'

function listening(): { presses: Presses; told: string[] } {
  const told: string[] = []
  const presses = new Presses({
    onKey: (key, carriage) => told.push(`${carriage} ${key}`),
    onUncertain: ({ why, wasTold, isLatest }) =>
      told.push([why, ...(wasTold ? ['told'] : []), ...(isLatest ? ['latest'] : [])].join(' ')),
  })
  return { presses, told }
}

/** Two presses as events make events the source. */
function eventsAreSource(): ReturnType<typeof listening> {
  const { presses, told } = listening()
  presses.begin(1, 'event', 0, 0)
  presses.end('event', 400)
  presses.begin(1, 'event', 1_000, 1_000)
  presses.end('event', 1_400)
  told.length = 0
  return { presses, told }
}

test('two presses of the same carriage are never one', () => {
  const { presses, told } = listening()
  presses.begin(5, 'in-band', 0, 280)
  presses.end('in-band', 320)
  presses.begin(5, 'in-band', 560, 840)
  assert.deepEqual(told, ['in-band 5', 'in-band 5'])
})

test('an event up to 100 ms beside the tone is the same press, beyond that another one', () => {
  for (const [from, count] of [
    [700, 1],
    [1_000, 1],
    [1_300, 2],
  ] as const) {
    const { presses, told } = listening()
    presses.begin(5, 'in-band', 0, 280)
    presses.end('in-band', 400)
    presses.begin(5, 'event', from, from)
    assert.equal(told.length, count, `event at ${from}`)
  }
})

test('events as source: pieces of a tone that the gateway left over add nothing', () => {
  const { presses, told } = eventsAreSource()
  presses.begin(7, 'event', 8_000, 8_000)
  presses.begin(7, 'in-band', 8_000, 8_300)
  presses.end('in-band', 8_400)
  presses.begin(7, 'in-band', 9_000, 9_300)
  presses.end('in-band', 9_400)
  presses.end('event', 9_600)
  presses.settle(20_000)
  assert.deepEqual(told, ['event 7'])
})

test('events as source: a tone alone counts after 100 ms, the third at once', () => {
  const { presses, told } = eventsAreSource()
  presses.begin(7, 'in-band', 8_000, 8_300)
  assert.deepEqual(told, [])
  presses.settle(8_799)
  assert.deepEqual(told, [])
  presses.settle(8_800)
  assert.deepEqual(told, ['in-band 7'])
  presses.end('in-band', 8_900)
  presses.begin(8, 'in-band', 10_000, 10_300)
  presses.settle(10_900)
  presses.end('in-band', 10_900)
  presses.begin(9, 'in-band', 12_000, 12_300)
  assert.deepEqual(told, ['in-band 7', 'in-band 8', 'in-band 9'])
})

test('events as source: the tone says another key: a conflict, and the tone’s key is not told', () => {
  const { presses, told } = eventsAreSource()
  presses.begin(7, 'event', 8_000, 8_000)
  presses.begin(4, 'in-band', 8_000, 8_300)
  presses.settle(8_900)
  assert.deepEqual(told, ['event 7', 'carriages-differ told'])
})

test('a press that is not certain is told before the end key that follows it, however soon', () => {
  for (const gapSamples of [80, 160, 320, 480, 640, 800]) {
    const { presses, told } = listening()
    presses.begin(3, 'in-band', 0, 280)
    presses.end('in-band', 480)
    presses.doubt('too-short', 4, 'in-band', 1_000, 1_200, 1_300)
    const next = 1_200 + gapSamples
    presses.begin(11, 'in-band', next, next + 280)
    presses.settle(20_000)
    assert.deepEqual(told, ['in-band 3', 'too-short latest', 'in-band 11'], `${gapSamples} samples`)
  }
})

test('a press that is found out to be uncertain after a later one was told is not the latest', () => {
  const { presses, told } = listening()
  presses.begin(11, 'event', 1_700, 1_700)
  presses.doubt('too-short', 4, 'in-band', 1_000, 1_240, 1_720)
  presses.settle(20_000)
  assert.deepEqual(told, ['event 11', 'too-short'])
})

test('events as source: a tone without its event is told before the next event, not after it', () => {
  const { presses, told } = eventsAreSource()
  presses.begin(7, 'in-band', 8_000, 8_280)
  presses.end('in-band', 8_400)
  presses.begin(11, 'event', 8_600, 8_600)
  presses.settle(20_000)
  assert.deepEqual(told, ['in-band 7', 'event 11'])
})

test('a flood stays within its slots', () => {
  const { presses, told } = listening()
  for (let i = 0; i < 500; i++) presses.begin(i % 16, 'event', i, i)
  assert.equal(told.length, 500)
})
