// Opus against ffmpeg: its libopus and its own decoder hear what we send, and we hear what it sends, in stereo and with FEC too.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { missing } from '../../../../../test/support/have.ts'
import { readOggOpus, writeOggOpus } from '../../../../../test/support/ogg-opus.ts'
import { seededRandom } from '../../../../lib/random.ts'
import { synthesizeKeys } from '../../../../sim/tones.ts'
import { fromBaseRate } from '../../resample.ts'
import { OpusDecoder, OpusEncoder } from './opus.ts'
import { readOpusPacket } from './packet.ts'

const skip = missing('ffmpeg')
const SEED = 7_845

function ffmpeg(input: Uint8Array, ...options: readonly string[]): Buffer {
  const { stdout, stderr, status } = spawnSync('ffmpeg', ['-v', 'error', ...options, '-'], {
    input,
    maxBuffer: 1 << 24,
  })
  assert.equal(status, 0, stderr.toString())
  return stdout
}
const samplesOf = (octets: Buffer): Int16Array => new Int16Array(Uint8Array.from(octets).buffer)
const octetsOf = (samples: Int16Array): Uint8Array =>
  new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)

/** Keys over a quiet 300 Hz, at 16 kHz. */
function sound(): Int16Array {
  const { samples } = synthesizeKeys([1, 5, 9, 14], { toneMs: 80, gapMs: 60 }, seededRandom(SEED))
  return fromBaseRate(samples, 16_000, 2 * samples.length).map((sample, i) => sample + 900 * Math.sin(i / 8.5))
}

/** The best likeness of two pieces at any delay below 20 ms, in dB. */
function likenessDb(a: Int16Array, b: Int16Array): number {
  let best = 0
  for (let delay = 0; delay < 320; delay++) {
    let [both, first, second] = [0, 0, 0]
    for (let i = 1_600; i < Math.min(a.length, b.length) - 320; i++) {
      const [x, y] = [a[i] ?? 0, b[i + delay] ?? 0]
      both += x * y
      first += x * x
      second += y * y
    }
    best = Math.max(best, both ** 2 / (first * second))
  }
  return -10 * Math.log10(1 - best)
}

function decoded(packets: readonly Uint8Array[]): Int16Array {
  const decoder = new OpusDecoder(16_000)
  const samples = new Int16Array(1_920)
  const heard = packets.flatMap((packet) => {
    const count = decoder.decode(packet, samples)
    assert.ok(typeof count === 'number', `${count}`)
    return [...samples.subarray(0, count)]
  })
  decoder.close()
  return Int16Array.from(heard)
}

test('both decoders of ffmpeg hear in our packets what our own decoder hears', { skip }, () => {
  const encoder = new OpusEncoder(16_000)
  const said = sound()
  const payload = new Uint8Array(1_500)
  const packets = Array.from({ length: Math.floor(said.length / 320) }, (_, n) =>
    payload.slice(0, encoder.encode(said.subarray(n * 320, (n + 1) * 320), payload)),
  )
  encoder.close()
  const ours = decoded(packets)
  assert.ok(likenessDb(said, ours) > 15)
  for (const decoder of ['libopus', 'opus']) {
    const theirs = samplesOf(
      ffmpeg(writeOggOpus(packets), '-c:a', decoder, '-f', 'ogg', '-i', '-', '-f', 's16le', '-ar', '16000'),
    )
    assert.ok(likenessDb(ours, theirs) > 30, `${decoder}: ${likenessDb(ours, theirs)}`)
  }
})

test('what libopus in ffmpeg sends is heard: every frame length, speech and music, FEC, one channel and two', {
  skip,
}, () => {
  const said = sound()
  for (const [frameMs, application, channels] of [
    [10, 'lowdelay', 1],
    [20, 'voip', 1],
    [20, 'audio', 2],
    [40, 'voip', 2],
    [60, 'voip', 1],
    [2.5, 'audio', 1],
  ] as const) {
    const opus = ['-c:a', 'libopus', '-b:a', '48k', '-application', application, '-frame_duration', `${frameMs}`]
    const fec = ['-fec', '1', '-packet_loss', '20', '-ac', `${channels}`, '-f', 'ogg']
    const packets = readOggOpus(
      ffmpeg(octetsOf(said), '-f', 's16le', '-ar', '16000', '-ac', '1', '-i', '-', ...opus, ...fec),
    )
    const first = readOpusPacket(packets[0] ?? new Uint8Array(0))
    assert.ok(typeof first !== 'string' && first.durationSamples48k === frameMs * 48)
    const likeness = likenessDb(said, decoded(packets))
    assert.ok(likeness > 6, `${frameMs} ms ${application} ${channels}: ${likeness}`)
  }
})

test('of two channels that differ both are heard: a key in the right one only is not lost', { skip }, () => {
  const said = sound()
  const stereo = new Int16Array(2 * said.length)
  for (const [i, sample] of said.entries()) stereo[2 * i + 1] = sample
  const input = ['-f', 's16le', '-ar', '16000', '-ac', '2', '-i', '-', '-c:a', 'libopus', '-b:a', '96k', '-f', 'ogg']
  assert.ok(likenessDb(said, decoded(readOggOpus(ffmpeg(octetsOf(stereo), ...input)))) > 6)
})
