// What is not armed crosses: Opus octet by octet, other audio transcoded, events in the agent's clock (RFC 4733 2.1).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { armedCall, formats, packetize, type TimedPacket } from '../../../test/support/dtmf-call.ts'
import { opusFormats, OPUS_TYPE, packetizeOpus } from '../../../test/support/opus-phone.ts'
import { randomUnit, seededRandom } from '../../lib/random.ts'
import type { AudioFormat } from '../media/audio-formats.ts'
import { parseRtp, readPlainRtp, type RtpPacket, rtpNumbers, writeRtp } from '../media/rtp.ts'
import { CallerDirection } from './caller-direction.ts'
import { EventPresses } from './event-presses.ts'
import { parseEvents } from './events.ts'

const SEED = 7_587
const sound = (): Int16Array => {
  const random = seededRandom(SEED)
  return Int16Array.from({ length: 3_840 }, (_, i) => 6_000 * Math.sin(i / 9) + 500 * randomUnit(random))
}
const events = (clockHz: number, payloadType = 101): AudioFormat => ({ payloadType, codec: 'telephone-event', clockHz })
const numbers = (packet: Uint8Array): RtpPacket => {
  const rtp = parseRtp(packet)
  assert.ok(typeof rtp !== 'string')
  return rtp
}

function direction(caller: readonly AudioFormat[], agent: readonly AudioFormat[]): CallerDirection {
  const hooks = { onKey: () => {}, onConflict: () => {}, onMaskFailed: () => {}, onUncertain: () => {} }
  const made = new CallerDirection({ replacement: 'flat', jitterMs: 40, random: seededRandom(SEED), ...hooks })
  made.setFormats(caller, agent, 0)
  return made
}

test('Opus that both sides have crosses octet by octet, copied and in place, whatever its frames', () => {
  for (const frameMs of [10, 20, 60]) {
    const agent = opusFormats.map((format) =>
      format.payloadType === OPUS_TYPE ? { ...format, payloadType: 96 } : format,
    )
    const copying = direction(opusFormats, agent)
    const inPlace = direction(opusFormats, agent)
    const sent = packetizeOpus(sound(), { frameMs, fec: true, bitrate: 20_000 })
    const out = sent.map(({ packet, atMs }, n) => {
      const [copied = new Uint8Array(0)] = copying.receive(packet, atMs)
      if (n === 0) return copied.length === inPlace.receive(packet, atMs)[0]?.length ? copied : new Uint8Array(0)
      const octets = Uint8Array.from([...new Uint8Array(7), ...packet])
      const rtp = rtpNumbers()
      assert.ok(readPlainRtp(octets, 7, packet.length, rtp) && inPlace.relayInPlace(octets, 7, rtp, atMs))
      assert.deepEqual(octets.subarray(7), copied)
      return copied
    })
    const first = numbers(out[0] ?? new Uint8Array(0))
    for (const [n, packet] of out.entries()) {
      const { payload, payloadType, timestamp, sequence } = numbers(packet)
      assert.deepEqual(payload, numbers(sent[n]?.packet ?? new Uint8Array(0)).payload)
      const place = [payloadType, (sequence - first.sequence) & 0xffff, (timestamp - first.timestamp) >>> 0]
      assert.deepEqual(place, [96, n, n * frameMs * 48])
    }
  }
})

test('Opus to G.711 and back: each side in its own clock, and armed the stream goes on in step', () => {
  const toNarrow = direction(opusFormats, formats('PCMU'))
  const narrow = packetizeOpus(sound()).flatMap(({ packet, atMs }) => toNarrow.receive(packet, atMs))
  const toOpus = direction(formats('PCMA'), opusFormats)
  const wide = packetize(sound()).flatMap(({ packet, atMs }) => toOpus.receive(packet, atMs))
  for (const [packets, octets, units, leg] of [
    [narrow, 172, 160, toNarrow],
    [wide, 92, 960, toOpus],
  ] as const) {
    const whole = [...packets, ...leg.arm(24 * 20), ...leg.tick(25 * 20)]
    assert.ok(whole.length >= 26)
    const [first] = whole.map(numbers)
    for (const [n, packet] of whole.entries()) {
      assert.equal(packet.length, octets)
      assert.equal((numbers(packet).timestamp - (first?.timestamp ?? 0)) >>> 0, n * units)
    }
    leg.close()
  }
})

/** A key held for `heldMs` beside audio that goes on, told every 20 ms, as packets of `clockHz`. */
function pressed(heldMs: number, clockHz: number, audio: readonly TimedPacket[]): TimedPacket[] {
  const [{ packet: first } = { packet: new Uint8Array(0) }] = audio
  const { timestamp, sequence, ssrc } = numbers(first)
  return Array.from({ length: heldMs / 20 + 3 }, (_, n) => {
    const units = Math.min(((n + 1) * 20 * clockHz) / 1_000, (heldMs * clockHz) / 1_000)
    const isEnd = (n + 1) * 20 >= heldMs
    const payload = Uint8Array.of(3, (isEnd ? 0x80 : 0) | 10, units >> 8, units & 0xff)
    const fields = {
      payloadType: 101,
      marker: n === 0,
      sequence: (sequence + 200 + n) & 0xffff,
      timestamp: (timestamp + 4_800) >>> 0,
      ssrc,
    }
    return { atMs: 101 + n * 20, packet: writeRtp(fields, payload) }
  })
}

const opusOnly = opusFormats.slice(0, 1)
const sides: readonly (readonly [string, readonly AudioFormat[], readonly AudioFormat[], number, number])[] = [
  ['48 kHz to 8', [...opusOnly, events(48_000)], formats('PCMA', 97), 48_000, 8_000],
  ['48 kHz to 16', [...opusOnly, events(48_000)], [...opusOnly, events(16_000, 97)], 48_000, 16_000],
  ['16 kHz to 8', [...opusOnly, events(16_000)], formats('PCMA', 97), 16_000, 8_000],
  ['16 kHz to 48', [...opusOnly, events(16_000)], [...opusOnly, events(48_000, 97)], 16_000, 48_000],
  ['8 kHz to 48', formats('PCMA', 101), [...opusOnly, events(48_000, 97)], 8_000, 48_000],
  ['8 kHz to 16', formats('PCMA', 101), [...opusOnly, events(16_000, 97)], 8_000, 16_000],
]

for (const [name, caller, agent, fromHz, toHz] of sides) {
  test(`events of ${name} kHz: one press of the same length, while the audio beside it goes on`, () => {
    const isOpus = caller.some(({ codec }) => codec === 'opus')
    const audio = isOpus ? packetizeOpus(sound()) : packetize(sound())
    const all = [...audio, ...pressed(240, fromHz, audio)].sort((a, b) => a.atMs - b.atMs)
    const leg = direction(caller, agent)
    const out = all.flatMap(({ packet, atMs }) =>
      leg.receive(packet, atMs).map((sent) => ({ atMs, rtp: numbers(sent) })),
    )
    const told = out.filter(({ rtp }) => rtp.payloadType === 97)
    assert.equal(told.length, 15)
    assert.equal(out.length - told.length, audio.length)
    const presses = new EventPresses()
    const meanings = told.map(({ rtp, atMs }) => {
      const blocks = parseEvents(rtp.payload)
      assert.ok(typeof blocks !== 'string' && blocks[0] !== undefined)
      return presses.take(rtp.ssrc, rtp.timestamp, blocks[0], atMs)
    })
    assert.deepEqual([...new Set(meanings.slice(1))], ['same-press'])
    assert.equal(meanings[0], 'new-press')
    const last = told.at(-1)?.rtp.payload ?? new Uint8Array(0)
    assert.equal((((last[2] ?? 0) << 8) | (last[3] ?? 0)) / toHz, 0.24)
    assert.deepEqual(leg.counters()['dtmf_event_not_relayed'], 0)
    leg.close()
  })

  test(`armed, a key told at ${fromHz / 1_000} kHz beside that audio is reported once, and no event leaves`, () => {
    const isOpus = caller.some(({ codec }) => codec === 'opus')
    const audio = isOpus ? packetizeOpus(sound()) : packetize(sound())
    const all = [...audio, ...pressed(240, fromHz, audio)].sort((a, b) => a.atMs - b.atMs)
    const heard = armedCall(all, { caller, agent })
    assert.deepEqual([heard.keys, heard.carriages], [[3], ['event']])
    const audioTypes = agent.flatMap(({ codec, payloadType }) => (codec === 'telephone-event' ? [] : [payloadType]))
    assert.ok(heard.packets.every(({ packet }) => audioTypes.includes((packet[1] ?? 0) & 0x7f)))
  })
}
