// Opus through the compiled libopus: RFC 6716 3, RFC 7587.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { relayedOpusParameters } from './fmtp.ts'
import { opusNative, OpusNative } from './native.ts'
import { OpusDecoder, OpusEncoder, type OpusRateHz } from './opus.ts'
import { readOpusPacket } from './packet.ts'

const rates: readonly OpusRateHz[] = [8_000, 16_000]
/** The overlap of CELT's frames. */
const DELAY_MS = 2.5

const tones = (rateHz: number, samples: number): Int16Array =>
  Int16Array.from({ length: samples }, (_, i) => {
    const turn = (2 * Math.PI * i) / rateHz
    return 5_000 * Math.sin(770 * turn) + 5_000 * Math.sin(1_336 * turn)
  })

/** Signal to error, once the coders have settled. @param delay samples */
function likenessDb(original: Int16Array, heard: Int16Array, delay: number): number {
  let [signal, error] = [0, 0]
  for (let i = 1_600; i < original.length - 500; i++) {
    signal += (original[i] ?? 0) ** 2
    error += ((original[i] ?? 0) - (heard[i + delay] ?? 0)) ** 2
  }
  return 10 * Math.log10(signal / error)
}

/** The 20 ms packets of `samples`. */
function packets(encoder: OpusEncoder, samples: Int16Array): Uint8Array[] {
  const frame = encoder.sampleRateHz / 50
  const payload = new Uint8Array(1_500)
  return Array.from({ length: samples.length / frame }, (_, n) =>
    payload.slice(0, encoder.encode(samples.subarray(n * frame, (n + 1) * frame), payload)),
  )
}

test('two tones come back 2.5 ms later at either rate, in packets of one size', () => {
  for (const rateHz of rates) {
    const encoder = new OpusEncoder(rateHz)
    const decoder = new OpusDecoder(rateHz)
    const original = tones(rateHz, rateHz)
    const sent = packets(encoder, original)
    assert.deepEqual(new Set(sent.map(({ length }) => length)), new Set([80]))
    const heard = new Int16Array(rateHz)
    for (const [n, packet] of sent.entries()) {
      assert.equal(decoder.decode(packet, heard.subarray((n * rateHz) / 50)), rateHz / 50)
    }
    assert.ok(likenessDb(original, heard, (rateHz * DELAY_MS) / 1_000) > 15)
    encoder.close()
    decoder.close()
  }
})

test('no packet can bring a copy of its predecessor, however onset-like the sound is: only SILK has them', () => {
  const encoder = new OpusEncoder(16_000)
  const loud = tones(16_000, 320)
  const samples = new Int16Array(320 * 40)
  for (let n = 0; n < 40; n++) if (n % 8 > 4) samples.set(loud, n * 320)
  // RFC 6716 3.1, table 2: 16 to 31 are CELT.
  for (const [toc = 0] of packets(encoder, samples)) assert.ok(toc >> 3 >= 16)
  encoder.close()
})

test('a tone that begins and ends in silence is not made louder', () => {
  const encoder = new OpusEncoder(16_000)
  const decoder = new OpusDecoder(16_000)
  const sound = new Int16Array(320 * 60)
  const tone = tones(16_000, 240)
  for (let n = 0; n < 12; n++) sound.set(tone, 1_000 + n * 1_210)
  const samples = new Int16Array(1_920)
  let loudest = 0
  for (const packet of packets(encoder, sound)) {
    const count = decoder.decode(packet, samples)
    assert.equal(count, 320)
    for (const sample of samples.subarray(0, count)) loudest = Math.max(loudest, Math.abs(sample))
  }
  assert.ok(loudest < 14_000, `${loudest}`)
  encoder.close()
  decoder.close()
})

test('a frame of one octet is silence for as long as it says, even right after a tone', () => {
  const encoder = new OpusEncoder(16_000)
  const decoder = new OpusDecoder(16_000)
  const samples = new Int16Array(1_920)
  const sent = packets(encoder, tones(16_000, 3_200))
  for (const packet of sent) decoder.decode(packet, samples)
  const toc = (sent[0]?.[0] ?? 0) & 0xfc
  assert.equal(decoder.decode(Uint8Array.of(toc), samples.fill(99)), 320)
  assert.deepEqual(samples.subarray(0, 320), new Int16Array(320))
  encoder.close()
  decoder.close()
})

test('packets that are none are refused by name, and the next good one is heard', () => {
  const encoder = new OpusEncoder(16_000)
  const decoder = new OpusDecoder(16_000)
  const samples = new Int16Array(1_920)
  const [good = new Uint8Array(0)] = packets(encoder, tones(16_000, 320))
  assert.equal(decoder.decode(new Uint8Array(0), samples), 'empty')
  assert.equal(decoder.decode(Uint8Array.of(3), samples), 'not-decodable')
  assert.equal(decoder.decode(Uint8Array.of(255, 255, 255, 255), samples), 'too-long')
  assert.equal(
    decoder.decode(
      good.subarray(0, 1).map((octet) => octet | 2),
      samples,
    ),
    'not-decodable',
  )
  assert.equal(decoder.decode(good, samples.subarray(0, 319)), 'too-long')
  assert.equal(decoder.decode(good, samples), 320)
  encoder.close()
  decoder.close()
  assert.equal(decoder.decode(good, samples), 'not-decodable')
  assert.equal(encoder.encode(new Int16Array(320), new Uint8Array(100)), 0)
})

test('the packet says how long it lasts (RFC 6716 table 2)', () => {
  const duration = (...octets: readonly number[]) => {
    const packet = readOpusPacket(Uint8Array.from(octets))
    return typeof packet === 'string' ? packet : packet.durationSamples48k / 48
  }
  assert.deepEqual(
    [0, 1, 2, 3].map((size) => duration(size << 3, 0)),
    [10, 20, 40, 60],
  )
  assert.deepEqual(
    [12, 13].map((size) => duration(size << 3, 0)),
    [10, 20],
  )
  assert.deepEqual(
    [16, 17, 18, 19].map((size) => duration(size << 3, 0)),
    [2.5, 5, 10, 20],
  )
  assert.equal(duration((1 << 3) | 1, 0), 40)
  assert.equal(duration((1 << 3) | 3, 6, 0), 120)
  assert.equal(duration((1 << 3) | 3, 7, 0), 'too-long')
  assert.equal(duration((1 << 3) | 3, 0, 0), 'no-frame-count')
  assert.equal(duration((1 << 3) | 3), 'no-frame-count')
})

test('the shared memory holds nothing of what was said', () => {
  const encoder = new OpusEncoder(16_000)
  const decoder = new OpusDecoder(16_000)
  const samples = new Int16Array(1_920)
  for (const packet of packets(encoder, tones(16_000, 3_200))) decoder.decode(packet, samples)
  assert.ok(opusNative().isWiped)
  encoder.close()
  decoder.close()
})

test('an encoder and a decoder share one pair; a thread has so many and no more, and a closed half is used again', () => {
  const native = new OpusNative(2)
  const encoder = native.open('encoder', 16_000)
  assert.equal(native.open('decoder', 16_000), encoder)
  assert.notEqual(native.open('decoder', 16_000), undefined)
  assert.equal(native.open('decoder', 16_000), undefined)
  assert.equal(native.open('encoder', 8_000), undefined)
  assert.ok(encoder !== undefined)
  native.close('decoder', 16_000, encoder)
  assert.equal(native.open('decoder', 16_000), encoder)
})

test('a decoder that was closed remembers nothing: the next stream begins as in a new one', () => {
  const encoder = new OpusEncoder(16_000)
  const sent = packets(encoder, tones(16_000, 3_200))
  const [first = new Uint8Array(0)] = packets(encoder, tones(16_000, 320).reverse())
  encoder.close()
  const samples = new Int16Array(1_920)
  const used = new OpusDecoder(16_000)
  for (const packet of sent) used.decode(packet, samples)
  used.close()
  const next = new OpusDecoder(16_000)
  assert.equal(next.decode(first, samples), 320)
  const untouched = new OpusNative(1)
  const handler = untouched.open('decoder', 16_000)
  const expected = new Int16Array(1_920)
  assert.ok(handler !== undefined && untouched.decode(handler, first, expected) === 320)
  assert.deepEqual(samples.subarray(0, 320), expected.subarray(0, 320))
  next.close()
})

test('a thousand coders opened and closed one after the other need no more memory than ten', () => {
  const open = (): OpusEncoder[] => Array.from({ length: 10 }, () => new OpusEncoder(16_000))
  for (const encoder of open()) encoder.close()
  const before = opusNative().memoryOctets
  for (let n = 0; n < 100; n++) for (const encoder of open()) encoder.close()
  assert.equal(opusNative().memoryOctets, before)
})

test('parameters cross without what tells of the sender, and with FEC and DTX refused', () => {
  assert.equal(relayedOpusParameters(''), 'useinbandfec=0;usedtx=0;stereo=0')
  assert.equal(
    relayedOpusParameters('minptime=10; useinbandfec=1;usedtx=1;stereo=1;maxplaybackrate=16000; CBR=1;cbr=0;x-key=1'),
    'maxplaybackrate=16000;cbr=1;useinbandfec=0;usedtx=0;stereo=0',
  )
  assert.equal(relayedOpusParameters('maxaveragebitrate=99;maxplaybackrate=1;;='), 'useinbandfec=0;usedtx=0;stereo=0')
})

test('the module loads and works with the rights that the card zone has: reading code, nothing else', () => {
  const here = fileURLToPath(new URL('./opus.ts', import.meta.url))
  const root = fileURLToPath(new URL('../../../../../', import.meta.url))
  const rights = [`${root}src/*`, `${root}node_modules/opusscript/*`, `${root}package.json`]
  const program = `
    const { OpusEncoder } = await import(${JSON.stringify(here)})
    const octets = new OpusEncoder(16_000).encode(new Int16Array(320), new Uint8Array(100))
    process.exitCode = octets === 80 && !process.permission.has('fs.write') && !process.permission.has('addon') ? 0 : 9`
  const flags = ['--disable-sigusr1', '--permission', ...rights.map((path) => `--allow-fs-read=${path}`)]
  const run = spawnSync(process.execPath, [...flags, '--input-type=module', '-e', program], { env: {} })
  assert.equal(run.status, 0, run.stderr.toString())
})

test('packets of any whole number of 10 ms: those that libopus has no frame for hold several, and are heard as they were said', () => {
  const decoder = new OpusDecoder(16_000)
  const encoder = new OpusEncoder(16_000)
  const original = tones(16_000, 160 * 90)
  const heard = new Int16Array(160 * 90)
  const payload = new Uint8Array(1_500)
  for (let from = 0; from < original.length; from += 480) {
    const packet = payload.subarray(0, encoder.encode(original.subarray(from, from + 480), payload))
    assert.equal(decoder.decode(packet, heard.subarray(from)), 480)
  }
  assert.ok(likenessDb(original, heard, 16 * DELAY_MS) > 10)
  assert.equal(encoder.encode(new Int16Array(165), payload), 0)
  assert.equal(encoder.encode(new Int16Array(160 * 13), payload), 0)
  encoder.close()
  decoder.close()
})
