// Mask policies and replacements at 16 kHz: what is flat at 8 kHz is flat in the upper band too.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { armedCall, type CallSettings, type TimedPacket } from '../../../test/support/dtmf-call.ts'
import { seededRandom } from '../../lib/random.ts'
import { synthesizeKeys } from '../../sim/tones.ts'
import type { AudioFormat } from '../media/audio-formats.ts'
import { G722Decoder, G722Encoder } from '../media/codecs/g722/g722.ts'
import { fromBaseRate } from '../media/resample.ts'
import { parseRtp, writeRtp } from '../media/rtp.ts'

const SEED = 1_723
const IDLE_PEAK = 24
const wide: readonly AudioFormat[] = [{ payloadType: 9, codec: 'G722', clockHz: 8_000 }]

/** 4 s: two keys at 1 s, and 6 kHz all the while. @returns what the agent's decoder makes of the call, at 16 kHz */
function heard(settings: CallSettings): { audio: Int16Array; offset: number } {
  const tones = synthesizeKeys([3, 8], { toneMs: 60, gapMs: 100, leadSamples: 8_000 }, seededRandom(SEED))
  const samples = new Int16Array(64_000)
  samples.set(fromBaseRate(tones.samples, 16_000, 2 * tones.samples.length))
  for (let i = 0; i < samples.length; i++)
    samples[i] = (samples[i] ?? 0) + 3_000 * Math.sin((2 * Math.PI * 6_000 * i) / 16_000)
  const encoder = new G722Encoder()
  const packets: TimedPacket[] = Array.from({ length: 200 }, (_, n) => {
    const payload = new Uint8Array(160)
    encoder.encode(samples.subarray(n * 320, (n + 1) * 320), payload)
    const fields = { payloadType: 9, marker: n === 0, sequence: n, timestamp: n * 160, ssrc: 1 }
    return { atMs: n * 20, packet: writeRtp(fields, payload) }
  })
  const call = armedCall(packets, { caller: wide, agent: wide, ...settings })
  const decoder = new G722Decoder()
  const audio = new Int16Array(call.packets.length * 320)
  for (const [n, { packet }] of call.packets.entries()) {
    const rtp = parseRtp(packet)
    assert.ok(typeof rtp !== 'string')
    decoder.decode(rtp.payload, audio.subarray(n * 320))
  }
  return { audio, offset: 2 * call.offset }
}

/** The loudest sample between two moments of the caller's time. */
function peak({ audio, offset }: ReturnType<typeof heard>, fromMs: number, toMs: number): number {
  const span = audio.subarray(offset + 16 * fromMs, offset + 16 * toMs)
  return span.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
}

test('burst: nothing of either band from the first key until 2 s after the last', () => {
  const call = heard({ maskPolicy: 'burst', fieldOpenMs: { from: 0, to: 3_900 } })
  assert.ok(peak(call, 300, 900) > 2_000)
  assert.ok(peak(call, 1_000, 3_000) <= IDLE_PEAK, `${peak(call, 1_000, 3_000)}`)
  assert.ok(peak(call, 3_500, 3_900) > 2_000)
})

test('full: nothing of either band while the field is open', () => {
  const call = heard({ maskPolicy: 'full', fieldOpenMs: { from: 500, to: 2_500 } })
  assert.ok(peak(call, 200, 380) > 2_000)
  assert.ok(peak(call, 510, 3_000) <= IDLE_PEAK, `${peak(call, 510, 3_000)}`)
  assert.ok(peak(call, 3_500, 3_900) > 2_000)
})

test('comfort noise and the pip cover the upper band as well', () => {
  for (const replacement of ['comfort', 'flat'] as const) {
    const { audio, offset } = heard({ maskPolicy: 'full', replacement, fieldOpenMs: { from: 500, to: 2_500 } })
    const flat = audio.subarray(offset + 16 * 700, offset + 16 * 2_400)
    let [re, im] = [0, 0]
    for (const [i, sample] of flat.entries()) {
      re += sample * Math.cos((2 * Math.PI * 6_000 * i) / 16_000)
      im += sample * Math.sin((2 * Math.PI * 6_000 * i) / 16_000)
    }
    const level = (2 * Math.hypot(re, im)) / flat.length
    assert.ok(level < 20, `${replacement}: ${level}`)
  }
})
