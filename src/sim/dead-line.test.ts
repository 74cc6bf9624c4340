/** What carried the call is gone without a BYE: both phones hang up by themselves and can be called again. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import { dgramEngine } from '../cde/media/socket-dgram.ts'
import { systemClock } from '../lib/clock.ts'
import { simLimits } from '../lib/limits.ts'
import { seededRandom } from '../lib/random.ts'
import { PhoneMedia } from './phone-media.ts'

test('a phone that hears nothing for seconds takes the line for dead, once; one on hold does not', async () => {
  const silent = createSocket('udp4')
  silent.bind(0, '127.0.0.1')
  await once(silent, 'listening')
  const remote = { host: '127.0.0.1', port: silent.address().port }
  let skewMs = 0
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + skewMs }
  const events = new EventEmitter()
  const open = async (name: string, direction: 'sendrecv' | 'inactive'): Promise<PhoneMedia> => {
    const local = { host: '127.0.0.1', port: 0 }
    const media = await PhoneMedia.open(dgramEngine, local, {
      clock,
      random: seededRandom(3),
      talkOver: false,
      onLineDead: () => events.emit(`${name} dead`),
      onPress: () => {},
      onInfo: () => {},
      onEventPacket: () => {},
      onFrame: () => events.emit(`${name} frame`),
    })
    const formats = [{ payloadType: 8, codec: 'PCMA', clockHz: 8_000 }] as const
    const session = { remote, remoteRtcp: remote, formats, direction, ptimeMs: 20 }
    media.connect(session, formats)
    media.startSending(session)
    return media
  }
  const talking = await open('talking', 'sendrecv')
  const held = await open('held', 'inactive')
  const dead: string[] = []
  events.on('talking dead', () => dead.push('talking'))
  events.on('held dead', () => dead.push('held'))
  await once(silent, 'message')
  assert.deepEqual(dead, [])
  skewMs = simLimits.deadLineMs + 100
  await once(events, 'talking dead')
  // Frames of the held phone show that it woke after that time, too.
  for (let frames = 0; frames < 3; frames++) await once(events, 'held frame')
  assert.deepEqual(dead, ['talking'])
  talking.close()
  held.close()
  silent.close()
})
