/**
 * Keys on whole calls in memory, one after another on the same trunk: a line that sends each key twice shows it in each call,
 * until one shows that it does so no more; and what is not clear is told and counted.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { events, pcma } from '../../../test/support/media-call.ts'
import { CALLED, CARRIER, MemoryZone, PBX, ZONE } from '../../../test/support/memory-zone.ts'
import { seededRandom } from '../../lib/random.ts'
import { readPhoneSdp, writePhoneSdp } from '../../sim/phone-sdp.ts'
import { eventPackets, synthesizeKeys } from '../../sim/tones.ts'
import type { Report } from '../../wall/messages.ts'
import { encodeG711 } from '../media/g711.ts'
import { writeRtp } from '../media/rtp.ts'
import type { LegEvent } from '../sip/user-agent.ts'

const SEED = 512
const FORMATS = [pcma, events]
const CARD = [4, 1, 7, 0, 2, 8, 9, 3]
const SDP = 'application/sdp'
const MEDIA = { caller: { host: CARRIER.host, port: 20_000 }, agent: { host: PBX.host, port: 30_000 } } as const

interface Timed {
  readonly atMs: number
  readonly packet: Uint8Array
}

/** The card as events; and as tones `toneLagMs` later, if at all. */
function keyed(toneLagMs: number | undefined, toneMs = 70): Timed[] {
  const lead = 4_000
  const tones = synthesizeKeys(CARD, { toneMs, gapMs: 300 - toneMs, leadSamples: lead }, seededRandom(SEED))
  const sound = new Int16Array(tones.samples.length + 8 * (toneLagMs ?? 0))
  if (toneLagMs !== undefined) sound.set(tones.samples, 8 * toneLagMs)
  const audio = Array.from({ length: Math.floor(sound.length / 160) }, (_, i) => ({
    atMs: 20 * i,
    packet: writeRtp(
      { payloadType: pcma.payloadType, marker: i === 0, sequence: i, timestamp: 160 * i, ssrc: 1 },
      encodeG711('PCMA', sound.subarray(160 * i, 160 * i + 160)),
    ),
  }))
  const asEvents = tones.spans.flatMap(({ from, to }, i) =>
    eventPackets(CARD[i] ?? 0, {
      payloadType: events.payloadType,
      ssrc: 1,
      sequence: 20_000 + 100 * i,
      timestamp: from,
      durationUnits: to - from,
    }).map(({ atUnits, packet }) => ({ atMs: (from + atUnits) / 8, packet })),
  )
  const all = [...audio, ...asEvents].sort((a, b) => a.atMs - b.atMs)
  // One sender: one row of sequence numbers.
  for (const [sequence, { packet }] of all.entries())
    new DataView(packet.buffer, packet.byteOffset).setUint16(2, sequence)
  return all
}

/** Both ends of one trunk, which calls us again and again. */
class Trunk {
  readonly reports: Report[] = []
  readonly doubts: string[] = []
  told = 0
  takenBack = 0
  #ports: { caller?: number | undefined; agent?: number | undefined } = {}
  readonly zone = new MemoryZone({
    seed: SEED,
    pairs: 20,
    onReport: (report) => this.reports.push(report),
    onCarrier: (event) => {
      if (event.type === 'answered') this.#ports.caller = readPhoneSdp(event.body, FORMATS)?.remote.port
    },
    onPbx: (event) => this.#pbx(event),
    onKey: () => this.told++,
    onUncertain: (_, { why }) => this.doubts.push(why),
    onDoubled: (_, places) => {
      this.takenBack += places.length
    },
  })

  /** One call, with a capture on which this is keyed. @returns how many keys it left, and what was said of the line */
  async call(name: string, packets: readonly Timed[]): Promise<{ keys: number; takenBack: number; slow: boolean[] }> {
    const { zone } = this
    this.reports.length = 0
    this.told = 0
    this.takenBack = 0
    this.#ports = {}
    const target = `sip:${CALLED}@${ZONE.host}:${ZONE.port}`
    const body = writePhoneSdp(MEDIA.caller, FORMATS, 'sendrecv', 1)
    const from = { from: `<sip:${name}@${CARRIER.host}>`, to: `<${target}>`, maxForwards: 70 }
    const call = { target, destination: ZONE, ...from, headers: [], body, contentType: SDP }
    zone.run(zone.carrier, zone.carrier.invite(name, call, zone.nowMs))
    for (let i = 0; i < 20; i++) await zone.step(20)
    const started = this.reports.find((report) => report.type === 'call-started')
    assert.ok(started?.type === 'call-started' && this.#ports.caller !== undefined)
    zone.calls.captureOpened(started.callId, 'burst')
    const beginMs = zone.nowMs
    for (const { atMs, packet } of packets) {
      while (zone.nowMs < beginMs + atMs) await zone.step(5)
      zone.network.arrive(this.#ports.caller, packet, MEDIA.caller)
    }
    for (let i = 0; i < 100; i++) await zone.step(20)
    zone.run(zone.carrier, zone.carrier.hangUp(name, zone.nowMs))
    for (let i = 0; i < 20; i++) await zone.step(20)
    const slow = this.reports.flatMap((report) => (report.type === 'slow-mode' ? [report.on] : []))
    return { keys: this.told - this.takenBack, takenBack: this.takenBack, slow }
  }

  #pbx(event: LegEvent): void {
    if (event.type !== 'incoming') return
    const body = writePhoneSdp(MEDIA.agent, FORMATS, 'sendrecv', 1)
    const { zone } = this
    zone.run(zone.pbx, zone.pbx.answer(event.leg, { body, contentType: SDP }, zone.nowMs))
  }
}

test('each call on a trunk that doubles is put right while it is keyed, until the trunk is repaired', async () => {
  const trunk = new Trunk()
  const doubled = keyed(450)
  const first = await trunk.call('first', doubled)
  assert.deepEqual(first, { keys: CARD.length, takenBack: 3, slow: [true] })
  // What one call has shown, another one has to show again before it swallows anything.
  assert.deepEqual(await trunk.call('second', doubled), first)
  const [row, ...others] = trunk.zone.calls.trunks()
  const told = 2 * (CARD.length + 3)
  assert.deepEqual(row, {
    ...{ number: 'sales', source: CARRIER.host, reported: told, lost: 0, doubled: 2 * CARD.length, uncertain: 0 },
    slow: true,
  })
  assert.deepEqual(others, [])
  // Whoever ran the trunk has put it right.
  assert.deepEqual(await trunk.call('third', keyed(undefined)), { keys: CARD.length, takenBack: 0, slow: [false] })
  assert.deepEqual(await trunk.call('fourth', keyed(20)), { keys: CARD.length, takenBack: 0, slow: [] })
  assert.equal(trunk.zone.calls.trunks()[0]?.slow, false)
  assert.deepEqual(trunk.doubts, [])
})

test('tones too short to be keys are told as uncertain and counted as lost', async () => {
  const trunk = new Trunk()
  const onlyTones = keyed(0, 29).filter(({ packet }) => ((packet[1] ?? 0) & 0x7f) === pcma.payloadType)
  const { keys } = await trunk.call('short', onlyTones)
  const [row] = trunk.zone.calls.trunks()
  assert.equal(keys + trunk.doubts.length, CARD.length, `seed ${SEED}`)
  assert.ok(trunk.doubts.length > CARD.length / 2 && trunk.doubts.every((why) => why === 'too-short'))
  assert.deepEqual([row?.reported, row?.lost, row?.uncertain], [keys, trunk.doubts.length, 0])
})
