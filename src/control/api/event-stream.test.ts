import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controlLimits } from '../../lib/limits.ts'
import { createLog } from '../../lib/log.ts'
import { Events } from '../events.ts'
import { Metrics } from '../metrics.ts'
import { lastEventSeq } from '../store/events.ts'
import { Harness } from '../testing/harness.test-kit.ts'
import { EventStream, type StreamOut } from './event-stream.ts'

/** A client that takes everything, and does something each time it has to be waited for. */
class Collector implements StreamOut {
  text = ''
  ended = false
  queued = 0
  onDrain: () => Promise<boolean> = () => Promise.resolve(true)

  write(text: string): void {
    this.text += text
  }

  queuedOctets(): number {
    return this.queued
  }

  drained(): Promise<boolean> {
    return this.onDrain()
  }

  end(): void {
    this.ended = true
  }

  counts(): number[] {
    return [...this.text.matchAll(/"count":(\d+)/g)].map((match) => Number(match[1]))
  }
}

/** A store with events of its own, and the means to write one more. */
async function withEvents(control: Harness) {
  const callId = await control.answeredCall()
  const log = createLog('test', { write: () => undefined })
  const lastSeq = await lastEventSeq(control.store.db)
  const events = new Events({ clock: control.time, log, metrics: new Metrics(), lastSeq })
  const place = { merchant: 'shop', callId }
  let last = 0
  const press = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) await control.store.transact((tx) => events.keysDropped(tx, place, ++last))
  }
  const scope = { merchant: 'shop', callId }
  return { events, press, scope, after: lastSeq, db: control.store.db }
}

test('events that are committed in the middle of a replay come once and in order', async () => {
  await using control = await Harness.start()
  const { events, press, scope, after, db } = await withEvents(control)
  await press(5)
  const out = new Collector()
  let rounds = 0
  out.onDrain = async () => {
    if (++rounds <= 4) await press(3)
    return true
  }
  const stream = new EventStream(out, scope, after)
  await stream.start(db, events)
  await press(2)
  assert.deepEqual(
    out.counts(),
    Array.from({ length: 19 }, (_, i) => i + 1),
  )
})

test('a client that takes nothing during a replay is cut, and so is one whose queue is full', async () => {
  await using control = await Harness.start()
  const { events, press, scope, after, db } = await withEvents(control)
  await press(1)
  const slow = new Collector()
  slow.onDrain = () => Promise.resolve(false)
  const first = new EventStream(slow, scope, after)
  await first.start(db, events)
  assert.ok(slow.ended && first.cut)

  const full = new Collector()
  const second = new EventStream(full, scope, after)
  await second.start(db, events)
  full.queued = controlLimits.streamQueuedOctetsMax + 1
  await press(1)
  assert.ok(full.ended && second.cut)
  const kept = full.text
  await press(1)
  assert.equal(full.text, kept)
})
