/**
 * The masker fails in the middle of a card number. What must not happen: that the line is let go in clear, or that it stays dead. From
 * the failure to the next wake the agent hears silence, then a fresh masker has the line.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MediaCall } from '../../../test/support/media-call.ts'
import { MemoryPorts } from '../../../test/support/memory-ports.ts'
import { decodeG711, encodeG711 } from '../../lib/g711.ts'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import { synthesizeKeys } from '../../sim/tones.ts'
import { Masker } from '../dtmf/masker.ts'
import { findKeys } from '../dtmf/recording.ts'
import { PortPool } from '../media/ports.ts'
import { parseRtp } from '../media/rtp.ts'
import { MediaPorts } from './media-ports.ts'

const FRAME = 160

test('a masker that fails while a card is keyed is replaced by a fresh one; the agent hears no key, and speech again afterwards', async () => {
  let nowMs = 0
  const random = seededRandom(61)
  const network = new MemoryPorts()
  const ports = new MediaPorts('192.0.2.1', new PortPool(10_000, 10_003, random), network, () => nowMs)
  const told: string[] = []
  let maskers = 0
  const newMasker = () => {
    const real = new Masker()
    const isFirst = ++maskers === 1
    let windows = 0
    const judge: Masker['judge'] = (...of) => {
      // A window every 10 ms: one and a half seconds into the keys.
      if (isFirst && ++windows > 150) throw new Error('planted')
      return real.judge(...of)
    }
    return { judge }
  }
  const onEvent = ({ type }: { type: string }): void => void told.push(type)
  const call = await MediaCall.open({ network, ports, random, nowMs: () => nowMs, onEvent, newMasker })
  call.agree(0)
  const heard: number[] = []
  network.onSent = (_from, to, octets) => {
    const rtp = to.host === call.speakers.agent.address.host ? parseRtp(octets) : 'other'
    if (typeof rtp !== 'string') heard.push(...decodeG711('PCMA', rtp.payload))
  }
  const keys = synthesizeKeys(
    [4, 2, 4, 2, 4, 2, 4, 2, 4, 2, 4, 2, 4, 2, 4, 2],
    { toneMs: 100, gapMs: 100 },
    random,
  ).samples
  const speech = Int16Array.from({ length: 16_000 }, () => (randomUnit(random) - 0.5) * 800)
  const said = Int16Array.from([...keys, ...speech])
  call.media.arm(0, 'adaptive')
  call.media.setFieldOpen(true, 0)
  for (let at = 0; at + FRAME <= said.length; at += FRAME) {
    nowMs += 20
    call.speakers.caller.step()
    call.says('caller', encodeG711('PCMA', said.subarray(at, at + FRAME)))
    call.media.wake(nowMs)
  }
  assert.equal(told.filter((type) => type === 'mask-failed').length, 1)
  assert.equal(maskers, 2)
  assert.ok(call.media.isMasked)
  const samples = Int16Array.from(heard)
  assert.equal(findKeys(samples, 8_000).length, 0, 'seed 61')
  // The control: the same keys are found where nobody masks.
  assert.equal(findKeys(said, 8_000).length, 16)
  const last = samples.subarray(-8_000)
  const power = Math.sqrt(last.reduce((sum, sample) => sum + sample * sample, 0) / last.length)
  assert.ok(power > 100, `speech after the failure: ${power}`)
})
