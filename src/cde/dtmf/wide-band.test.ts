// G.722 on the line (dtmf reference, 6): what is masked at 8 kHz is masked at 16 kHz, and the rest keeps its upper band.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { armedCall, type CallSettings, formats, type Heard, type TimedPacket } from '../../../test/support/dtmf-call.ts'
import { mostLikelyKey } from '../../sim/known-plaintext.ts'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import { synthesizeKeys, type ToneSettings } from '../../sim/tones.ts'
import type { AudioFormat } from '../media/audio-formats.ts'
import { G722Decoder, G722Encoder } from '../media/codecs/g722/g722.ts'
import { decodeG711 } from '../media/g711.ts'
import { fromBaseRate, toBaseRate } from '../media/resample.ts'
import { parseRtp, writeRtp } from '../media/rtp.ts'
import { CallerDirection } from './caller-direction.ts'

const SEED = 1_722
const wide: readonly AudioFormat[] = [
  { payloadType: 9, codec: 'G722', clockHz: 8_000 },
  { payloadType: 101, codec: 'telephone-event', clockHz: 8_000 },
]
/** What G.722 makes of silence, first frame included: 62 dB below full scale. */
const IDLE_PEAK = 24
/** The way through two coders (22 samples of 16 kHz each) and the line's decimator, in samples of 8 kHz. */
const CODING_DELAY = 22 + 12

/** Samples of 16 kHz as G.722 packets, each leaving when its first sample is due. */
function packetizeWide(samples: Int16Array, packetMs = 20): TimedPacket[] {
  const encoder = new G722Encoder()
  const packetSamples = packetMs * 16
  return Array.from({ length: Math.floor(samples.length / packetSamples) }, (_, index) => {
    const payload = new Uint8Array(packetSamples / 2)
    encoder.encode(samples.subarray(index * packetSamples, (index + 1) * packetSamples), payload)
    const fields = { payloadType: 9, marker: index === 0, sequence: index, timestamp: index * packetMs * 8, ssrc: 1 }
    return { atMs: index * packetMs, packet: writeRtp(fields, payload) }
  })
}

/** What the agent\u2019s G.722 decoder makes of it, at 16 kHz. */
function heardWide(heard: Heard): Int16Array {
  const decoder = new G722Decoder()
  const pieces = heard.packets.map(({ packet }) => {
    const rtp = parseRtp(packet)
    assert.ok(typeof rtp !== 'string' && rtp.payloadType === 9)
    const samples = new Int16Array(2 * rtp.payload.length)
    decoder.decode(rtp.payload, samples)
    return samples
  })
  return Int16Array.from(pieces.flatMap((piece) => [...piece]))
}

const toneAt = (samples: Int16Array, hz: number): number => {
  let [re, im] = [0, 0]
  for (const [i, sample] of samples.entries()) {
    re += sample * Math.cos((2 * Math.PI * hz * i) / 16_000)
    im += sample * Math.sin((2 * Math.PI * hz * i) / 16_000)
  }
  return (2 * Math.hypot(re, im)) / samples.length
}

const peak = (samples: Int16Array): number => samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)

function keyed(settings: ToneSettings, call: CallSettings = {}, keysCount = 16) {
  const random = seededRandom(SEED)
  const keys = Array.from({ length: keysCount }, () => Math.floor(randomUnit(random) * 16))
  const tones = synthesizeKeys(keys, { leadSamples: 1_600, ...settings }, random)
  const samples = fromBaseRate(tones.samples, 16_000, 2 * tones.samples.length)
  const heard = armedCall(packetizeWide(samples), { caller: wide, agent: wide, ...call })
  return { keys, tones, heard }
}

test('control: without a masker every key is read off the agent\u2019s G.722', () => {
  const deaf = { judge: () => ({ reachSamples: 0, afterSamples: 0, isLikely: false }) }
  const { keys, tones, heard } = keyed({ toneMs: 40, gapMs: 40 }, { newMasker: () => deaf })
  const samples = toBaseRate(heardWide(heard), 16_000)
  for (const [index, { from, to }] of tones.spans.entries()) {
    const at = heard.offset + CODING_DELAY
    assert.equal(mostLikelyKey(samples.subarray(at + from, at + to)), keys[index], `seed ${SEED} key ${index}`)
  }
})

test('keys are told once each, and where they were nothing is left but the codec\u2019s idle noise', () => {
  for (const settings of [
    { toneMs: 23, gapMs: 40 },
    { toneMs: 40, gapMs: 30, levelDbm0: -35 },
    { toneMs: 50, gapMs: 50, levelDbm0: -1 },
    { toneMs: 100, gapMs: 60, twistDb: 4 },
  ]) {
    const { keys, tones, heard } = keyed(settings)
    if (settings.toneMs >= 40) assert.deepEqual(heard.keys, keys, `seed ${SEED} ${JSON.stringify(settings)}`)
    const samples = heardWide(heard)
    for (const { from, to } of tones.spans) {
      const at = 2 * (heard.offset + CODING_DELAY)
      const loudest = peak(samples.subarray(at + 2 * from, at + 2 * to))
      assert.ok(loudest <= IDLE_PEAK, `seed ${SEED} ${JSON.stringify(settings)}: ${loudest}`)
    }
  }
})

test('the least-squares judge reads no more keys than chance, with lost, swapped and doubled packets too', () => {
  let [read, all] = [0, 0]
  const random = seededRandom(SEED)
  for (let run = 0; run < 12; run++) {
    const keys = Array.from({ length: 12 }, () => Math.floor(randomUnit(random) * 16))
    const tones = synthesizeKeys(keys, { toneMs: 60, gapMs: 60, leadSamples: 800 + run * 13 }, random)
    const packets = packetizeWide(fromBaseRate(tones.samples, 16_000, 2 * tones.samples.length))
    const damaged = packets.flatMap((packet, index) => {
      const fate = index < 3 ? 1 : randomUnit(random)
      if (fate < 0.04) return []
      return fate < 0.08 ? [packet, { ...packet, atMs: packet.atMs + 1 }] : [packet]
    })
    const heard = armedCall(damaged, { caller: wide, agent: wide })
    const samples = toBaseRate(heardWide(heard), 16_000)
    for (const [index, { from, to }] of tones.spans.entries()) {
      const at = heard.offset + CODING_DELAY
      all++
      if (mostLikelyKey(samples.subarray(at + from, at + to)) === keys[index]) read++
    }
  }
  assert.ok(read <= all / 16 + 4 * Math.sqrt((all / 16) * (15 / 16)), `seed ${SEED}: ${read} of ${all}`)
})

test('what is not masked keeps its upper band: 5 kHz is heard between keys and not under them', () => {
  const tones = synthesizeKeys([1, 5], { toneMs: 80, gapMs: 400, leadSamples: 3_200 }, seededRandom(SEED))
  const samples = fromBaseRate(tones.samples, 16_000, 2 * tones.samples.length)
  for (let i = 0; i < samples.length; i++) {
    samples[i] = (samples[i] ?? 0) + 3_000 * Math.sin((2 * Math.PI * 5_000 * i) / 16_000)
  }
  const heard = armedCall(packetizeWide(samples), { caller: wide, agent: wide })
  const audio = heardWide(heard)
  const at = 2 * (heard.offset + CODING_DELAY)
  const [first = { from: 0, to: 0 }, second = { from: 0, to: 0 }] = tones.spans
  const between = audio.subarray(at + 2 * (first.to + 800), at + 2 * (second.from - 800))
  assert.ok(Math.abs(toneAt(between, 5_000) - 3_000) < 400, `${toneAt(between, 5_000)}`)
  assert.ok(toneAt(audio.subarray(at + 2 * first.from, at + 2 * first.to), 5_000) < 20)
})

test('the pip is the same at 16 kHz for all keys', () => {
  const pips = [2, 7, 11, 15].map((key) => {
    const tones = synthesizeKeys([key], { toneMs: 60, gapMs: 200, leadSamples: 1_600 }, seededRandom(SEED))
    const packets = packetizeWide(fromBaseRate(tones.samples, 16_000, 2 * tones.samples.length))
    const audio = heardWide(armedCall(packets, { caller: wide, agent: wide, replacement: 'flat' }))
    const start = audio.findIndex((sample) => Math.abs(sample) > 300)
    const pip = audio.subarray(start, start + 1_600)
    // Its image above 4 kHz is far below it.
    assert.ok(toneAt(pip, 7_560) < toneAt(pip, 440) / 100)
    return { level: Math.round(toneAt(pip, 440) / 100), peak: Math.round(peak(audio) / 100) }
  })
  assert.ok((pips[0]?.level ?? 0) > 10)
  for (const pip of pips) assert.deepEqual(pip, pips[0])
})

test('G.722 on one side only: masked and told as well, in the codec of the agent', () => {
  const { keys, heard, tones } = keyed({ toneMs: 60, gapMs: 60 }, { agent: formats('PCMA') })
  assert.deepEqual(heard.keys, keys)
  assert.ok(heard.packets.every(({ packet }) => packet[1] === 8 || packet[1] === 0x88))
  for (const { from, to } of tones.spans) {
    const at = heard.offset + CODING_DELAY
    assert.ok(peak(heard.samples.subarray(at + from, at + to)) <= 8)
  }
})

test('relaying: packets of both sides\u2019 codec cross untouched, others are transcoded, and the stream goes on when armed', () => {
  const options = { replacement: 'silence', jitterMs: 40, random: seededRandom(SEED) } as const
  const hooks = { onKey: () => {}, onUncertain: () => {}, onMaskFailed: () => {} }
  const [packet = { atMs: 0, packet: new Uint8Array(0) }] = packetizeWide(new Int16Array(320).fill(1_000))
  const same = new CallerDirection({ ...options, ...hooks })
  same.setFormats(wide, wide, 0)
  const [out = new Uint8Array(0)] = same.receive(packet.packet, 0)
  assert.deepEqual(out.subarray(12), packet.packet.subarray(12))
  assert.equal(out[1], 0x89)
  const other = new CallerDirection({ ...options, ...hooks })
  other.setFormats(wide, formats('PCMU'), 0)
  const [narrow = new Uint8Array(0)] = other.receive(packet.packet, 0)
  assert.deepEqual([narrow.length, narrow[1]], [172, 0x80])
  const [armed = new Uint8Array(0)] = same.arm(20)
  assert.deepEqual([armed.length, armed[1]], [172, 9])
})

test('a masker that fails leaves silence at either rate', () => {
  const failing = {
    judge: () => {
      throw new Error('broken')
    },
  }
  const { heard } = keyed({ toneMs: 60, gapMs: 60 }, { newMasker: () => failing })
  assert.equal(heard.maskFailures, 1)
  assert.ok(peak(heardWide(heard)) <= IDLE_PEAK)
})

test('either side moves to another codec in mid-capture: masking goes on in the new one', () => {
  for (const [before, after] of [
    [wide, formats('PCMA')],
    [formats('PCMA'), wide],
  ] as const) {
    const keys: number[] = []
    const direction = new CallerDirection({
      replacement: 'silence',
      jitterMs: 40,
      random: seededRandom(SEED),
      onKey: (key) => keys.push(key),
      onUncertain: () => {},
      onMaskFailed: () => assert.fail('the masker failed'),
    })
    const tones = synthesizeKeys([4, 9, 1, 6], { toneMs: 60, gapMs: 60 }, seededRandom(SEED))
    const packets = packetizeWide(fromBaseRate(tones.samples, 16_000, 2 * tones.samples.length))
    direction.setFormats(wide, before, 0)
    direction.arm(0)
    const heard: TimedPacket[] = []
    for (const [index, { atMs, packet }] of packets.entries()) {
      if (index === 20) direction.setFormats(wide, after, atMs)
      direction.receive(packet, atMs)
      for (const out of direction.tick(atMs + 19)) heard.push({ atMs, packet: out })
    }
    assert.deepEqual(keys, [4, 9, 1, 6])
    const types = heard.map(({ packet }) => (packet[1] ?? 0) & 0x7f)
    assert.deepEqual([...new Set(types)], [before[0]?.payloadType, after[0]?.payloadType])
    const decoder = new G722Decoder()
    for (const { packet } of heard) {
      const rtp = parseRtp(packet)
      assert.ok(typeof rtp !== 'string')
      const samples = new Int16Array(320)
      if (rtp.payloadType === 9) decoder.decode(rtp.payload, samples)
      else decodeG711('PCMA', rtp.payload, samples)
      assert.ok(peak(samples) <= IDLE_PEAK, `seed ${SEED}: ${peak(samples)}`)
    }
  }
})
