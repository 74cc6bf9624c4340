import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { parseEvents } from '../cde/dtmf/events.ts'
import { parseInfoBody } from '../cde/dtmf/info-body.ts'
import type { Carriage } from '../cde/dtmf/key-codes.ts'
import { findKeys } from '../cde/dtmf/recording.ts'
import type { G711Codec } from '../cde/media/g711.ts'
import { dgramEngine } from '../cde/media/socket-dgram.ts'
import { systemClock } from '../lib/clock.ts'
import { seededRandom } from '../lib/random.ts'
import { Phone, type PhoneEvent, type PhoneOptions } from './phone.ts'

const SEED = 77
// A tone that no keypad has, so that speech and keys cannot be confused.
const voice = Int16Array.from({ length: 2_400 }, (_, i) =>
  Math.round(6_000 * Math.sin((2 * Math.PI * 500 * i) / 8_000)),
)

interface Watched {
  readonly phone: Phone
  readonly events: PhoneEvent[]
  /** Resolves with the first event, past or to come, that fits. */
  until(fits: (event: PhoneEvent) => boolean): Promise<PhoneEvent>
}

async function openPhone(
  t: TestContext,
  name: string,
  seed: number,
  options: Partial<PhoneOptions> = {},
): Promise<Watched> {
  const events: PhoneEvent[] = []
  const waiting = new Set<() => void>()
  const phone = await Phone.open({
    name,
    host: '127.0.0.1',
    sipPort: 0,
    clock: systemClock,
    random: seededRandom(seed),
    media: dgramEngine,
    codecs: ['PCMA', 'PCMU'],
    withEvents: true,
    talkOver: false,
    ringMs: 10,
    onFrame: () => {},
    ...options,
    onEvent: (event) => {
      events.push(event)
      for (const look of waiting) look()
    },
  })
  t.after(() => phone.close())
  const until = (fits: (event: PhoneEvent) => boolean): Promise<PhoneEvent> =>
    new Promise((resolve) => {
      const look = (): void => {
        const event = events.find(fits)
        if (event === undefined) return
        waiting.delete(look)
        resolve(event)
      }
      waiting.add(look)
      look()
    })
  return { phone, events, until }
}

function callTo(callee: Phone): Parameters<Phone['call']>[0] {
  const { host, port } = callee.sip
  const uri = `sip:agent@${host}:${port}`
  const headers = [{ name: 'X-Tonewall-Call', value: 'BCDFGHJKLMNPQRSTVW' }]
  return { target: uri, destination: callee.sip, from: '<sip:caller@127.0.0.1>', to: `<${uri}>`, headers }
}

const isState = (state: string) => (event: PhoneEvent) => event.type === 'state' && event.state === state

const keysIn = (recording: Int16Array): number[] => findKeys(recording, 8_000).map(({ key }) => key)

for (const codec of ['PCMA', 'PCMU'] as const satisfies readonly G711Codec[]) {
  test(`caller calls agent directly in ${codec}: speech and keys arrive in each carriage`, async (t) => {
    const arrived: Record<'event' | 'info', number[]> = { event: [], info: [] }
    const starts = new Set<number>()
    const agent = await openPhone(t, 'agent', SEED, {
      codecs: ['PCMU', 'PCMA'],
      onEventPacket: (payload, _ssrc, timestamp) => {
        const events = parseEvents(payload)
        if (typeof events !== 'string' && !starts.has(timestamp)) arrived.event.push(events[0]?.event ?? -1)
        starts.add(timestamp)
      },
      onInfoBody: (contentType, body) => {
        const key = parseInfoBody(contentType, body)
        if (typeof key === 'number') arrived.info.push(key)
      },
    })
    const caller = await openPhone(t, 'caller', SEED + 1, { codecs: [codec] })
    assert.equal(await caller.phone.call(callTo(agent.phone)), true)
    assert.equal(await caller.phone.call(callTo(agent.phone)), false, 'one call at a time')
    await Promise.all([caller.until(isState('answered')), agent.until(isState('answered'))])

    assert.equal(caller.phone.speak(voice), true)
    const pressed: Record<Carriage, readonly number[]> = { 'in-band': [1, 1, 11], event: [5, 5, 10], info: [0, 9, 9] }
    for (const carriage of ['in-band', 'event', 'info'] as const) {
      for (const key of pressed[carriage]) assert.equal(await caller.phone.press(key, carriage, 80), true)
    }
    assert.equal(caller.phone.speaking, false)
    assert.equal(caller.phone.hangUp(), true)
    await agent.until((event) => event.type === 'call-over' && event.cause === 'bye')

    const heard = agent.phone.recordings().heard
    const sent = caller.phone.recordings().sent
    assert.ok(heard !== undefined && sent !== undefined)
    assert.deepEqual(keysIn(heard.samples), pressed['in-band'])
    assert.deepEqual(arrived, { event: pressed.event, info: pressed.info })
    // The last packet may be under way when the call ends.
    assert.ok(sent.samples.length - heard.samples.length <= 480, `${sent.samples.length} ${heard.samples.length}`)
    assert.deepEqual(heard.samples.slice(0, 2_400), sent.samples.slice(0, 2_400))
    assert.ok(Math.abs(heard.startedAtMs - sent.startedAtMs) < 1_000)
    assert.deepEqual(
      caller.events.filter(({ type }) => type === 'state').map((event) => event.type === 'state' && event.state),
      ['calling', 'ringing', 'answered', 'ended'],
    )
    assert.equal(caller.events.filter(({ type }) => type === 'key-down').length, 9)
  })
}

test('the called phone reads Tonewall’s call id from the INVITE and rings before it answers', async (t) => {
  const agent = await openPhone(t, 'agent', SEED)
  const caller = await openPhone(t, 'caller', SEED + 1)
  await caller.phone.call(callTo(agent.phone))
  const incoming = await agent.until(({ type }) => type === 'incoming')
  assert.ok(incoming.type === 'incoming')
  assert.ok(incoming.headers.some(({ name, value }) => name === 'X-Tonewall-Call' && value === 'BCDFGHJKLMNPQRSTVW'))
  await caller.until(isState('ringing'))
  await caller.until(isState('answered'))
  assert.equal(agent.phone.hangUp(), true)
  await caller.until((event) => event.type === 'call-over' && event.cause === 'bye')
  assert.equal(caller.phone.press(1, 'in-band', 100), undefined)
  assert.equal(caller.phone.hangUp(), false)
})

test('a caller who hangs up while it rings cancels the call, and both phones can call again', async (t) => {
  const agent = await openPhone(t, 'agent', SEED, { ringMs: 60_000 })
  const caller = await openPhone(t, 'caller', SEED + 1)
  await caller.phone.call(callTo(agent.phone))
  await caller.until(isState('ringing'))
  caller.phone.hangUp()
  await agent.until((event) => event.type === 'call-over' && event.cause === 'cancelled')
  await caller.phone.call(callTo(agent.phone))
  await agent.until((event) => event.type === 'state' && event.state === 'ringing')
})

test('a phone in a call is busy for others', async (t) => {
  const agent = await openPhone(t, 'agent', SEED)
  const first = await openPhone(t, 'first', SEED + 1)
  const second = await openPhone(t, 'second', SEED + 2)
  await first.phone.call(callTo(agent.phone))
  await first.until(isState('answered'))
  await second.phone.call(callTo(agent.phone))
  await second.until((event) => event.type === 'call-over' && event.cause === 486)
  assert.equal(first.phone.state, 'answered')
})

test('phones without a common codec do not connect', async (t) => {
  const agent = await openPhone(t, 'agent', SEED, { codecs: ['PCMU'] })
  const caller = await openPhone(t, 'caller', SEED + 1, { codecs: ['PCMA'] })
  await caller.phone.call(callTo(agent.phone))
  await caller.until((event) => event.type === 'call-over' && event.cause === 488)
})

test('a press that is under way when the call ends is over as not sent', async (t) => {
  const agent = await openPhone(t, 'agent', SEED)
  const caller = await openPhone(t, 'caller', SEED + 1)
  await caller.phone.call(callTo(agent.phone))
  await caller.until(isState('answered'))
  const presses = [caller.phone.press(1, 'in-band', 20_000), caller.phone.press(2, 'event', 100)]
  await caller.until(({ type }) => type === 'key-down')
  caller.phone.hangUp()
  for (const press of presses) assert.equal(await press, false)
})

test('a phone that is closed in a call says goodbye first', async (t) => {
  const agent = await openPhone(t, 'agent', SEED)
  const caller = await openPhone(t, 'caller', SEED + 1)
  await caller.phone.call(callTo(agent.phone))
  await Promise.all([caller.until(isState('answered')), agent.until(isState('answered'))])
  await caller.phone.close()
  await agent.until((event) => event.type === 'call-over' && event.cause === 'bye')
})
