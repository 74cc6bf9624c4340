// Opus on the line (dtmf reference, 6): decoded, masked, encoded again at a constant rate; a codec with memory on both sides of the mask.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  armedCall,
  type CallSettings,
  formats,
  type Heard,
  impair,
  type Impairment,
  packetize,
} from '../../../test/support/dtmf-call.ts'
import {
  heardOpus,
  opusFormats,
  OPUS_TYPE,
  type OpusSettings,
  packetizeOpus,
} from '../../../test/support/opus-phone.ts'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import { mostLikelyKey } from '../../sim/known-plaintext.ts'
import { synthesizeKeys, type Tones, type ToneSettings } from '../../sim/tones.ts'
import { G722Encoder } from '../media/codecs/g722/g722.ts'
import { opusNative } from '../media/codecs/opus/native.ts'
import { OpusDecoder } from '../media/codecs/opus/opus.ts'
import { decodeG711 } from '../media/g711.ts'
import { fromBaseRate, toBaseRate } from '../media/resample.ts'
import { parseRtp, type RtpPacket, writeRtp } from '../media/rtp.ts'
import { CallerDirection } from './caller-direction.ts'
import { findKeys } from './recording.ts'

const SEED = 6_716
/** What is left of a key in 16 bits: nothing that a judge could use. */
const IDLE_PEAK = 60
/** Of the way through two coders and the line's decimator, in samples of 8 kHz: 6.5 ms, 2.5 ms and 1.5 ms. */
const CODING_DELAY = 52 + 20 + 12

interface Keyed {
  readonly keys: readonly number[]
  readonly tones: Tones
  readonly heard: Heard
  /** At 8 kHz. */
  readonly samples: Int16Array
}

function keyed(
  tone: ToneSettings,
  opus: OpusSettings = {},
  call: CallSettings = {},
  network: Impairment = {},
  seed = SEED,
): Keyed {
  const random = seededRandom(seed)
  const keys = Array.from({ length: 16 }, () => Math.floor(randomUnit(random) * 16))
  const tones = synthesizeKeys(keys, { leadSamples: 1_600, tailSamples: 3_200, ...tone }, random)
  const packets = impair(packetizeOpus(tones.samples, opus), network, random)
  const packetMs = opus.frameMs ?? 20
  const heard = armedCall(packets, { caller: opusFormats, agent: opusFormats, packetMs, ...call })
  return { keys, tones, heard, samples: toBaseRate(heardOpus(heard.packets), 16_000) }
}

/** What is left where each key was. */
function remains({ tones, heard, samples }: Keyed): Int16Array[] {
  const at = heard.offset + CODING_DELAY
  return tones.spans.map(({ from, to }) => samples.subarray(at + from, at + to))
}

const peak = (samples: Int16Array): number => samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
const numbers = (packet: Uint8Array): RtpPacket => {
  const rtp = parseRtp(packet)
  assert.ok(typeof rtp !== 'string')
  return rtp
}

test('control: without a masker every key is read off the agent’s Opus', () => {
  const deaf = { judge: () => ({ reachSamples: 0, afterSamples: 0, isLikely: false }) }
  const call = keyed({ toneMs: 40, gapMs: 40 }, {}, { newMasker: () => deaf })
  for (const [index, piece] of remains(call).entries()) assert.equal(mostLikelyKey(piece), call.keys[index])
})

test('keys are told once each and nothing is left of them: frames of 10 to 60 ms, weak and short tones, FEC, pauses left out', () => {
  const cases: [ToneSettings, OpusSettings][] = [
    [{ toneMs: 60, gapMs: 60 }, {}],
    [{ toneMs: 40, gapMs: 40, levelDbm0: -35 }, {}],
    [{ toneMs: 40, gapMs: 40 }, { frameMs: 10 }],
    [{ toneMs: 40, gapMs: 40 }, { frameMs: 40 }],
    [{ toneMs: 40, gapMs: 40 }, { frameMs: 60 }],
    [{ toneMs: 40, gapMs: 40 }, { bitrate: 64_000 }],
    [
      { toneMs: 60, gapMs: 60, snrDb: 30 },
      { fec: true, bitrate: 16_000 },
    ],
    [
      { toneMs: 100, gapMs: 400 },
      { dtx: true, bitrate: 16_000 },
    ],
    [{ toneMs: 23, gapMs: 40 }, {}],
  ]
  for (const [tone, opus] of cases) {
    const call = keyed(tone, opus)
    const facts = `seed ${SEED} ${JSON.stringify([tone, opus])}`
    if (tone.toneMs >= 40) assert.deepEqual(call.heard.keys, call.keys, facts)
    for (const piece of remains(call)) assert.ok(peak(piece) <= IDLE_PEAK, `${facts}: ${peak(piece)}`)
    assert.deepEqual(findKeys(call.samples, 8_000), [], facts)
  }
})

test('lost, swapped and doubled packets leave nothing either, although the decoder rings with what it missed', () => {
  let [read, all] = [0, 0]
  const networks: Impairment[] = [
    { lossShare: 0.1 },
    { lossShare: 0.05, burst: 3 },
    { swapShare: 0.1, duplicateShare: 0.1 },
  ]
  for (const [n, network] of networks.entries()) {
    for (let run = 0; run < 8; run++) {
      const call = keyed({ toneMs: 60, gapMs: 60 }, { fec: n === 0, bitrate: 16_000 }, {}, network, SEED + run)
      for (const [index, piece] of remains(call).entries()) {
        all++
        if (mostLikelyKey(piece) === call.keys[index]) read++
        assert.ok(peak(piece) <= IDLE_PEAK, `seed ${SEED + run} ${JSON.stringify(network)}: ${peak(piece)}`)
      }
    }
  }
  assert.ok(read <= all / 16 + 4 * Math.sqrt((all / 16) * (15 / 16)), `${read} of ${all}`)
})

test('the sender changes layer, rate and frame length in the middle of a key: masked through', () => {
  const random = seededRandom(SEED)
  const tones = synthesizeKeys([5, 9], { toneMs: 400, gapMs: 200, leadSamples: 1_600 }, random)
  const before = packetizeOpus(tones.samples, { bitrate: 12_000 })
  const after = packetizeOpus(tones.samples, { bitrate: 64_000, frameMs: 10, sequence: 65_500 - 20 })
  const packets = [...before.filter(({ atMs }) => atMs < 400), ...after.filter(({ atMs }) => atMs >= 400)]
  const heard = armedCall(packets, { caller: opusFormats, agent: opusFormats })
  assert.deepEqual(heard.keys, [5, 9])
  const samples = toBaseRate(heardOpus(heard.packets), 16_000)
  for (const piece of remains({ keys: [5, 9], tones, heard, samples }))
    assert.ok(peak(piece) <= IDLE_PEAK, `${peak(piece)}`)
})

test('packets say nothing: one size, one every 20 ms, numbers in step, whatever the key and its length', () => {
  const looks = [0, 7, 11, 15].map((key) => {
    const tones = synthesizeKeys(
      [key, key],
      { toneMs: 50 + 10 * key, gapMs: 100, leadSamples: 1_600, tailSamples: 8_000 - 160 * key },
      seededRandom(SEED),
    )
    const heard = armedCall(packetizeOpus(tones.samples), {
      caller: opusFormats,
      agent: opusFormats,
      replacement: 'flat',
    })
    const [first = new Uint8Array(0)] = heard.packets.map(({ packet }) => packet)
    return heard.packets.map(({ atMs, packet }) => {
      const { sequence, timestamp, marker, payloadType } = numbers(packet)
      const place = [(sequence - numbers(first).sequence) & 0xffff, (timestamp - numbers(first).timestamp) >>> 0]
      return [atMs, packet.length, payloadType, marker, ...place]
    })
  })
  const [one = []] = looks
  assert.deepEqual(one[3], [60, 92, OPUS_TYPE, false, 3, 2_880])
  for (const look of looks) assert.deepEqual(look.slice(0, 60), one.slice(0, 60))
})

test('the pip is the same for all keys, and no louder than it should be', () => {
  const pips = [2, 7, 11, 15].map((key) => {
    const tones = synthesizeKeys([key], { toneMs: 60, gapMs: 200, leadSamples: 1_600 }, seededRandom(SEED))
    const heard = armedCall(packetizeOpus(tones.samples), {
      caller: opusFormats,
      agent: opusFormats,
      replacement: 'flat',
    })
    const samples = heardOpus(heard.packets)
    const start = samples.findIndex((sample) => Math.abs(sample) > 300)
    return Math.round(peak(samples.subarray(start, start + 2_000)) / 500)
  })
  // 440 Hz at −20 dBm0 peaks at 2,283.
  assert.deepEqual(pips, [5, 5, 5, 5])
})

test('Opus on one side only: masked and told as well, in the codec of the agent', () => {
  const narrow = keyed({ toneMs: 60, gapMs: 60 }, {}, { agent: formats('PCMA') })
  assert.deepEqual(narrow.heard.keys, narrow.keys)
  assert.ok(narrow.heard.packets.every(({ packet }) => packet.length === 172 && ((packet[1] ?? 0) & 0x7f) === 8))
  for (const { from, to } of narrow.tones.spans) {
    // The decimator is a longer one here: 3 ms.
    const at = narrow.heard.offset + 52 + 24
    assert.ok(peak(narrow.heard.samples.subarray(at + from, at + to)) <= 8)
  }
})

test('G.711 or G.722 to an agent with Opus: masked and told, at one packet size', () => {
  const wide = [{ payloadType: 9, codec: 'G722', clockHz: 8_000 }] as const
  for (const caller of [formats('PCMU'), wide]) {
    const random = seededRandom(SEED)
    const keys = Array.from({ length: 16 }, () => Math.floor(randomUnit(random) * 16))
    const tones = synthesizeKeys(keys, { toneMs: 50, gapMs: 50, leadSamples: 1_600 }, random)
    const packets = caller === wide ? packetizeG722(tones.samples) : packetize(tones.samples, { codec: 'PCMU' })
    const heard = armedCall(packets, { caller, agent: opusFormats })
    assert.deepEqual(heard.keys, keys)
    assert.ok(heard.packets.every(({ packet }) => packet.length === 92))
    const samples = toBaseRate(heardOpus(heard.packets), 16_000)
    for (const { from, to } of tones.spans) {
      // G.722 is 22 samples of 16 kHz late at most, the decimator 12 of 8 kHz, CELT 20.
      const at = heard.offset + (caller === wide ? 11 : 0) + 12 + 20
      assert.ok(peak(samples.subarray(at + from, at + to)) <= IDLE_PEAK)
    }
  }
})

function packetizeG722(samples: Int16Array) {
  const encoder = new G722Encoder()
  const wide = fromBaseRate(samples, 16_000, 2 * samples.length)
  return Array.from({ length: Math.floor(wide.length / 320) }, (_, n) => {
    const payload = new Uint8Array(160)
    encoder.encode(wide.subarray(n * 320, (n + 1) * 320), payload)
    const fields = { payloadType: 9, marker: n === 0, sequence: n, timestamp: n * 160, ssrc: 1 }
    return { atMs: n * 20, packet: writeRtp(fields, payload) }
  })
}

test('either side moves to Opus or away from it in mid-capture: keys are told, masked, and the stream is in the new clock', () => {
  for (const [callerAfter, agentAfter] of [
    [opusFormats, formats('PCMA')],
    [formats('PCMA'), opusFormats],
    [opusFormats, opusFormats],
  ] as const) {
    const keys: number[] = []
    const hooks = { onConflict: () => {}, onMaskFailed: () => assert.fail(), onUncertain: () => {} }
    const onKey = (key: number): void => void keys.push(key)
    const leg = new CallerDirection({
      replacement: 'silence',
      jitterMs: 40,
      random: seededRandom(SEED),
      onKey,
      ...hooks,
    })
    const tones = synthesizeKeys([4, 9, 1, 6], { toneMs: 60, gapMs: 140, tailSamples: 4_000 }, seededRandom(SEED))
    const before = packetize(tones.samples).filter(({ atMs }) => atMs < 500)
    const isOpus = callerAfter === opusFormats
    const after = isOpus ? packetizeOpus(tones.samples, { sequence: 65_500 }) : packetize(tones.samples)
    leg.setFormats(formats('PCMA'), formats('PCMA'), 0)
    leg.arm(0)
    const heard: RtpPacket[] = []
    for (const { atMs, packet } of [...before, ...after.filter(({ atMs }) => atMs >= 500)]) {
      if (atMs === 500) leg.setFormats(callerAfter, agentAfter, atMs)
      leg.receive(packet, atMs)
      heard.push(...leg.tick(atMs + 19).map(numbers))
    }
    assert.deepEqual(keys, [4, 9, 1, 6])
    const decoder = new OpusDecoder(16_000)
    const samples = new Int16Array(1_920)
    for (const [n, { payload, payloadType, timestamp }] of heard.entries()) {
      if (n > 0) {
        const step = (timestamp - (heard[n - 1]?.timestamp ?? 0)) >>> 0
        assert.equal(step, heard[n - 1]?.payloadType === OPUS_TYPE ? 960 : 160)
      }
      const count =
        payloadType === OPUS_TYPE ? decoder.decode(payload, samples) : decodeG711('PCMA', payload, samples).length
      assert.ok(typeof count === 'number' && peak(samples.subarray(0, count)) <= IDLE_PEAK)
    }
    assert.equal(heard.at(-1)?.payloadType, agentAfter[0]?.payloadType)
    decoder.close()
    leg.close()
  }
})

test('a key at the end of a drain that is never quiet: nothing crosses untouched before the key is over, copies of it neither', () => {
  const hooks = { onKey: () => {}, onConflict: () => {}, onMaskFailed: () => {}, onUncertain: () => {} }
  for (const heldMs of [100, 300, 900]) {
    const random = seededRandom(SEED)
    const { samples, spans } = synthesizeKeys([6], { toneMs: heldMs, gapMs: 1_500, leadSamples: 15_200 }, random)
    const [tone = { from: 0, to: 0 }] = spans
    const loud = samples.map((sample, i) => sample + 1_500 * Math.sin(i / 4.2))
    const leg = new CallerDirection({ replacement: 'silence', jitterMs: 40, random, ...hooks })
    leg.setFormats(opusFormats, opusFormats, 0)
    leg.arm(0)
    leg.disarm(0)
    const packets = packetizeOpus(loud, { fec: true, bitrate: 16_000 })
    const first = packets.find(({ packet, atMs }) => {
      leg.tick(atMs)
      return leg.receive(packet, atMs).length > 0
    })
    // 60 ms of a packet before may be in the first one that crosses.
    assert.ok((first?.atMs ?? 0) >= tone.to / 8 + 60, `${heldMs} ms: ${first?.atMs} ${tone.to / 8}`)
    assert.ok((first?.atMs ?? 1e9) <= 4_000)
    leg.close()
  }
})

test('calls that end give their coders back: a hundred one after the other need what one needs', () => {
  const call = (): void => {
    const hooks = { onKey: () => {}, onConflict: () => {}, onMaskFailed: () => {}, onUncertain: () => {} }
    const leg = new CallerDirection({ replacement: 'flat', jitterMs: 40, random: seededRandom(SEED), ...hooks })
    leg.setFormats(opusFormats, formats('PCMA'), 0)
    for (const { packet, atMs } of packetizeOpus(new Int16Array(480))) leg.receive(packet, atMs)
    leg.setFormats(opusFormats, opusFormats, 60)
    leg.arm(60)
    for (const { packet, atMs } of packetizeOpus(new Int16Array(480))) leg.receive(packet, 60 + atMs)
    leg.tick(120)
    leg.close()
  }
  call()
  const before = opusNative().pairsMade
  const octets = opusNative().memoryOctets
  for (let n = 0; n < 100; n++) call()
  assert.equal(opusNative().pairsMade, before)
  assert.equal(opusNative().memoryOctets, octets)
})

test('what cannot be decoded is masked, and four octets are a suspected event; neither is passed on', () => {
  const tones = synthesizeKeys([4], { toneMs: 60, gapMs: 300, leadSamples: 1_600 }, seededRandom(SEED))
  const packets = packetizeOpus(tones.samples)
  const [first = { atMs: 0, packet: new Uint8Array(0) }] = packets
  const odd = [Uint8Array.of(3), Uint8Array.of(5, 10, 1, 64), Uint8Array.of(0xfb, 0x3f, ...new Uint8Array(9).fill(7))]
  const added = odd.map((payload, n) => ({
    atMs: 301 + n * 20,
    packet: writeRtp({ ...numbers(first.packet), sequence: 900 + n }, payload),
  }))
  const heard = armedCall(
    [...packets, ...added].sort((a, b) => a.atMs - b.atMs),
    { caller: opusFormats, agent: opusFormats },
  )
  assert.equal(heard.counters['dtmf_audio_refused'], 3)
  assert.equal(heard.counters['dtmf_event_suspected'], 1)
  assert.deepEqual(heard.keys, [4])
  assert.ok(heard.packets.every(({ packet }) => packet.length === 92))
})
