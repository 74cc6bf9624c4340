import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeG711 } from './g711.ts'
import { parseWav, type Wav, writeWav } from './wav.ts'

const left = Int16Array.of(0, 1, -1, 32_767, -32_768)
const right = Int16Array.of(5, 4, 3, 2, 1)

/** A RIFF file from chunks, so that odd orders and sizes can be tried. */
function riff(...chunks: [id: string, body: Uint8Array, claimedOctets?: number][]): Uint8Array {
  const parts = chunks.map(([id, body, claimedOctets = body.length]) => {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(claimedOctets)
    return Buffer.concat([Buffer.from(id), size, body, Buffer.alloc(body.length & 1)])
  })
  return Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), ...parts])
}

function format(tag: number, channels: number, rateHz: number, sampleBits: number, rest = Buffer.alloc(0)): Buffer {
  const body = Buffer.alloc(16)
  body.writeUInt16LE(tag, 0)
  body.writeUInt16LE(channels, 2)
  body.writeUInt32LE(rateHz, 4)
  body.writeUInt16LE(sampleBits, 14)
  return Buffer.concat([body, rest])
}

function readable(bytes: Uint8Array): Wav {
  const wav = parseWav(bytes)
  assert.notEqual(typeof wav, 'string', `refused: ${String(wav)}`)
  return wav as Wav
}

test('what is written is read again, mono and stereo, whatever the alignment of the buffer', () => {
  for (const samples of [[left], [left, right]]) {
    const bytes = writeWav(samples, 48_000)
    const shifted = new Uint8Array(bytes.length + 1)
    shifted.set(bytes, 1)
    for (const input of [bytes, shifted.subarray(1)]) {
      assert.deepEqual(readable(input), { rateHz: 48_000, channels: samples.length, samples })
    }
  }
})

test('a shorter channel is filled with silence, and no samples give an empty file', () => {
  const wav = readable(writeWav([left, Int16Array.of(7)], 8_000))
  assert.deepEqual(wav.samples, [left, Int16Array.of(7, 0, 0, 0, 0)])
  assert.deepEqual(readable(writeWav([new Int16Array(0)], 8_000)).samples, [new Int16Array(0)])
})

test('A-law and µ-law files are decoded', () => {
  const octets = Uint8Array.of(0xd5, 0x34, 0x80, 0xff)
  for (const [tag, codec] of [
    [6, 'PCMA'],
    [7, 'PCMU'],
  ] as const) {
    const wav = readable(riff(['fmt ', format(tag, 1, 8_000, 8)], ['fact', Buffer.alloc(4)], ['data', octets]))
    assert.deepEqual(wav, { rateHz: 8_000, channels: 1, samples: [decodeG711(codec, octets)] })
  }
})

test('the extensible format, unknown chunks of odd size and a data size left at its maximum are all read', () => {
  // WAVEFORMATEXTENSIBLE: size 22, valid bits, channel mask, then the sub-format's GUID, which begins with the tag.
  const extension = Buffer.alloc(24)
  extension.writeUInt16LE(22, 0)
  extension.writeUInt16LE(1, 8)
  const data = new Uint8Array(left.buffer)
  const chunks = [
    ['LIST', Buffer.from('odd')],
    ['fmt ', format(0xfffe, 1, 16_000, 16, extension)],
    ['data', data, 0xffff_ffff],
  ] as const
  assert.deepEqual(readable(riff(...chunks.map((chunk): [string, Uint8Array, number?] => [...chunk]))).samples, [left])
})

test('a file cut short gives the whole frames that are there', () => {
  const bytes = writeWav([left, right], 8_000)
  assert.deepEqual(readable(bytes.subarray(0, bytes.length - 5)).samples, [left.subarray(0, 3), right.subarray(0, 3)])
})

test('what cannot be read is refused with a word', () => {
  const pcm = format(1, 1, 8_000, 16)
  assert.equal(parseWav(new Uint8Array(0)), 'not-wav')
  assert.equal(parseWav(Buffer.from('RIFX\0\0\0\0WAVE')), 'not-wav')
  assert.equal(parseWav(riff(['data', Buffer.alloc(4)])), 'no-format')
  assert.equal(parseWav(riff(['LIST', Buffer.alloc(4)])), 'no-format')
  assert.equal(parseWav(riff(['fmt ', pcm])), 'no-data')
  for (const bad of [
    format(1, 1, 8_000, 24),
    format(3, 1, 8_000, 32),
    format(1, 0, 8_000, 16),
    format(1, 9, 8_000, 16),
    format(1, 1, 0, 16),
    Buffer.alloc(3),
  ]) {
    assert.equal(parseWav(riff(['fmt ', bad], ['data', Buffer.alloc(4)])), 'format-unsupported')
  }
})
