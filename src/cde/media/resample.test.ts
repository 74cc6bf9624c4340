// Decimation and interpolation of streams: pass band, stop band, delay, and packets of any size.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Decimator, DECISION_REACH, Interpolator, SPEECH_REACH } from './resample.ts'

const AMPLITUDE = 10_000

const tone = (hz: number, rateHz: number, samples: number, shift = 0): Int16Array =>
  Int16Array.from({ length: samples }, (_, i) => AMPLITUDE * Math.sin((2 * Math.PI * hz * (i + shift)) / rateHz + 0.5))

const levelDb = (samples: Int16Array): number => {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
  return 10 * Math.log10(Math.max(power, 1e-9) / (AMPLITUDE ** 2 / 2))
}

/** Half a second of a tone through a decimator, in packets of 20 ms, without the beginning. */
function decimated(hz: number, factor: number, reach: number): Int16Array {
  const decimator = new Decimator(factor, reach)
  const result = new Int16Array(4_000)
  const input = tone(hz, 8_000 * factor, 4_000 * factor)
  for (let at = 0; at < 4_000; at += 160) {
    decimator.push(input.subarray(at * factor, (at + 160) * factor), result.subarray(at))
  }
  return result.subarray(200)
}

test('speech: flat within 0.1 dB to 3.3 kHz, 70 dB down from 4.3 kHz, from 16 and from 48 kHz', () => {
  for (const factor of [2, 6]) {
    for (const hz of [300, 1_000, 2_000, 3_000, 3_300]) {
      assert.ok(Math.abs(levelDb(decimated(hz, factor, SPEECH_REACH))) < 0.1, `${hz} Hz from ${factor * 8} kHz`)
    }
    for (let hz = 4_300; hz < 8_000; hz += 370) {
      assert.ok(levelDb(decimated(hz, factor, SPEECH_REACH)) < -70, `${hz} Hz from ${factor * 8} kHz`)
    }
  }
})

test('decisions: all key frequencies and their harmonics to 2.9 kHz untouched, 70 dB down from 4.8 kHz', () => {
  for (const factor of [2, 6]) {
    for (const hz of [697, 941, 1_209, 1_633, 2_900]) {
      assert.ok(Math.abs(levelDb(decimated(hz, factor, DECISION_REACH))) < 0.1, `${hz} Hz from ${factor * 8} kHz`)
    }
    for (let hz = 4_800; hz < 8_000; hz += 370) {
      assert.ok(levelDb(decimated(hz, factor, DECISION_REACH)) < -70, `${hz} Hz from ${factor * 8} kHz`)
    }
  }
})

test('the delay is the reach, whatever the factor', () => {
  for (const factor of [2, 6]) {
    for (const reach of [DECISION_REACH, SPEECH_REACH]) {
      const output = decimated(1_000, factor, reach)
      const expected = tone(1_000, 8_000, output.length, 200 - reach)
      assert.ok(
        output.every((sample, i) => Math.abs(sample - (expected[i] ?? 0)) < 20),
        `factor ${factor} reach ${reach}`,
      )
    }
  }
})

test('interpolated tones are the tones, with the stated delay and no images', () => {
  for (const hz of [300, 1_000, 3_300]) {
    const interpolator = new Interpolator(2, SPEECH_REACH)
    const result = new Int16Array(8_000)
    const input = tone(hz, 8_000, 4_000)
    for (let at = 0; at < 4_000; at += 160) interpolator.push(input.subarray(at, at + 160), result.subarray(2 * at))
    const expected = tone(hz, 16_000, 8_000, -2 * SPEECH_REACH)
    const errors = result.map((sample, i) => (i < 400 ? 0 : sample - (expected[i] ?? 0)))
    assert.ok(levelDb(errors) < -65, `${hz} Hz: ${levelDb(errors)} dB`)
  }
})

test('how a stream is cut into packets changes nothing, and a reset forgets it', () => {
  const input = tone(1_234, 16_000, 1_600)
  const whole = new Int16Array(800)
  new Decimator(2, SPEECH_REACH).push(input, whole)
  const cut = new Int16Array(800)
  const decimator = new Decimator(2, SPEECH_REACH)
  for (const pass of [0, 1]) {
    for (let at = 0, size = 2; at < 1_600; at += size, size = size === 2 ? 38 : size === 38 ? 160 : 2) {
      decimator.push(input.subarray(at, Math.min(at + size, 1_600)), cut.subarray(at / 2))
    }
    assert.deepEqual(cut, whole, `pass ${pass}`)
    decimator.reset()
  }
  const back = new Int16Array(1_600)
  const interpolator = new Interpolator(2, SPEECH_REACH)
  interpolator.push(whole, back)
  interpolator.reset()
  const again = new Int16Array(1_600)
  for (let at = 0; at < 800; at += 10) interpolator.push(whole.subarray(at, at + 10), again.subarray(2 * at))
  assert.deepEqual(again, back)
})
