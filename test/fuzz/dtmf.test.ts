import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallerDirection } from '../../src/cde/dtmf/caller-direction.ts'
import { parseEvents } from '../../src/cde/dtmf/events.ts'
import { parseInfoBody } from '../../src/cde/dtmf/info-body.ts'
import type { AudioFormat } from '../../src/cde/media/audio-formats.ts'
import { parseRtp, writeRtp } from '../../src/cde/media/rtp.ts'
import { type RandomBytes, seededRandom } from '../../src/lib/random.ts'
import { eventPayload } from '../../src/sim/tones.ts'
import { packetizeOpus } from '../support/opus-phone.ts'
import { below, mutate } from './mutate.ts'

const SEED = 20_262
const RUNS = 20_000
const text = (body: string): Uint8Array => new TextEncoder().encode(body)

test('mutated event payloads are blocks within range or a word', () => {
  const random = seededRandom(SEED)
  const valid = Uint8Array.from([...eventPayload(5, false, 10, 160), ...eventPayload(11, true, 63, 65_535)])
  for (let run = 0; run < RUNS; run++) {
    const payload = mutate(valid, random)
    const events = parseEvents(payload)
    if (typeof events === 'string') continue
    assert.equal(events.length * 4, payload.length, `seed ${SEED} run ${run}`)
    for (const { volumeDb, durationUnits } of events) assert.ok(volumeDb <= 63 && durationUnits <= 65_535)
  }
})

test('mutated INFO bodies are a key or no digit', () => {
  const random = seededRandom(SEED)
  const types = [
    'application/dtmf-relay',
    'application/dtmf',
    'application/vnd.nortelnetworks.digits',
    'audio/telephone-event',
  ]
  const bodies = [
    text('Signal=5\r\nDuration=160\r\n'),
    text('11'),
    text('p=Digit-Collection\r\nd=4\r\n'),
    eventPayload(9, true, 10, 800),
  ]
  for (let run = 0; run < RUNS; run++) {
    const key = parseInfoBody(types[below(4, random)] ?? '', mutate(bodies[below(4, random)] ?? text(''), random))
    assert.ok(key === 'not-digit' || (Number.isInteger(key) && key >= 0 && key <= 15), `seed ${SEED} run ${run}`)
  }
})

const pcma = { payloadType: 8, codec: 'PCMA', clockHz: 8_000 } as const
const pcmu = { payloadType: 0, codec: 'PCMU', clockHz: 8_000 } as const
const opus = { payloadType: 111, codec: 'opus', clockHz: 48_000 } as const
const noise = { payloadType: 13, codec: 'CN', clockHz: 8_000 } as const
const g722 = { payloadType: 9, codec: 'G722', clockHz: 8_000 } as const

test('mutated packets, armed and not: nothing thrown, nothing but our own packets out, the masker never fails', () => {
  mutatedCall(pcma, pcmu, RUNS)
})

test('the same with wide-band codecs, on both sides and on one', () => {
  mutatedCall(g722, g722, RUNS / 4)
  mutatedCall(g722, pcmu, RUNS / 8)
  mutatedCall(pcma, g722, RUNS / 8)
})

test('the same with Opus of every layer, and comfort noise', () => {
  mutatedCall(opus, opus, RUNS / 8)
  mutatedCall(opus, pcmu, RUNS / 16)
  mutatedCall(pcma, opus, RUNS / 16)
})

/** What a caller sends: noise octets of G.711 and G.722; SILK, hybrid and CELT frames of Opus. */
function payloadsOf({ codec }: AudioFormat, random: RandomBytes): readonly Uint8Array[] {
  if (codec !== 'opus') return Array.from({ length: 16 }, () => random(160))
  const sound = Int16Array.from({ length: 1_600 }, (_, i) => 8_000 * Math.sin(i / 3) * Math.sin(i / 90))
  const settings = [
    { bitrate: 8_000 },
    { bitrate: 20_000, fec: true },
    { bitrate: 64_000, frameMs: 10 },
    { frameMs: 60 },
  ]
  return settings.flatMap((setting) => packetizeOpus(sound, setting).map(({ packet }) => packet.subarray(12)))
}

function mutatedCall(caller: AudioFormat, agent: AudioFormat, runs: number): void {
  const random = seededRandom(SEED)
  let maskFailures = 0
  const leg = new CallerDirection({
    replacement: 'flat',
    jitterMs: 40,
    random,
    onKey: (key) => assert.ok(key >= 0 && key <= 15),
    onUncertain: () => {},
    onMaskFailed: () => maskFailures++,
  })
  const events = (of: AudioFormat) => ({ payloadType: 101, codec: 'telephone-event', clockHz: of.clockHz }) as const
  leg.setFormats([caller, events(caller), noise], [agent, events(agent)], 0)
  const payloads = payloadsOf(caller, random)
  const armedOctets = agent.codec === 'opus' ? 92 : 172
  const fields = { marker: false, ssrc: 1 }
  for (let run = 0; run < runs; run++) {
    const nowMs = run * 7
    const at = { ...fields, sequence: run & 0xffff, timestamp: (run * 7 * (caller.clockHz / 1_000)) >>> 0 }
    const valid =
      run % 3 === 0
        ? writeRtp({ ...at, payloadType: 101 }, eventPayload(run % 16, run % 2 === 0, 10, run % 65_536))
        : writeRtp(
            { ...at, payloadType: run % 50 === 1 ? noise.payloadType : caller.payloadType },
            payloads[run % payloads.length] ?? random(160),
          )
    if (run % 1_000 === 0) leg.arm(nowMs)
    if (run % 1_000 === 700) leg.disarm(nowMs)
    const sent = [...leg.receive(mutate(valid, random), nowMs), ...leg.tick(nowMs)]
    for (const packet of sent) {
      const rtp = parseRtp(packet)
      assert.ok(
        typeof rtp !== 'string' && [agent.payloadType, 101].includes(rtp.payloadType),
        `seed ${SEED} run ${run}`,
      )
      assert.ok(packet[0] === 0x80 && (!leg.armed || packet.length === armedOctets), `seed ${SEED} run ${run}`)
    }
    const key = parseInfoBody('application/dtmf-relay', mutate(text('Signal=5\r\n'), random))
    if (typeof key === 'number') leg.infoKey(key, nowMs)
  }
  assert.equal(maskFailures, 0)
  leg.close()
}
