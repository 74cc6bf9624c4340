import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { decodeG711, encodeG711, type G711Codec, silenceOctet, transcodeG711 } from './g711.ts'

const allOctets = Uint8Array.from({ length: 256 }, (_, octet) => octet)
const allSamples = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768)
const codecs: readonly G711Codec[] = ['PCMA', 'PCMU']

// Quantised values of G.711 tables 1a and 2a (positive half; negative values mirror them), in the table's own units, with the
// character signals as transmitted (A-law: even bits inverted).
const alawTable: readonly [octet: number, value: number][] = [
  [0b1111_1111, 4_032],
  [0b1111_0000, 2_112],
  [0b1110_0000, 1_056],
  [0b1101_0000, 528],
  [0b1100_0000, 264],
  [0b1011_0000, 132],
  [0b1010_0000, 66],
  [0b1000_0000, 1],
].map(([signal = 0, value = 0]) => [signal ^ 0x55, value])
const mulawTable: readonly [octet: number, value: number][] = [
  [0b1000_0000, 8_031],
  [0b1000_1111, 4_191],
  [0b1001_1111, 2_079],
  [0b1010_1111, 1_023],
  [0b1011_1111, 495],
  [0b1100_1111, 231],
  [0b1101_1111, 99],
  [0b1110_1111, 33],
  [0b1111_1110, 2],
  [0b1111_1111, 0],
]

test('decoding gives the quantised values of the ITU tables, in both halves', () => {
  for (const [octet, value] of alawTable) {
    assert.deepEqual([...decodeG711('PCMA', Uint8Array.of(octet, octet ^ 0x80))], [value * 8, -value * 8])
  }
  for (const [octet, value] of mulawTable) {
    assert.deepEqual([...decodeG711('PCMU', Uint8Array.of(octet, octet ^ 0x80))], [value * 4, 0 - value * 4])
  }
})

test('the decision values of the ITU tables separate the intervals', () => {
  // Table 1a: decision value 2,048 lies between the intervals of 2,016 and 2,112; table 2a: 4,063 between 3,999 and 4,191.
  const alaw = decodeG711('PCMA', encodeG711('PCMA', Int16Array.of(2_048 * 8 - 1, 2_048 * 8)))
  assert.deepEqual([...alaw], [2_016 * 8, 2_112 * 8])
  const mulaw = decodeG711('PCMU', encodeG711('PCMU', Int16Array.of(4_063 * 4 - 1, 4_063 * 4)))
  assert.deepEqual([...mulaw], [3_999 * 4, 4_191 * 4])
})

test('the digital milliwatt of tables 5 and 6 is 1 kHz at 0 dBm0, in phase and level alike in both laws', () => {
  const alaw = decodeG711('PCMA', Uint8Array.of(0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4))
  const mulaw = decodeG711('PCMU', Uint8Array.of(0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e))
  // Full load is 3.14 dBm0 in A-law and 3.17 dBm0 in µ-law.
  const levels = [
    [alaw, 4_096 * 8 * 10 ** (-3.14 / 20)],
    [mulaw, 8_159 * 4 * 10 ** (-3.17 / 20)],
  ] as const
  for (const [samples, amplitude] of levels) {
    const rms = Math.hypot(...samples) / Math.sqrt(samples.length)
    const errorDb = 20 * Math.log10((rms * Math.SQRT2) / amplitude)
    assert.ok(Math.abs(errorDb) < 0.05, `${errorDb} dB off`)
  }
})

test('every octet survives decoding and encoding; only the negative zero of µ-law becomes the positive one', () => {
  for (const codec of codecs) {
    const changed = [...encodeG711(codec, decodeG711(codec, allOctets))].filter((octet, i) => octet !== i)
    assert.deepEqual(changed, codec === 'PCMA' ? [] : [0xff])
  }
})

test('loud samples clip, both halves mirror, and greater samples never get smaller values', () => {
  for (const codec of codecs) {
    const values = decodeG711(codec, encodeG711(codec, allSamples))
    for (let i = 1; i < values.length; i++) assert.ok((values[i] ?? 0) >= (values[i - 1] ?? 0), `${codec} at ${i}`)
    for (let i = 0; i < 32_768; i++) assert.equal((values[i] ?? 0) + (values[65_535 - i] ?? 0), 0, `${codec} at ${i}`)
  }
})

test('transcoding equals decoding and encoding, and silence stays the quietest octet', () => {
  for (const [from, to] of [
    ['PCMA', 'PCMU'],
    ['PCMU', 'PCMA'],
  ] as const) {
    assert.deepEqual(transcodeG711(allOctets, from, to), encodeG711(to, decodeG711(from, allOctets)))
    assert.equal(
      Math.abs(decodeG711(to, transcodeG711(Uint8Array.of(silenceOctet(from)), from, to))[0] ?? 99) <= 8,
      true,
    )
  }
  const copy = transcodeG711(allOctets, 'PCMA', 'PCMA')
  copy[0] = 99
  assert.equal(allOctets[0], 0)
})

const ffmpegMissing = spawnSync('ffmpeg', ['-version']).status !== 0 && 'not installed here: Debian package ffmpeg'

test('ffmpeg decodes every octet to the same sample and encodes within one interval', { skip: ffmpegMissing }, () => {
  const ffmpeg = (input: Uint8Array, ...args: string[]): Buffer =>
    spawnSync('ffmpeg', ['-v', 'error', ...args, 'pipe:1'], { input }).stdout
  for (const [codec, format] of [
    ['PCMA', 'alaw'],
    ['PCMU', 'mulaw'],
  ] as const) {
    const decoded = ffmpeg(allOctets, '-f', format, '-ar', '8000', '-i', 'pipe:0', '-f', 's16le')
    const ours = decodeG711(codec, allOctets)
    assert.equal(decoded.length, 512)
    for (let i = 0; i < 256; i++) assert.equal(decoded.readInt16LE(i * 2), ours[i], `${codec} octet ${i}`)

    // Its encoder takes the nearest value where the ITU tables have decision values: at most one interval apart, and seldom.
    const samples = new Uint8Array(allSamples.buffer)
    const encoded = ffmpeg(samples, '-f', 's16le', '-ar', '8000', '-i', 'pipe:0', '-c:a', `pcm_${format}`, '-f', format)
    const values = [...new Set(ours)].sort((a, b) => a - b)
    const rank = (octet: number): number => values.indexOf(ours[octet] ?? 0)
    let apart = 0
    for (const [i, octet] of encodeG711(codec, allSamples).entries()) {
      const intervals = Math.abs(rank(octet) - rank(encoded[i] ?? 0))
      assert.ok(intervals <= 1, `${codec} sample ${i - 32_768}: ${intervals} intervals apart`)
      apart += intervals
    }
    assert.ok(apart < 0.02 * 65_536, `${codec}: ${apart} samples apart`)
  }
})
