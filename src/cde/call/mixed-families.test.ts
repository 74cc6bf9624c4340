/** A caller on IPv6 and an agent on IPv4, and the other way round, on real sockets of each engine: what one says the other hears. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../../test/support/eventually.ts'
import { freePorts } from '../../../test/support/free-ports.ts'
import { missingIpv6 } from '../../../test/support/have.ts'
import { pcma, rtcpOf, Speaker } from '../../../test/support/media-call.ts'
import { plainTerms } from '../../../test/support/media-terms.ts'
import type { Address } from '../../lib/address.ts'
import { systemRandom } from '../../lib/random.ts'
import type { AudioSession } from '../media/audio-session.ts'
import { chooseEngine } from '../media/engines.ts'
import { PortPool } from '../media/ports.ts'
import { parseRtp } from '../media/rtp.ts'
import { CallMedia } from './call-media.ts'
import { MediaPorts } from './media-ports.ts'

const families = { ipv4: '127.0.0.1', ipv6: '::1' } as const

/** A phone that says its own octet, and hears. */
async function phone(t: TestContext, host: string, octet: number) {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.bind(0, host)
  await once(socket, 'listening')
  t.after(() => socket.close())
  const address: Address = { host, port: socket.address().port }
  const heard: (number | undefined)[] = []
  socket.on('message', (packet) => {
    const rtp = parseRtp(packet)
    if (typeof rtp !== 'string') heard.push(rtp.payload[0])
  })
  const speaker = new Speaker(address, systemRandom)
  const payload = new Uint8Array(160).fill(octet)
  const says = (to: Address): void => {
    speaker.step()
    socket.send(speaker.packet(payload), to.port, to.host)
  }
  return { address, heard, says }
}

const session = (remote: Address): AudioSession => ({
  ...{ remote, remoteRtcp: rtcpOf(remote), formats: [pcma], direction: 'sendrecv', ptimeMs: 20 },
})

for (const name of ['uring', 'epoll', 'dgram'] as const) {
  for (const [callersFamily, agentsFamily] of [
    ['ipv6', 'ipv4'],
    ['ipv4', 'ipv6'],
  ] as const) {
    test(`${name}: a caller on ${callersFamily} and an agent on ${agentsFamily} hear each other`, {
      skip: missingIpv6(),
    }, async (t) => {
      const chosen = await chooseEngine(name)
      if (typeof chosen === 'string') return t.skip(`${name} is not to be had here`)
      const nowMs = (): number => performance.now()
      const portMin = await freePorts(8)
      const ports = (family: keyof typeof families, from: number): MediaPorts =>
        new MediaPorts(families[family], new PortPool(from, from + 3, systemRandom), chosen.engine, nowMs)
      const [callers, agents] = [ports(callersFamily, portMin), ports(agentsFamily, portMin + 4)]
      const [callersPair, agentsPair] = [await callers.open(), await agents.open()]
      assert.ok(callersPair !== undefined && agentsPair !== undefined)
      const options = { ports: callers, replacement: 'flat', jitterMs: 40, random: systemRandom, nowMs } as const
      const listener = { onKey: () => {}, onEvent: () => {} }
      const media = new CallMedia(options, listener, { caller: callersPair, agent: agentsPair })
      const caller = await phone(t, families[callersFamily], 0x51)
      const agent = await phone(t, families[agentsFamily], 0x52)
      media.use(plainTerms({ caller: session(caller.address), agent: session(agent.address) }), nowMs())
      const timer = setInterval(() => {
        caller.says(media.addresses.caller)
        agent.says(media.addresses.agent)
        chosen.polled?.poll(nowMs())
        media.wake(nowMs())
      }, 5)
      t.after(() => {
        clearInterval(timer)
        media.close(nowMs())
        for (const each of [callers, agents]) each.close()
        chosen.polled?.close()
      })
      await eventually('speech both ways', 5_000, async () =>
        caller.heard.length > 20 && agent.heard.length > 20 ? true : undefined,
      )
      assert.deepEqual([...new Set(agent.heard)], [0x51])
      assert.deepEqual([...new Set(caller.heard)], [0x52])
      // Armed, the caller's sound leaves as packets of our own, on the other family all the same.
      media.arm(nowMs())
      const before = agent.heard.length
      await eventually('masked speech', 5_000, async () => agent.heard.length > before + 10 || undefined)
    })
  }
}
