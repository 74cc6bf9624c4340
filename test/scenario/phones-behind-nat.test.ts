/**
 * `numbers[].nat`: phones whose SDP names an address of their own network. Without the setting they are deaf and mute, as a source
 * lock must have it; with it each is heard from where its packets come, if that is where its signalling comes from.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPhoneSdp, writePhoneSdp } from '../../src/sim/phone-sdp.ts'
import type { Address } from '../../src/lib/address.ts'
import { seededRandom } from '../../src/lib/random.ts'
import type { NumberSettings } from '../../src/wall/settings.ts'
import { pcma, Speaker } from '../support/media-call.ts'
import { CALLED, CARRIER, MemoryZone, PBX, ZONE } from '../support/memory-zone.ts'

const SDP = 'application/sdp'
const inside = { caller: { host: '10.0.0.9', port: 4_000 }, agent: { host: '192.168.7.7', port: 5_000 } }
const outside = { caller: { host: CARRIER.host, port: 50_001 }, agent: { host: PBX.host, port: 50_002 } }
const stranger = { host: '203.0.113.200', port: 50_001 }
const voice = { caller: new Uint8Array(160).fill(0x51), agent: new Uint8Array(160).fill(0x52) }
const shout = new Uint8Array(160).fill(0x66)

const portIn = (body: Uint8Array): number => readPhoneSdp(body, [pcma])?.remote.port ?? assert.fail('no audio')

/** A call of a second, in which some sides' SDP names their inner address. @returns which voices each outer address was sent */
async function heardWith(nat: NumberSettings['nat'], inner: readonly ('caller' | 'agent')[]) {
  const named = (side: 'caller' | 'agent'): Uint8Array =>
    writePhoneSdp((inner.includes(side) ? inside : outside)[side], [pcma], 'sendrecv', 1)
  const ports: { caller?: number; agent?: number } = {}
  const zone = new MemoryZone({
    ...{ seed: 81, pairs: 4, nat, onReport: () => {} },
    onCarrier: (event) => {
      if (event.type === 'answered') ports.caller = portIn(event.body)
    },
    onPbx: (event) => {
      if (event.type !== 'incoming') return
      ports.agent = portIn(event.body)
      zone.run(zone.pbx, zone.pbx.answer(event.leg, { body: named('agent'), contentType: SDP }, zone.nowMs))
    },
  })
  const target = `sip:${CALLED}@${ZONE.host}:${ZONE.port}`
  const from = `<sip:caller@${CARRIER.host}>`
  const call = { target, destination: ZONE, from, to: `<${target}>`, headers: [], maxForwards: 70 }
  zone.run(zone.carrier, zone.carrier.invite('c', { ...call, body: named('caller'), contentType: SDP }, 0))
  while (ports.caller === undefined) await zone.step(20)
  const heard = new Map<string, Set<number | undefined>>()
  zone.network.onSent = (_from, to, octets) => {
    if (octets.length !== 172) return
    const at = `${to.host}:${to.port}`
    heard.set(at, (heard.get(at) ?? new Set()).add(octets[12]))
  }
  const random = seededRandom(82)
  const speakers = { caller: new Speaker(outside.caller, random), agent: new Speaker(outside.agent, random) }
  for (let packet = 0; packet < 50; packet++) {
    await zone.step(20)
    for (const side of ['caller', 'agent'] as const) {
      const port = ports[side] ?? assert.fail('no port')
      speakers[side].step()
      // A stranger is there first, each time.
      zone.network.arrive(port, speakers[side].packet(shout), stranger)
      zone.network.arrive(port, speakers[side].packet(voice[side]), outside[side])
    }
  }
  const at = ({ host, port }: Address): (number | undefined)[] => [...(heard.get(`${host}:${port}`) ?? [])]
  return { caller: at(outside.caller), agent: at(outside.agent), stranger: at(stranger) }
}

test('a side is heard and served behind NAT only where its number says so, and nobody else ever is', async () => {
  const bothHear = { caller: [0x52], agent: [0x51], stranger: [] }
  const nobodyHears = { caller: [], agent: [], stranger: [] }
  assert.deepEqual(await heardWith('none', []), bothHear)
  assert.deepEqual(await heardWith('none', ['caller', 'agent']), nobodyHears)
  assert.deepEqual(await heardWith('both', ['caller', 'agent']), bothHear)
  for (const side of ['caller', 'agent'] as const) {
    const other = side === 'caller' ? 'agent' : 'caller'
    assert.deepEqual(await heardWith(side, [side]), bothHear, `${side} is behind NAT, and its number says so`)
    assert.deepEqual(await heardWith(other, [side]), nobodyHears, `${side} is behind NAT, its number says ${other}`)
  }
})
