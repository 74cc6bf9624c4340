/** The kernel's own forwarding, in network namespaces: what crosses, what does not, and that it ends at once. */
import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { startProgram } from '../../../../test/support/processes.ts'
import { missingNamespaces } from '../../../../test/support/network-namespaces.ts'
import { kernelLimits } from '../../../lib/limits.ts'
import { libc, mapMemory } from '../relay/libc.ts'
import { writeSockaddr } from '../relay/sockaddr.ts'
import { bindUdp } from '../relay/udp.ts'
import type { FlowPair } from '../flow-forwarder.ts'
import { KernelForwarder } from './forwarder.ts'
import { openForwarder, Peer, rtp, Setting } from './kernel.test-kit.ts'

const skip = missingNamespaces()

test('audio of both directions crosses in the kernel, from our ports and with checksums that a receiver takes', {
  skip,
}, () => {
  using setting = new Setting()
  const { caller, agent, callerLeg, agentLeg, flows, forwarder } = setting
  setting.settle()
  assert.equal(forwarder.set(flows), 'done')
  const there = rtp(1)
  const back = rtp(2, { octets: 240, isMarked: true })
  caller.socket.send(there, callerLeg.address)
  agent.socket.send(back, agentLeg.address)
  assert.deepEqual(setting.settle(), {
    caller: [{ packet: back, from: callerLeg.address }],
    agent: [{ packet: there, from: agentLeg.address }],
  })
  assert.deepEqual([callerLeg.take(), agentLeg.take()], [[], []])
})

test('what is not plain audio of the agreed type from the source reaches user space, on the same port', {
  skip,
}, () => {
  using setting = new Setting()
  const { caller, callerHost, callerLeg, flows, forwarder } = setting
  setting.settle()
  assert.equal(forwarder.set(flows), 'done')
  const stranger = new Peer(callerHost, 4_004)
  const others = {
    'a telephone event': rtp(1, { payloadType: 101, octets: 4 }),
    'an event under the audio type': rtp(2, { octets: 4 }),
    'another audio type': rtp(3, { payloadType: 0 }),
    'a header extension': rtp(4, { first: 0x90 }),
    'another stream of the source': rtp(12, { ssrc: 99 }),
    padding: rtp(5, { first: 0xa0 }),
    'a CSRC list': rtp(6, { first: 0x81 }),
    'another version': rtp(7, { first: 0x40 }),
    'RTCP on the RTP port': rtp(8, { payloadType: 72, isMarked: true }),
    'too long for audio': rtp(9, { octets: 961 }),
    'too short for audio': rtp(10, { octets: 39 }),
    'one in 128': rtp(128),
    'less than a header': Uint8Array.of(0x80, 8),
  }
  for (const packet of Object.values(others)) caller.socket.send(packet, callerLeg.address)
  stranger.socket.send(rtp(11), callerLeg.address)
  assert.deepEqual(setting.settle().agent, [])
  const seen = callerLeg.take(Object.keys(others).length + 1).map(({ packet }) => packet)
  assert.deepEqual(seen, [...Object.values(others), rtp(11)])
  stranger.close()
})

test('after a removal not one packet more is forwarded, in the midst of a flood', { skip }, () => {
  using setting = new Setting()
  const { caller, agent, agentLeg, callerLeg, flows, forwarder } = setting
  setting.settle()
  for (let round = 0; round < 20; round++) {
    assert.equal(forwarder.set(flows), 'done')
    const flood = (from: number) => {
      for (let sequence = from; sequence < from + 100; sequence++) {
        caller.socket.send(rtp(sequence), callerLeg.address)
        agent.socket.send(rtp(sequence), agentLeg.address)
      }
    }
    flood(1)
    assert.equal(forwarder.remove(flows), 'done')
    flood(101)
    const { caller: toCaller, agent: toAgent } = setting.settle()
    assert.deepEqual([toCaller.length, toAgent.length], [100, 100])
    assert.deepEqual([callerLeg.take(100).length, agentLeg.take(100).length], [100, 100])
  }
})

test('a flood from another processor: what was sent after the acknowledgement is not forwarded', { skip }, async () => {
  using setting = new Setting()
  const { callerHost, callerLeg, agent, flows, forwarder } = setting
  setting.settle()
  const source = { host: callerHost.address, port: 4_008 }
  const [there, back] = flows
  const flooded: FlowPair = [{ ...there, source }, back]
  const [command, ...before] = callerHost.prefix
  const script = new URL('flood.test-child.ts', import.meta.url).pathname
  const to = [callerLeg.address.host, String(callerLeg.address.port)]
  const args = [...before, process.execPath, script, source.host, String(source.port), ...to]
  await using flood = startProgram(command, args, { lifeMs: 20_000 })
  await flood.waitFor(/flooding/, 10_000)
  for (let round = 0; round < 30; round++) {
    assert.equal(forwarder.set(flooded), 'done')
    assert.notEqual(agent.take(200).length, 0)
    assert.equal(forwarder.remove(flooded), 'done')
    const acknowledgedNs = process.hrtime.bigint()
    callerLeg.take(200)
    // Room for the packet that tells that all has arrived.
    const soFar = agent.take()
    const late = [...soFar, ...setting.settle().agent].filter(({ packet }) => sentAtNs(packet) > acknowledgedNs)
    assert.deepEqual(late, [])
  }
})

function sentAtNs(packet: Uint8Array): bigint {
  return new DataView(packet.buffer, packet.byteOffset).getBigUint64(12)
}

test('a packet that was sent without a UDP checksum is forwarded without one', { skip }, () => {
  using setting = new Setting()
  const { callerHost, callerLeg, flows, forwarder } = setting
  setting.settle()
  const source = { host: callerHost.address, port: 4_006 }
  const [there, back] = flows
  assert.equal(forwarder.set([{ ...there, source }, back]), 'done')
  const { address, octets } = mapMemory(4_096)
  const { fd } = callerHost.inside(() => bindUdp(libc, source))
  const SOL_SOCKET = 1
  const SO_NO_CHECK = 11
  octets[0] = 1
  assert.equal(libc.setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, address, 4), 0)
  const packet = rtp(1)
  octets.set(packet, 64)
  const length = writeSockaddr(octets, 0, callerLeg.address)
  libc.sendto(fd, address + 64, packet.length, 0, address, length)
  libc.close(fd)
  assert.deepEqual(
    setting.settle().agent.map((heard) => heard.packet),
    [packet],
  )
})

test('the counters tell packets and octets of each direction, and nothing of what went to user space', { skip }, () => {
  using setting = new Setting()
  const { caller, agent, callerLeg, agentLeg, flows, forwarder } = setting
  setting.settle()
  forwarder.set(flows)
  for (let sequence = 250; sequence < 260; sequence++) caller.socket.send(rtp(sequence), callerLeg.address)
  agent.socket.send(rtp(1), agentLeg.address)
  setting.settle()
  // IPv4, UDP and RTP headers, and 160 octets of audio.
  const packetOctets = 20 + 8 + 12 + 160
  assert.deepEqual(forwarder.counts(flows), [
    { packets: 9, octets: 9 * packetOctets },
    { packets: 1, octets: packetOctets },
  ])
  forwarder.remove(flows)
  assert.equal(forwarder.counts(flows), undefined)
})

test('both directions are set, or none', { skip }, () => {
  using setting = new Setting()
  const { flows, forwarder } = setting
  const [there, back] = flows
  assert.equal(forwarder.set(flows), 'done')
  const other = { ...there, payloadType: 0 }
  assert.equal(forwarder.set([other, back]), 'already-there')
  assert.equal(forwarder.counts([other, back]), undefined)
  const unreachable = { ...there, payloadType: 3, destination: { host: '192.0.2.1', port: 4_000 } }
  assert.equal(forwarder.set([unreachable, { ...back, payloadType: 3 }]), 'no-route')
})

test('a removal that the kernel does not confirm takes every flow out, for good', { skip }, () => {
  using setting = new Setting()
  const { caller, callerLeg, flows, forwarder } = setting
  const [there, back] = flows
  setting.settle()
  forwarder.set(flows)
  assert.equal(forwarder.remove([{ ...there, payloadType: 0 }, back]), 'all-removed')
  assert.equal(forwarder.isOpen, false)
  caller.socket.send(rtp(1), callerLeg.address)
  assert.deepEqual(setting.settle().agent, [])
  assert.equal(forwarder.set(flows), 'failed')
  // The name is free again: the table has gone.
  openForwarder(setting.us).close()
})

test('there are as many flows as allowed, and not one more', { skip }, () => {
  using setting = new Setting()
  const { flows, forwarder } = setting
  const pair = (call: number): FlowPair => [at(flows[0], call), at(flows[1], call)]
  const at = (flow: FlowPair[0], call: number) => ({ ...flow, arrivesAt: { ...flow.arrivesAt, port: 6_000 + call } })
  const callsMax = kernelLimits.flowsMax / 2
  for (let call = 0; call < callsMax; call++) assert.equal(forwarder.set(pair(call)), 'done')
  assert.equal(forwarder.set(pair(callsMax)), 'full')
  assert.equal(forwarder.remove(pair(0)), 'done')
  assert.equal(forwarder.set(pair(callsMax)), 'done')
})

test('of a process that is killed nothing stays in the kernel', { skip }, () => {
  using setting = new Setting()
  setting.forwarder.close()
  const script = `
    const { KernelForwarder } = await import(process.argv[1])
    const opened = KernelForwarder.open(process.argv[2], 'tonewall-killed')
    process.stdout.write(String(opened instanceof KernelForwarder))
    process.kill(process.pid, 'SIGKILL')`
  const module = new URL('forwarder.ts', import.meta.url).href
  const args = ['--input-type=module', '--eval', script, module, setting.us.address]
  assert.throws(
    () => setting.us.run(process.execPath, ...args),
    (error: { stdout: string; signal: string }) => error.stdout === 'true',
  )
  openForwarder(setting.us, 'tonewall-killed').close()
})

test('where it cannot be, the reason is said', { skip }, () => {
  using setting = new Setting()
  const { us } = setting
  const whyAt = (host: string) => us.inside(() => KernelForwarder.open(host, 'tonewall-other'))
  const problem = 'kernel-forwarding-unavailable'
  assert.deepEqual(whyAt('127.0.0.1'), { problem, why: 'loopback' })
  assert.deepEqual(whyAt('192.0.2.7'), { problem, why: 'no-device' })
  const script = `
    const { KernelForwarder } = await import(process.argv[1])
    process.seteuid(65534)
    process.stdout.write(JSON.stringify(KernelForwarder.open(process.argv[2], 'tonewall-nobody')))`
  const module = new URL('forwarder.ts', import.meta.url).href
  const said = us.run(process.execPath, '--input-type=module', '--eval', script, module, us.address)
  assert.deepEqual(JSON.parse(said), { problem, why: 'no-permission' })
})
