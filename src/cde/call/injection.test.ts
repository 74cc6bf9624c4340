/**
 * sip.md 6.1: whoever sends what he should not, from wherever he should not, changes nothing that is heard. The same call is run
 * without him and with him; all that leaves for both sides must be the same, octet by octet.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MediaCall, rtcpOf, Speaker } from '../../../test/support/media-call.ts'
import { MemoryPorts } from '../../../test/support/memory-ports.ts'
import type { Address } from '../../lib/address.ts'
import { type RandomBytes, randomUnit, seededRandom } from '../../lib/random.ts'
import { PortPool } from '../media/ports.ts'
import { writeReport } from '../media/rtcp.ts'
import { LegSrtp, type SrtpAgreement } from '../media/srtp/leg-srtp.ts'
import { MasterKey } from '../media/srtp/master-key.ts'
import { suites } from '../media/srtp/suites.ts'
import { MediaPorts } from './media-ports.ts'
import type { Side } from './negotiation.ts'

const stranger: Address = { host: '192.0.2.66', port: 6_000 }
/** What the attacker says: loud, and easily told from what the others say. */
const shout = new Uint8Array(160).fill(0x2a)

/**
 * What the attacker may know and do at one moment. Whoever forges an address before the true sender's first packet cannot be told
 * from him, nor can another port of a host that is still being learned (NAT): from these addresses he sends from then on.
 */
interface Scene {
  readonly call: MediaCall
  readonly side: Side
  /** Of his own choice. */
  readonly own: Speaker
  readonly random: RandomBytes
  readonly nowMs: number
  /** Where the side was before it moved. */
  readonly before: Address | undefined
  to(rtcp: boolean, datagram: Uint8Array, from: Address): void
}

type Attack = (scene: Scene) => void

/** As the real one, who has just sent this very packet or is about to. */
const copied = ({ call, side }: Scene): Uint8Array => call.speakers[side].packet(shout)

const spoofedReport = ({ call, side }: Scene): Uint8Array =>
  writeReport(
    call.speakers[side].ssrc,
    'someone',
    { ntpSeconds: 7, ntpFraction: 7, timestamp: 7, packets: 7, octets: 7 },
    [],
  )

const attacks: Readonly<Record<string, Attack>> = {
  'from elsewhere, with the right numbers': (scene) => scene.to(false, copied(scene), stranger),
  'from the right port of another host': (scene) =>
    scene.to(false, copied(scene), { ...stranger, port: scene.call.speakers[scene.side].address.port }),
  'from the other leg’s peer': (scene) =>
    scene.to(false, copied(scene), scene.call.speakers[scene.side === 'caller' ? 'agent' : 'caller'].address),
  'from our own port of the other leg': (scene) =>
    scene.to(false, copied(scene), scene.call.media.addresses[scene.side === 'caller' ? 'agent' : 'caller']),
  'from where the side was before it moved': (scene) => {
    if (scene.before !== undefined) scene.to(false, copied(scene), scene.before)
  },
  'RTCP from elsewhere': (scene) => scene.to(true, spoofedReport(scene), stranger),
}

/** Addresses that could be the true sender's, until he has spoken. */
const closeAttacks: Readonly<Record<string, Attack>> = {
  'from the right host, another port': (scene) =>
    scene.to(false, copied(scene), { ...scene.call.speakers[scene.side].address, port: 6_001 }),
  'RTP from the RTCP address': (scene) =>
    scene.to(false, copied(scene), rtcpOf(scene.call.speakers[scene.side].address)),
  'forged address, a stream of his own, ten at a time': (scene) => {
    for (let n = 0; n < 10; n++) {
      scene.own.step()
      scene.to(false, scene.own.packet(shout), scene.call.speakers[scene.side].address)
    }
  },
  'forged address and SSRC, numbers guessed': (scene) => {
    const { ssrc, sequence, address } = scene.call.speakers[scene.side]
    const guess = new Speaker(address, scene.random)
    guess.ssrc = ssrc
    // Two in a row, anywhere but within a thousand of the real number.
    guess.sequence = (sequence + 1_500 + Math.floor(randomUnit(scene.random) * 62_000)) & 0xffff
    for (let n = 0; n < 2; n++) {
      scene.to(false, guess.packet(shout), address)
      guess.step()
    }
  },
  'RTCP from the RTP address': (scene) => scene.to(true, spoofedReport(scene), scene.call.speakers[scene.side].address),
  'a forged BYE and rubbish on the RTCP port': (scene) => {
    const { ssrc, address } = scene.call.speakers[scene.side]
    const bye = Uint8Array.of(0x81, 203, 0, 1, ssrc >>> 24, ssrc >>> 16, ssrc >>> 8, ssrc)
    for (const datagram of [bye, scene.random(60), copied(scene)]) scene.to(true, datagram, rtcpOf(address))
  },
  'rubbish and RTCP on the RTP port': (scene) => {
    const { address } = scene.call.speakers[scene.side]
    for (const datagram of [scene.random(2), scene.random(400), spoofedReport(scene)]) {
      scene.to(false, datagram, address)
    }
  },
}

interface RunOptions {
  readonly seed: number
  readonly attack?: Attack
  /** He begins when both sides have spoken; with SRTP he need not wait. */
  readonly isClose?: boolean
  readonly secure?: boolean
  readonly nat?: boolean
  /** The engine forwards by itself what it may. */
  readonly flows?: boolean
}

const STEP_MS = 20

/** A call's story, 20 s long. @returns everything that left, and what was dropped */
async function run({ seed, attack, isClose = false, secure = false, nat = false, flows = false }: RunOptions) {
  let nowMs = 1_000
  const random = seededRandom(seed)
  const attackersRandom = seededRandom(seed + 1_000)
  const network = new MemoryPorts()
  const left: string[] = []
  network.onSent = (from, to, octets) => {
    // How fresh the counts in our reports are depends on when the flows were looked at; nobody hears it.
    if (flows && from.port % 2 === 1) return
    left.push(`${nowMs} ${from.port} ${to.host}:${to.port} ${Buffer.from(octets).toString('hex')}`)
  }
  const ports = new MediaPorts('192.0.2.1', new PortPool(10_000, 10_003, random), network, () => nowMs)
  const kernel = flows ? network.flows : undefined
  const call = await MediaCall.open({ network, ports, random, nowMs: () => nowMs, kernel })
  const keys = secure ? { caller: keyPair(random), agent: keyPair(random) } : undefined
  const own = new Speaker(stranger, attackersRandom)
  /** Of the caller, who moves. */
  let before: Address | undefined
  let offered: Address | undefined
  const strike = (): void => {
    for (const side of ['caller', 'agent'] as const) {
      const rtp = call.media.addresses[side].port
      const to = (rtcp: boolean, datagram: Uint8Array, from: Address): void =>
        void network.arrive(rtp + (rtcp ? 1 : 0), datagram, from)
      if (isClose && !secure && nowMs < 1_000 + 20 * STEP_MS) continue
      attack?.({ call, side, own, random: attackersRandom, nowMs, to, before: side === 'caller' ? before : undefined })
    }
  }
  const agree = (): void =>
    call.agree(nowMs, {
      keys: { caller: keys?.caller.ours, agent: keys?.agent.ours },
      ...(nat && { learnFrom: { caller: '198.51.100.1', agent: '203.0.113.1' } }),
    })
  const speak = (side: Side): void => {
    const speaker = call.speakers[side]
    speaker.step()
    const payload = random(160)
    const packet = speaker.packet(payload)
    const datagram = keys === undefined ? packet : keys[side].theirs.sealRtp(packet)
    assert.ok(typeof datagram !== 'string')
    network.arrive(call.media.addresses[side].port, datagram, speaker.address)
    if (speaker.sequence % 100 === 0 || nowMs < 1_300) {
      const report = writeReport(speaker.ssrc, 'phone', undefined, [])
      const sealed = keys === undefined ? report : keys[side].theirs.sealRtcp(report)
      assert.ok(typeof sealed !== 'string')
      network.arrive(call.media.addresses[side].port + 1, sealed, rtcpOf(speaker.address))
    }
  }
  for (let step = 0; step < 1_000; step++) {
    nowMs = 1_000 + step * STEP_MS
    if (step === 10) agree()
    if (step === 300) call.media.arm(nowMs)
    if (step === 320) call.media.setFieldOpen(true, nowMs)
    // A re-INVITE while armed: for a while the new address is offered, then it is agreed.
    if (step === 400 || step === 700) {
      offered = { host: '198.51.100.1', port: 7_000 + step }
      call.media.propose('caller', {
        ...call.session('caller'),
        remote: offered,
        remoteRtcp: rtcpOf(offered),
      })
    }
    if (step === 420) {
      before = call.speakers.caller.address
      call.speakers.caller.address = offered ?? assert.fail()
      offered = undefined
      agree()
    }
    if (step === 600) call.media.release(nowMs)
    if (step === 720) {
      call.media.withdraw('caller')
      before = offered
      offered = undefined
    }
    strike()
    if (step >= 5) speak('caller')
    nowMs += Math.floor(randomUnit(random) * 4)
    if (step >= 12) speak('agent')
    nowMs += 5
    strike()
    call.media.wake(nowMs)
  }
  return { left, counters: call.media.counters() }
}

function keyPair(random: RandomBytes): { ours: SrtpAgreement; theirs: LegSrtp } {
  const suite = suites[0] ?? assert.fail()
  const [a, b] = [MasterKey.random(suite, random), MasterKey.random(suite, random)]
  const peer = (master: MasterKey) => [{ master, mki: new Uint8Array(), lifetimePackets: 2 ** 48 }]
  const theirs = new LegSrtp()
  theirs.agree({ suite, own: b, peer: peer(a) }, 0)
  return { ours: { suite, own: a, peer: peer(b) }, theirs }
}

function firstDifference(a: readonly string[], b: readonly string[]): string {
  const index = a.findIndex((line, i) => line !== b[i])
  return index < 0 ? 'one is longer' : `${a[index]?.slice(0, 120)}\n${b[index]?.slice(0, 120)}`
}

for (const [name, attack] of Object.entries({ ...attacks, ...closeAttacks })) {
  const isClose = name in closeAttacks
  test(`an attacker who sends ${name} is heard by nobody, before, during and after a capture`, async () => {
    for (const options of [
      { seed: 31 },
      { seed: 32, nat: true },
      { seed: 33, secure: true, nat: true },
      { seed: 36, flows: true },
    ]) {
      const quiet = await run(options)
      const attacked = await run({ ...options, attack, isClose })
      assert.ok(quiet.left.length > 1_500, `${quiet.left.length}`)
      const same =
        quiet.left.length === attacked.left.length && quiet.left.every((line, i) => line === attacked.left[i])
      assert.ok(same, `${JSON.stringify(options)}: ${firstDifference(quiet.left, attacked.left)}`)
      assert.notDeepEqual(quiet.counters, attacked.counters, 'the attack was not even noticed')
    }
  })
}

test('who can read the packets and forge the address takes part in the clear, which is what SRTP is for', async () => {
  const insider: Attack = (scene) => {
    scene.call.speakers[scene.side].step()
    scene.to(false, copied(scene), scene.call.speakers[scene.side].address)
  }
  const [quiet, attacked] = [await run({ seed: 34 }), await run({ seed: 34, attack: insider })]
  assert.notDeepEqual(quiet.left, attacked.left)
  const forger: Attack = (scene) => scene.to(false, copied(scene), scene.call.speakers[scene.side].address)
  const [calm, forged] = [await run({ seed: 35, secure: true }), await run({ seed: 35, secure: true, attack: forger })]
  assert.deepEqual(calm.left, forged.left)
})
