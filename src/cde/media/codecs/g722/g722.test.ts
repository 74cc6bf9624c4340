// ITU-T G.722 at 64 kbit/s: against ffmpeg bit by bit, and what must hold without it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { missing } from '../../../../../test/support/have.ts'
import { seededRandom } from '../../../../lib/random.ts'
import { G722Decoder, G722Encoder } from './g722.ts'
import { qmfTaps, scaleMantissas } from './tables.ts'

const SEED = 722
/** The filters' delay of one way through encoder and decoder. */
const DELAY_SAMPLES = 22
const RATE_HZ = 16_000

const withoutFfmpeg = missing('ffmpeg')

/** A sweep through both bands, noise at two levels, and clipping. */
function material(): Int16Array {
  const random = seededRandom(SEED)(2 * 4 * RATE_HZ)
  return Int16Array.from({ length: 4 * RATE_HZ }, (_, i) => {
    const t = i / RATE_HZ
    const noise = ((random[2 * i] ?? 0) * 256 + (random[2 * i + 1] ?? 0)) / 32_768 - 1
    const loud = Math.floor(t * 5) % 2 === 0 ? 0.05 : 1
    const sweep = 9_000 * Math.sin(2 * Math.PI * (300 + 900 * t) * t) + 6_000 * Math.sin(2 * Math.PI * 5_200 * t)
    const value = t < 3 ? loud * (sweep + 2_000 * noise) : 60_000 * noise
    return Math.max(-32_768, Math.min(32_767, Math.round(value)))
  })
}

function ffmpeg(input: Uint8Array, ...options: readonly string[]): Uint8Array {
  const { stdout } = spawnSync('ffmpeg', ['-v', 'error', ...options, '-'], { input, maxBuffer: 1 << 24 })
  return Uint8Array.from(stdout)
}

const octetsOf = (samples: Int16Array): Uint8Array => new Uint8Array(samples.buffer)
const asG722 = (samples: Int16Array): Uint8Array =>
  ffmpeg(octetsOf(samples), ...['-f', 's16le', '-ar', '16000', '-ac', '1', '-i', '-', '-f', 'g722'])
const fromG722 = (octets: Uint8Array): Int16Array =>
  new Int16Array(ffmpeg(octets, ...['-f', 'g722', '-i', '-', '-f', 's16le']).buffer)

function encoded(samples: Int16Array): Uint8Array {
  const octets = new Uint8Array(samples.length / 2)
  const encoder = new G722Encoder()
  // In packets of 20 ms, as on the line: the state goes on from one to the next.
  for (let at = 0; at < samples.length; at += 320) {
    encoder.encode(samples.subarray(at, at + 320), octets.subarray(at / 2))
  }
  return octets
}

function decoded(octets: Uint8Array): Int16Array {
  const samples = new Int16Array(2 * octets.length)
  assert.equal(new G722Decoder().decode(octets, samples), samples.length)
  return samples
}

function snrDb(original: Int16Array, copy: Int16Array, from: number, to: number): number {
  let signal = 0
  let error = 0
  for (let i = from; i < to; i++) {
    signal += (original[i] ?? 0) ** 2
    error += ((original[i] ?? 0) - (copy[i + DELAY_SAMPLES] ?? 0)) ** 2
  }
  return 10 * Math.log10(signal / error)
}

test('the encoder writes what ffmpeg writes, bit by bit', { skip: withoutFfmpeg }, () => {
  assert.deepEqual(encoded(material()), asG722(material()))
})

test('the decoder reads speech and random octets as ffmpeg does, sample by sample', { skip: withoutFfmpeg }, () => {
  for (const octets of [encoded(material()), seededRandom(SEED)(16_000)]) {
    assert.deepEqual(decoded(octets), fromG722(octets), `seed ${SEED}`)
  }
})

test('the tables agree with what they are made of', () => {
  // ILB: 2^11 · 2^(i/32). The QMF: flat, so that the taps and their mirror image add up to 2^13.
  assert.deepEqual(
    [...scaleMantissas],
    Array.from({ length: 32 }, (_, i) => Math.floor(2 ** (11 + i / 32) + 0.5)),
  )
  assert.equal(
    qmfTaps.reduce((sum, tap) => sum + tap, 0),
    2 ** 12,
  )
})

test('the first octet of silence: the lowest step of both bands, worked out by hand', () => {
  // Scale 32: decision levels 35, 72 and 110 are scaled to 0, so the difference 0 lies above them: code 61 - 3. Upper band: 3.
  assert.equal(encoded(new Int16Array(320))[0], (3 << 6) | 58)
})

test('a tone of either band comes back 22 samples later and clean', () => {
  const lower = Int16Array.from({ length: 8_000 }, (_, i) => 8_000 * Math.sin((2 * Math.PI * 1_000 * i) / RATE_HZ))
  const upper = Int16Array.from({ length: 8_000 }, (_, i) => 8_000 * Math.sin((2 * Math.PI * 6_000 * i) / RATE_HZ))
  assert.ok(snrDb(lower, decoded(encoded(lower)), 1_000, 7_900) > 40)
  assert.ok(snrDb(upper, decoded(encoded(upper)), 1_000, 7_900) > 15)
})

test('after a reset nothing is left of the stream before', () => {
  const samples = material().subarray(0, 3_200)
  const encoder = new G722Encoder()
  const decoder = new G722Decoder()
  const [first, again] = [new Uint8Array(1_600), new Uint8Array(1_600)]
  const [heard, heardAgain] = [new Int16Array(3_200), new Int16Array(3_200)]
  encoder.encode(samples, first)
  decoder.decode(first, heard)
  encoder.reset()
  decoder.reset()
  encoder.encode(samples, again)
  decoder.decode(again, heardAgain)
  assert.deepEqual(again, first)
  assert.deepEqual(heardAgain, heard)
})

test('what does not fit is refused before the state moves', () => {
  const decoder = new G722Decoder()
  assert.equal(decoder.decode(new Uint8Array(0), new Int16Array(320)), 'empty')
  assert.equal(decoder.decode(new Uint8Array(161).fill(9), new Int16Array(320)), 'too-long')
  const samples = new Int16Array(320)
  decoder.decode(new Uint8Array(160).fill(0x5a), samples)
  assert.deepEqual(samples, decoded(new Uint8Array(160).fill(0x5a)))
})
