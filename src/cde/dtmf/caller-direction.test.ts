import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  armedCall,
  audioOf,
  EVENT_TYPE,
  formats,
  PAYLOAD_TYPES,
  packetize,
  soundingSamples,
  type TimedPacket,
} from '../../../test/support/dtmf-call.ts'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import { eventPackets, eventPayload, synthesizeKeys } from '../../sim/tones.ts'
import { decodeG711, encodeG711 } from '../media/g711.ts'
import { parseRtp, type RtpPacket, writeRtp } from '../media/rtp.ts'
import { CallerDirection, type CallerDirectionOptions } from './caller-direction.ts'

const SEED = 88

function direction(options: Partial<CallerDirectionOptions> = {}): CallerDirection {
  return new CallerDirection({
    replacement: 'silence',
    jitterMs: 40,
    random: seededRandom(SEED),
    onKey: () => {},
    onUncertain: () => {},
    onMaskFailed: () => {},
    ...options,
  })
}

function read(packet: Uint8Array | undefined): RtpPacket {
  const rtp = packet === undefined ? 'short' : parseRtp(packet)
  assert.ok(typeof rtp !== 'string')
  return rtp
}

/** Speech-like: loud, never a tone pair. */
function noise(length: number): Int16Array {
  const random = seededRandom(SEED)
  return Int16Array.from({ length }, () => (randomUnit(random) - 0.5) * 8_000)
}

function assertContinuous(packets: readonly TimedPacket[]): void {
  for (let i = 1; i < packets.length; i++) {
    const before = read(packets[i - 1]?.packet)
    const rtp = read(packets[i]?.packet)
    assert.equal(rtp.ssrc, before.ssrc)
    assert.equal(rtp.sequence, (before.sequence + 1) & 0xffff)
    assert.equal(rtp.timestamp, (before.timestamp + before.payload.length) >>> 0)
  }
}

test('relaying: audio goes out at once on our own stream, transcoded when the laws differ', () => {
  const samples = noise(1_600)
  for (const [codec, agentCodec] of [
    ['PCMA', 'PCMA'],
    ['PCMA', 'PCMU'],
    ['PCMU', 'PCMA'],
  ] as const) {
    const leg = direction()
    leg.setFormats(formats(codec), formats(agentCodec), 0)
    const out = packetize(samples, { codec, ssrc: 5 }).flatMap(({ atMs, packet }) =>
      leg.receive(packet, atMs).map((sent) => ({ atMs, packet: sent })),
    )
    assert.equal(out.length, 10)
    assertContinuous(out)
    assert.notEqual(read(out[0]?.packet).ssrc, 5)
    for (const { packet } of out) assert.equal(read(packet).payloadType, PAYLOAD_TYPES[agentCodec])
    const expected = decodeG711(codec, encodeG711(codec, samples))
    if (codec === agentCodec) assert.deepEqual(audioOf(out), expected)
    else assert.deepEqual(audioOf(out), decodeG711(agentCodec, encodeG711(agentCodec, expected)))
    assert.equal(leg.nextTickAtMs(), undefined)
  }
})

test('relaying: events keep their shared timestamp and get the agent’s payload number', () => {
  const leg = direction()
  leg.setFormats(formats('PCMA', 97), formats('PCMA', 110), 0)
  const audio = packetize(noise(160), { ssrc: 3, timestamp: 640, sequence: 1 })[0]
  const first = read(leg.receive(audio?.packet ?? new Uint8Array(0), 0)[0])
  const settings = { payloadType: 97, ssrc: 3, sequence: 2, timestamp: 800, durationUnits: 640 }
  const out = eventPackets(5, settings).flatMap(({ atUnits, packet }) => leg.receive(packet, 20 + atUnits / 8))
  assert.equal(out.length, 6)
  for (const packet of out) {
    assert.equal(read(packet).payloadType, 110)
    assert.equal(read(packet).timestamp, (first.timestamp + 160) >>> 0)
    assert.equal(read(packet).payload[0], 5)
  }
})

test('relaying: unknown types, extensions, broken packets and mislabelled events do not cross', () => {
  const leg = direction()
  leg.setFormats(formats(), formats('PCMA', 'none'), 0)
  const fields = { payloadType: 8, marker: false, sequence: 1, timestamp: 0, ssrc: 1 }
  assert.deepEqual(leg.receive(writeRtp({ ...fields, payloadType: 13 }, new Uint8Array(1)), 0), [])
  assert.deepEqual(leg.receive(writeRtp({ ...fields, payloadType: 96 }, new Uint8Array(160)), 0), [])
  assert.deepEqual(leg.receive(writeRtp(fields, eventPayload(5, false, 10, 160)), 0), [])
  assert.deepEqual(
    leg.receive(writeRtp({ ...fields, payloadType: EVENT_TYPE }, eventPayload(5, false, 10, 160)), 0),
    [],
  )
  assert.deepEqual(leg.receive(new Uint8Array(5), 0), [])
  const withExtension = Uint8Array.from([
    0x90,
    8,
    0,
    2,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    0xbe,
    0xde,
    0,
    1,
    0x10,
    0x55,
    0,
    0,
    ...new Uint8Array(160),
  ])
  assert.equal(leg.receive(withExtension, 20)[0]?.length, 172)
  const counters = leg.counters()
  assert.equal(counters['dtmf_unknown_type_dropped'], 2)
  assert.equal(counters['dtmf_audio_refused'], 1)
  assert.equal(counters['dtmf_event_not_relayed'], 1)
  assert.equal(counters['dtmf_rtp_refused'], 1)
})

test('armed: one packet of 20 ms per tick whatever comes, also when nothing comes, on the same stream as before', () => {
  const leg = direction()
  leg.setFormats(formats(), formats(), 0)
  const out: TimedPacket[] = []
  for (const { atMs, packet } of packetize(noise(1_600)))
    for (const sent of leg.receive(packet, atMs)) out.push({ atMs, packet: sent })
  for (const packet of leg.arm(195)) out.push({ atMs: 195, packet })
  assert.equal(leg.armed, true)
  for (let nowMs = leg.nextTickAtMs() ?? 0; nowMs < 1_000; nowMs = leg.nextTickAtMs() ?? Infinity) {
    const sent = leg.tick(nowMs)
    assert.equal(sent.length, 1)
    out.push({ atMs: nowMs, packet: sent[0] ?? new Uint8Array(0) })
  }
  assertContinuous(out)
  assert.equal(out.at(-1)?.atMs, 980)
  assert.equal(out.length, 50)
  for (const { packet } of out) assert.equal(packet.length, 172)
})

test('armed: the voice comes through unchanged, by the constant delay later', () => {
  const samples = noise(16_000)
  for (const [packetMs, jitterMs] of [
    [20, 40],
    [20, 0],
    [10, 40],
    [30, 40],
    [60, 20],
    [20, 200],
  ] as const) {
    const heard = armedCall(packetize(samples, { packetMs }), { packetMs, jitterMs })
    const expected = decodeG711('PCMA', encodeG711('PCMA', samples))
    // The very first 30 ms border on the silence of arming, and masks end with a cell of 10 ms.
    const from = heard.offset + 320
    assert.deepEqual(
      heard.samples.slice(from, from + 12_000),
      expected.slice(320, 12_320),
      `${packetMs} ms, ${jitterMs} ms`,
    )
  }
})

test('armed: only audio of the agent’s type leaves, while tones, events and foreign types rain', () => {
  const random = seededRandom(SEED)
  const tones = synthesizeKeys([1, 2, 3, 4], { toneMs: 100, gapMs: 100 }, random)
  const foreign = tones.spans.flatMap(({ from }, index) =>
    [EVENT_TYPE, 96, 97, 13, 0, 8].map((payloadType, n) => ({
      atMs: from / 8 + 5 + n,
      packet: writeRtp(
        { payloadType, marker: true, sequence: 9_000 + index, timestamp: from, ssrc: 1 },
        eventPayload(index + 1, false, 10, 160),
      ),
    })),
  )
  const inputs = [...packetize(tones.samples, { timestamp: 0, sequence: 0 }), ...foreign].sort(
    (a, b) => a.atMs - b.atMs,
  )
  const heard = armedCall(inputs)
  assertContinuous(heard.packets)
  for (const { packet } of heard.packets) {
    assert.equal(packet[0], 0x80)
    assert.equal(read(packet).payloadType, 8)
    assert.equal(packet.length, 172)
  }
  assert.equal(soundingSamples(heard.samples), 0)
})

test('armed: a suspected event masks the whole delay line backwards', () => {
  const samples = noise(16_000)
  for (const payloadType of [EVENT_TYPE, 97, 8]) {
    const event = writeRtp(
      { payloadType, marker: true, sequence: 9, timestamp: 0, ssrc: 1 },
      eventPayload(1, true, 10, 400),
    )
    const heard = armedCall([...packetize(samples), { atMs: 1_000, packet: event }].sort((a, b) => a.atMs - b.atMs))
    // At 1,000 ms the agent hears what arrived 100 ms ago: nothing of it leaves any more.
    assert.equal(soundingSamples(heard.samples.subarray(8_160, 8_160 + 800)), 0, `type ${payloadType}`)
    assert.ok(soundingSamples(heard.samples.subarray(7_000, 8_000)) > 500)
    assert.ok(soundingSamples(heard.samples.subarray(12_000, 13_000)) > 500)
  }
})

test('armed: a change of SSRC or a jump of the timestamp in mid tone leaks nothing', () => {
  const random = seededRandom(SEED)
  for (let at = 0; at < 30; at++) {
    for (const jump of [0, 5_000, 80_000, -300, -80_000, 2 ** 31]) {
      const tones = synthesizeKeys([5, 9], { toneMs: 60, gapMs: 60, leadSamples: 4_000 + at * 11 }, random)
      const cut = Math.floor((4_000 + 100) / 160) + (at % 4)
      const packets = packetize(tones.samples, { timestamp: 1_000, ssrc: 1 }).map(({ atMs, packet }, index) => {
        if (index < cut) return { atMs, packet }
        const rtp = read(packet)
        return {
          atMs,
          packet: writeRtp({ ...rtp, ssrc: jump === 0 ? 2 : 1, timestamp: rtp.timestamp + jump }, rtp.payload),
        }
      })
      assert.equal(soundingSamples(armedCall(packets).samples), 0, `cut ${cut}, jump ${jump}, seed ${SEED}`)
    }
  }
})

test('armed: the voice is back soon after a new SSRC, a jump, a stall of the clock during an event, and DTX', () => {
  const samples = noise(32_000)
  const shift = (change: (index: number, rtp: RtpPacket) => Partial<RtpPacket>): TimedPacket[] =>
    packetize(samples, { timestamp: 1_000 }).map(({ atMs, packet }, index) => {
      const rtp = read(packet)
      return { atMs, packet: index < 50 ? packet : writeRtp({ ...rtp, ...change(index, rtp) }, rtp.payload) }
    })
  const event = writeRtp(
    { payloadType: EVENT_TYPE, marker: true, sequence: 9, timestamp: 9_000, ssrc: 1 },
    eventPayload(1, true, 10, 400),
  )
  const cases = {
    ssrc: shift(() => ({ ssrc: 9 })),
    jump: shift((_, rtp) => ({ timestamp: rtp.timestamp + 500_000 })),
    back: shift((_, rtp) => ({ timestamp: rtp.timestamp - 4_000 })),
    stall: [...shift((_, rtp) => ({ timestamp: rtp.timestamp - 3_200 })), { atMs: 999, packet: event }],
    pause: packetize(samples).filter((_, index) => index < 50 || index > 60),
  }
  for (const [name, packets] of Object.entries(cases)) {
    const heard = armedCall(packets.sort((a, b) => a.atMs - b.atMs))
    assert.ok(soundingSamples(heard.samples.subarray(12_000, 20_000)) > 7_500, name)
  }
})

test('disarmed: the line is played out masked, nothing is heard twice, then the delay is gone', () => {
  const leg = direction()
  leg.setFormats(formats(), formats(), 0)
  const out: TimedPacket[] = []
  const tones = synthesizeKeys(
    [7],
    { toneMs: 100, gapMs: 50, leadSamples: 3_200, tailSamples: 9_600 },
    seededRandom(SEED),
  )
  for (const packet of leg.arm(0)) out.push({ atMs: 0, packet })
  for (const { atMs, packet } of packetize(tones.samples)) {
    for (let tickMs = leg.nextTickAtMs(); tickMs !== undefined && tickMs <= atMs; tickMs = leg.nextTickAtMs()) {
      for (const sent of leg.tick(tickMs)) out.push({ atMs: tickMs, packet: sent })
    }
    for (const sent of leg.receive(packet, atMs)) out.push({ atMs, packet: sent })
    // In the middle of the tone's way through the line.
    if (atMs === 520) for (const sent of leg.disarm(atMs)) out.push({ atMs, packet: sent })
  }
  assert.equal(leg.armed, false)
  assert.equal(leg.nextTickAtMs(), undefined)
  assert.equal(soundingSamples(audioOf(out)), 0)
  assertContinuous(out)
})

test('disarmed while the caller talks without a pause: at zero delay after 2 s at the latest', () => {
  const leg = direction()
  leg.setFormats(formats(), formats(), 0)
  leg.arm(0)
  leg.disarm(10)
  for (const { atMs, packet } of packetize(noise(24_000))) {
    leg.tick(atMs)
    const relayed = leg.receive(packet, atMs)
    if (atMs > 2_060) assert.equal(relayed.length, 1)
  }
})

test('armed again while draining, armed twice, disarmed twice: no seam, no key lost', () => {
  const keys: number[] = []
  const leg = direction({ onKey: (key) => keys.push(key) })
  leg.setFormats(formats(), formats(), 0)
  const tones = synthesizeKeys([1, 2, 3], { toneMs: 80, gapMs: 300, leadSamples: 4_000 }, seededRandom(SEED))
  leg.arm(0)
  leg.arm(10)
  for (const { atMs, packet } of packetize(tones.samples)) {
    leg.tick(atMs)
    if (atMs === 300) leg.disarm(atMs)
    if (atMs === 320) leg.disarm(atMs)
    if (atMs === 340) leg.arm(atMs)
    assert.deepEqual(leg.receive(packet, atMs), [])
  }
  assert.deepEqual(keys, [1, 2, 3])
})

test('keys before arming and after disarming are told to nobody', () => {
  const keys: number[] = []
  const leg = direction({ onKey: (key) => keys.push(key) })
  leg.setFormats(formats(), formats(), 0)
  const tones = synthesizeKeys([1, 2], { toneMs: 80, gapMs: 500, leadSamples: 1_600 }, seededRandom(SEED))
  for (const { atMs, packet } of packetize(tones.samples)) {
    leg.tick(atMs)
    if (atMs === 400) leg.arm(atMs)
    if (atMs === 600) leg.disarm(atMs)
    leg.receive(packet, atMs)
  }
  leg.infoKey(5, 3_000)
  assert.deepEqual(keys, [])
})

test('a masker that throws: silence from then on, told once, the call goes on', () => {
  let windows = 0
  const newMasker = () => ({
    judge: () => {
      if (++windows > 200) throw new Error('planted')
      return { reachSamples: 0, afterSamples: 0, isLikely: false }
    },
  })
  const heard = armedCall(packetize(noise(16_000)), { newMasker })
  assert.equal(heard.maskFailures, 1)
  assert.equal(heard.counters['dtmf_mask_failed'], 1)
  assert.ok(soundingSamples(heard.samples.subarray(1_000, 5_000)) > 2_000)
  assert.equal(soundingSamples(heard.samples.subarray(9_000)), 0)
  assertContinuous(heard.packets)
  assert.equal(heard.packets.length, 149)
})

test('an agent without audio gets nothing, and hears again after the next offer and answer', () => {
  const leg = direction()
  leg.setFormats(formats(), [], 0)
  leg.arm(0)
  assert.deepEqual(leg.tick(100), [])
  leg.setFormats(formats(), formats('PCMU'), 110)
  const [packet] = leg.tick(120)
  assert.equal(read(packet).payloadType, 0)
  assert.equal(leg.armed, true)
})

test('a process that was held up makes up for 200 ms and leaves out the rest', () => {
  const leg = direction()
  leg.setFormats(formats(), formats(), 0)
  leg.arm(0)
  assert.equal(leg.tick(10_000).length, 11)
  assert.ok((leg.counters()['dtmf_ticks_skipped'] ?? 0) > 400)
  assert.ok((leg.nextTickAtMs() ?? 0) > 10_000)
})
