// The wide samples beside the narrow ones: in step with them, and gone when they are gone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { G722Encoder } from '../media/codecs/g722/g722.ts'
import { OpusEncoder } from '../media/codecs/opus/opus.ts'
import { encodeG711 } from '../media/g711.ts'
import type { SpeechCodec } from '../media/codecs/speech-codecs.ts'
import { coverWide, LineAudio } from './line-audio.ts'
import { Timeline } from './timeline.ts'

/** A click in the middle of 60 ms, as packets of 20 ms. */
function click(codec: SpeechCodec): Uint8Array[] {
  const encoder = codec === 'opus' ? new OpusEncoder(16_000) : new G722Encoder()
  return [0, 1, 2].map((n) => {
    if (codec === 'PCMA' || codec === 'PCMU') {
      const samples = new Int16Array(160)
      if (n === 1) samples.fill(8_000, 80, 84)
      return encodeG711(codec, samples)
    }
    const samples = new Int16Array(320)
    if (n === 1) samples.fill(8_000, 160, 168)
    const payload = new Uint8Array(160)
    return payload.subarray(0, encoder.encode(samples, payload))
  })
}

const loudestAt = (samples: readonly number[]): number =>
  samples.reduce((best, sample, i) => (Math.abs(sample) > Math.abs(samples[best] ?? 0) ? i : best), 0)

test('narrow and wide samples of a packet are the same moment, whatever the caller speaks', () => {
  for (const codec of ['G722', 'opus', 'PCMA', 'PCMU'] as const) {
    const audio = new LineAudio('opus', 160, 960)
    const [narrow, wide]: [number[], number[]] = [[], []]
    for (const [n, payload] of click(codec).entries()) {
      const decoded = audio.decode(codec, payload, n)
      assert.ok(decoded !== undefined)
      narrow.push(...decoded.narrow)
      wide.push(...(decoded.wide ?? []))
      audio.forget()
    }
    assert.equal(wide.length, 2 * narrow.length)
    assert.ok(
      Math.abs(loudestAt(wide) - 2 * loudestAt(narrow)) <= 4,
      `${codec}: ${loudestAt(wide)} ${loudestAt(narrow)}`,
    )
  }
})

test('on a narrow line G.711 is not delayed and there are no wide samples', () => {
  const audio = new LineAudio('PCMA', 160, 960)
  const [, packet = new Uint8Array(0)] = click('PCMU')
  const decoded = audio.decode('PCMU', packet, 1)
  assert.ok(decoded !== undefined)
  assert.equal(decoded.wide, undefined)
  assert.equal(loudestAt([...decoded.narrow]), 80)
  audio.forget()
  assert.ok(decoded.narrow.every((sample) => sample === 0))
})

test('what was played is gone: a gap one turn of the ring later holds nothing of it', () => {
  const line = new Timeline(true)
  const [samples, wide] = [new Int16Array(160), new Int16Array(320)]
  for (let at = 0; at < 40_000; at += 160) {
    const isGap = at >= 16_000
    if (!isGap) line.write(at, new Int16Array(160).fill(7), new Int16Array(320).fill(9))
    line.force(at + 160, () => {})
    line.play(samples, wide)
    assert.ok(
      wide.every((sample) => sample === (isGap ? 0 : 9)),
      `at ${at}`,
    )
  }
})

test('a packet that comes twice, changed, changes neither: each position belongs to the packet that came first', () => {
  const line = new Timeline(true)
  line.write(160, new Int16Array(160).fill(2), new Int16Array(320).fill(3))
  line.write(160, new Int16Array(160).fill(4), new Int16Array(320).fill(5))
  line.write(0, new Int16Array(160).fill(1), new Int16Array(320).fill(1))
  const [samples, wide] = [new Int16Array(320), new Int16Array(640)]
  line.play(samples, wide)
  assert.deepEqual([samples[160], samples[319], wide[320], wide[639]], [2, 2, 3, 3])
})

test('wiped, a wide line holds nothing', () => {
  const line = new Timeline(true)
  line.write(0, new Int16Array(160).fill(2), new Int16Array(320).fill(3))
  line.wipe()
  const wide = new Int16Array(320)
  line.play(new Int16Array(160), wide)
  assert.deepEqual(wide, new Int16Array(320))
})

test('masked positions cover both their wide samples, and take nothing from their unmasked neighbours', () => {
  const wide = new Int16Array(8).fill(1_000)
  coverWide(wide, Int16Array.of(500, 10, 20, 500), 1, 3)
  assert.deepEqual([...wide], [1_000, 1_000, 10, 15, 20, 20, 1_000, 1_000])
})
