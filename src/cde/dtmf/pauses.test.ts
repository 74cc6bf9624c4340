// Pauses of a caller who sends comfort noise (RFC 3389): relayed or filled while clear, silent while masked, and never a hole for a key.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { armedCall, formats, packetize, soundingSamples, type TimedPacket } from '../../../test/support/dtmf-call.ts'
import { opusFormats } from '../../../test/support/opus-phone.ts'
import { seededRandom } from '../../lib/random.ts'
import { synthesizeKeys } from '../../sim/tones.ts'
import type { AudioFormat } from '../media/audio-formats.ts'
import { parseRtp, type RtpPacket, writeRtp } from '../media/rtp.ts'
import { CallerDirection } from './caller-direction.ts'

const SEED = 3_389
const noise: AudioFormat = { payloadType: 13, codec: 'CN', clockHz: 8_000 }
const withNoise = [...formats(), noise]
const numbers = (packet: Uint8Array): RtpPacket => {
  const rtp = parseRtp(packet)
  assert.ok(typeof rtp !== 'string')
  return rtp
}
/** The packet as comfort noise of the same place. */
const asNoise = ({ atMs, packet }: TimedPacket, payload: Uint8Array = Uint8Array.of(60)): TimedPacket => ({
  atMs,
  packet: writeRtp({ ...numbers(packet), payloadType: 13, marker: false }, payload),
})

function relaying(agent: readonly AudioFormat[]): CallerDirection {
  const hooks = { onKey: () => {}, onConflict: () => {}, onMaskFailed: () => {}, onUncertain: () => {} }
  const made = new CallerDirection({ replacement: 'flat', jitterMs: 40, random: seededRandom(SEED), ...hooks })
  made.setFormats(withNoise, agent, 0)
  return made
}

test('clear: comfort noise crosses where both sides have it', () => {
  const leg = relaying(withNoise)
  const [first, second] = packetize(new Int16Array(480))
  assert.ok(first !== undefined && second !== undefined)
  const [audio] = leg.receive(first.packet, 0).map(numbers)
  const [passed] = leg.receive(asNoise(second, Uint8Array.of(60, 1, 2)).packet, 20).map(numbers)
  assert.deepEqual([passed?.payloadType, [...(passed?.payload ?? [])]], [13, [60, 1, 2]])
  assert.equal(((passed?.timestamp ?? 0) - (audio?.timestamp ?? 0)) >>> 0, 160)
  assert.equal(leg.nextTickAtMs(), undefined)
})

test('clear: for an agent who does not know it the pause is filled in the agent’s codec and clock, until speech is back or the call is armed', () => {
  for (const [agent, octets, perMs] of [
    [formats('PCMU'), 160, 8],
    [opusFormats, 80, 48],
  ] as const) {
    const leg = relaying(agent)
    const packets = packetize(new Int16Array(160 * 20))
    const out: RtpPacket[] = []
    for (const [n, timed] of packets.entries()) {
      if (n === 5) out.push(...leg.receive(asNoise(timed).packet, timed.atMs).map(numbers))
      else if (n < 5 || n > 12) out.push(...leg.receive(timed.packet, timed.atMs).map(numbers))
      else {
        assert.equal(leg.nextTickAtMs(), timed.atMs)
        out.push(...leg.tick(timed.atMs).map(numbers))
      }
    }
    assert.equal(leg.nextTickAtMs(), undefined)
    assert.equal(out.length, 20)
    for (const [n, { payload, timestamp, sequence }] of out.entries()) {
      const place = [(sequence - (out[0]?.sequence ?? 0)) & 0xffff, (timestamp - (out[0]?.timestamp ?? 0)) >>> 0]
      assert.deepEqual([payload.length, ...place], [octets, n, n * 20 * perMs])
    }
    assert.ok(out[6]?.payload.some((octet, at) => octet !== out[0]?.payload[at]))
    leg.receive(asNoise({ atMs: 400, packet: packets[19]?.packet ?? new Uint8Array(0) }).packet, 400)
    const [armed] = leg.arm(410)
    assert.ok(armed === undefined || numbers(armed).payload.length === octets)
    assert.equal(leg.tick(430).length, 1)
    leg.disarm(440)
    leg.tick(5_500)
    assert.equal(leg.nextTickAtMs(), undefined)
    leg.close()
  }
})

test('armed: comfort noise neither crosses nor stops the line, and a key right behind it is told and masked', () => {
  for (const agent of [withNoise, opusFormats]) {
    const tones = synthesizeKeys([4, 8, 1], { toneMs: 80, gapMs: 400, leadSamples: 1_600 }, seededRandom(SEED))
    const packets = packetize(tones.samples)
    const sounding = (index: number): boolean =>
      tones.spans.some(({ from, to }) => index * 160 + 160 > from && index * 160 < to)
    const sent = packets.flatMap((timed, n) => {
      if (sounding(n)) return [timed]
      return sounding(n - 1) || n % 10 === 0 ? [asNoise(timed, Uint8Array.of(20 + n, n, n))] : []
    })
    const heard = armedCall(sent, { caller: withNoise, agent })
    assert.deepEqual(heard.keys, [4, 8, 1])
    assert.ok((heard.counters['dtmf_comfort_noise'] ?? 0) > 5)
    assert.equal(heard.counters['dtmf_event_suspected'], 0)
    for (const [n, { atMs, packet }] of heard.packets.entries()) {
      assert.deepEqual([atMs, numbers(packet).payloadType], [n * 20, agent[0]?.payloadType])
    }
    if (agent === withNoise) assert.equal(soundingSamples(heard.samples), 0)
  }
})

test('armed: a key dressed up as comfort noise is masked like any suspected event', () => {
  const packets = packetize(new Int16Array(160 * 40))
  const call = (payload: Uint8Array) => {
    let maskedSamples = 0
    const onMasked = (from: number, to: number): void => void (maskedSamples += to - from)
    const sent = packets.map((timed, n) => (n === 20 ? asNoise(timed, payload) : timed))
    return { heard: armedCall(sent, { caller: withNoise, agent: withNoise, onMasked }), masked: () => maskedSamples }
  }
  const noisy = call(Uint8Array.of(60, 10, 1, 64))
  const dressed = call(Uint8Array.of(5, 10, 1, 64))
  assert.deepEqual(noisy.heard.counters['dtmf_event_suspected'], 0)
  assert.equal(dressed.heard.counters['dtmf_event_suspected'], 1)
  assert.deepEqual(dressed.heard.keys, [])
  assert.ok(dressed.masked() > noisy.masked() + 800, `${dressed.masked()} ${noisy.masked()}`)
  assert.ok(dressed.heard.packets.every(({ packet }) => numbers(packet).payloadType === 8))
})
