/** Forwarding inside an engine: what crosses unseen, what is seen all the same, and that nothing crosses once a flow is out. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { relayLimits } from '../../../lib/limits.ts'
import type { FlowPair } from '../flow-forwarder.ts'
import type { Flow } from '../kernel/flow.ts'
import { writeRtp } from '../rtp.ts'
import type { MediaSocket } from '../socket.ts'
import { polledEngine } from './choose.ts'

const any = { host: '127.0.0.1', port: 0 }
const PCMA = 8
let nowMs = 0

interface Peer {
  readonly socket: MediaSocket
  /** Sequence numbers. */
  readonly heard: number[]
}

/** Sequence numbers of which one is a sample that is always seen. */
const sequences = Array.from({ length: 20 }, (_, i) => 120 + i)
const sample = 128

function rtp(sequence: number, payloadType = PCMA, payloadOctets = 160): Uint8Array {
  const fields = { payloadType, marker: false, sequence, timestamp: sequence * 160, ssrc: 7 }
  return writeRtp(fields, new Uint8Array(payloadOctets).fill(sequence & 0xff))
}

for (const name of ['epoll', 'uring'] as const) {
  const isHere = (await polledEngine(name)) !== undefined && (await polledEngine('epoll')) !== undefined
  const skip = !isHere && `${name} is not to be had here`

  /** A call of two settled legs, relayed by its listeners; `seen` are the packets that these were shown. */
  const setUp = async (t: TestContext) => {
    const engine = (await polledEngine(name)) ?? assert.fail('no engine')
    const outside = (await polledEngine('epoll')) ?? assert.fail('no epoll')
    t.after(() => [engine, outside].forEach((either) => either.close()))
    const peer = (): Peer => {
      const heard: number[] = []
      return { heard, socket: outside.open(any, ([, , high = 0, low = 0]) => heard.push((high << 8) | low)) }
    }
    const [caller, agent] = [peer(), peer()]
    const seen: number[] = []
    const leg = (to: () => MediaSocket, peerOfOther: Peer): MediaSocket =>
      engine.open(any, (packet) => {
        seen.push(((packet[2] ?? 0) << 8) | (packet[3] ?? 0))
        to().send(packet, peerOfOther.socket.local)
      })
    const callerLeg: MediaSocket = leg(() => agentLeg, agent)
    const agentLeg: MediaSocket = leg(() => callerLeg, caller)
    const poll = (): void => {
      for (let turn = 0; turn < 3; turn++) engine.poll(nowMs++)
      for (let turn = 0; turn < 3; turn++) outside.poll(nowMs++)
    }
    const send = (from: Peer, packet: Uint8Array): void => {
      from.socket.send(packet, (from === caller ? callerLeg : agentLeg).local)
      poll()
    }
    const flow = (from: Peer, arrivesAt: MediaSocket, leavesFrom: MediaSocket, to: Peer): Flow => ({
      source: from.socket.local,
      arrivesAt: arrivesAt.local,
      payloadType: PCMA,
      ssrc: 7,
      leavesFrom: leavesFrom.local,
      destination: to.socket.local,
    })
    const flows: FlowPair = [flow(caller, callerLeg, agentLeg, agent), flow(agent, agentLeg, callerLeg, caller)]
    const settle = (): void => {
      for (let i = 0; i < relayLimits.packetsUntilConnected + 3; i++)
        for (const from of [caller, agent]) send(from, rtp(i))
      for (const list of [caller.heard, agent.heard, seen]) list.length = 0
    }
    return { engine, caller, agent, callerLeg, agentLeg, seen, send, flows, settle, peer }
  }

  test(`${name}: a call's audio crosses unseen in both directions, but for one packet in 128, and is counted`, {
    skip,
  }, async (t) => {
    const { engine, caller, agent, seen, send, flows, settle } = await setUp(t)
    assert.notEqual(engine.flows.set(flows), 'done', 'before the peers have settled')
    settle()
    assert.equal(engine.flows.set(flows), 'done')
    for (const sequence of sequences) for (const from of [caller, agent]) send(from, rtp(sequence))
    assert.deepEqual(agent.heard, sequences)
    assert.deepEqual(caller.heard, sequences)
    assert.deepEqual(seen, [sample, sample])
    const packets = sequences.length - 1
    const each = { packets, octets: packets * 200 }
    assert.deepEqual(engine.flows.counts(flows), [each, each])
  })

  test(`${name}: what is not the peer's plain audio of the agreed type is seen, whoever sends it`, {
    skip,
  }, async (t) => {
    const { engine, caller, agent, callerLeg, seen, send, flows, settle, peer } = await setUp(t)
    settle()
    assert.equal(engine.flows.set(flows), 'done')
    const extended = rtp(1)
    extended[0] = 0x90
    const unusual = [
      rtp(2, 101, 4),
      rtp(3, 0),
      rtp(4, PCMA, 4),
      rtp(5, PCMA, 1_400),
      extended,
      Uint8Array.of(0x80, PCMA),
    ]
    for (const packet of unusual) send(caller, packet)
    assert.equal(seen.length, unusual.length)
    seen.length = 0
    const stranger = peer()
    stranger.socket.send(rtp(6), callerLeg.local)
    send(caller, rtp(7))
    assert.deepEqual(seen, [6])
    assert.equal(agent.heard.at(-1), 7)
  })

  test(`${name}: from the return of remove on every packet is seen, those that had arrived before included`, {
    skip,
  }, async (t) => {
    const { engine, caller, agent, callerLeg, seen, send, flows, settle } = await setUp(t)
    settle()
    assert.equal(engine.flows.set(flows), 'done')
    caller.socket.send(rtp(1), callerLeg.local)
    assert.equal(engine.flows.remove(flows), 'done')
    for (const sequence of [2, 3]) send(caller, rtp(sequence))
    assert.deepEqual(seen, [1, 2, 3])
    assert.deepEqual(agent.heard, [1, 2, 3])
    assert.equal(engine.flows.counts(flows), undefined)
    assert.equal(engine.flows.remove(flows), 'done', 'once more is nothing')
  })

  test(`${name}: a leg that sends elsewhere, or is closed, ends what crosses unseen by it`, { skip }, async (t) => {
    for (const change of ['elsewhere', 'closed'] as const) {
      const { engine, caller, agentLeg, seen, send, flows, settle, peer } = await setUp(t)
      settle()
      assert.equal(engine.flows.set(flows), 'done')
      send(caller, rtp(1))
      assert.deepEqual(seen, [])
      const other = peer()
      if (change === 'elsewhere') agentLeg.send(Uint8Array.of(1), other.socket.local)
      else agentLeg.close()
      send(caller, rtp(2))
      assert.deepEqual(seen, [2])
      assert.deepEqual(
        other.heard.filter((sequence) => sequence === 2),
        [],
      )
    }
  })

  test(`${name}: flows of a closed engine are out`, { skip }, async (t) => {
    const { engine, flows, settle } = await setUp(t)
    settle()
    assert.equal(engine.flows.set(flows), 'done')
    engine.flows.close()
    assert.equal(engine.flows.counts(flows), undefined)
  })
}
