/** A port whose peer has settled has a second socket, connected to it: nobody may notice but the kernel. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import type { Address } from '../../../lib/address.ts'
import { relayLimits } from '../../../lib/limits.ts'
import type { MediaSocket } from '../socket.ts'
import { polledEngine } from './choose.ts'
import { EpollEngine } from './engine-epoll.ts'
import { UringEngine } from './engine-uring.ts'
import type { PolledEngine } from './engine.ts'
import { type Libc, libc } from './libc.ts'

const untilConnected = relayLimits.packetsUntilConnected + 2
let nowMs = 0

interface Heard {
  readonly socket: MediaSocket
  readonly heard: string[]
}

/** @param answersBelow datagrams with an octet below this are answered with 100 */
function openOn(engine: PolledEngine, local: Address, answersBelow: number): Heard {
  const heard: string[] = []
  const socket: MediaSocket = engine.open(local, ([octet = 0], from) => {
    heard.push(`${octet} from ${from.port}`)
    if (octet < answersBelow) socket.send(Uint8Array.of(100), from)
  })
  return { socket, heard }
}

for (const name of ['epoll', 'uring'] as const) {
  const isHere = (await polledEngine('epoll')) !== undefined && (await polledEngine(name)) !== undefined
  const skip = !isHere && `${name} is not to be had here`

  /** An engine with one port that answers octets below 100; and ports outside, on an engine that sends at once. */
  const setUp = (t: TestContext, host: string, calls: Libc = libc) => {
    const engine = name === 'epoll' ? new EpollEngine(calls) : new UringEngine(calls)
    const outside = new EpollEngine()
    t.after(() => [engine, outside].forEach((either) => either.close()))
    const port = openOn(engine, { host, port: 0 }, 100)
    const count = (counter: string): number => engine.counters()[`relay_${counter}`] ?? 0
    const poll = (): void => {
      for (let turn = 0; turn < 3; turn++) engine.poll(nowMs++)
      for (let turn = 0; turn < 3; turn++) outside.poll(nowMs++)
    }
    const peer = (local: Address = { host, port: 0 }): Heard => openOn(outside, local, 0)
    const send = (from: Heard, octet: number): void => {
      from.socket.send(Uint8Array.of(octet), port.socket.local)
      poll()
    }
    const settle = (from: Heard): void => {
      for (let i = 0; i < untilConnected; i++) send(from, i)
    }
    return { engine, port, count, poll, peer, send, settle }
  }
  const numbered = (from: Heard): string[] =>
    Array.from({ length: untilConnected }, (_, i) => `${i} from ${from.socket.local.port}`)

  for (const host of ['127.0.0.1', '::1']) {
    test(`${name}, ${host}: a peer settles, and strangers are heard as before, with their own source`, {
      skip,
    }, (t) => {
      const { port, count, peer, send, settle } = setUp(t, host)
      const [settled, stranger] = [peer(), peer()]
      settle(settled)
      send(stranger, 50)
      assert.equal(count('connected'), 1)
      // The answer to the stranger took the port's way elsewhere; the peer is as a new one.
      send(settled, 60)
      const others = [`50 from ${stranger.socket.local.port}`, `60 from ${settled.socket.local.port}`]
      assert.deepEqual(port.heard, [...numbered(settled), ...others])
      assert.deepEqual(stranger.heard, [`100 from ${port.socket.local.port}`])
      assert.equal(settled.heard.length, untilConnected + 1)
    })
  }

  test(`${name}: a peer that moves is heard at once, and settles anew`, { skip }, (t) => {
    const { port, count, peer, settle } = setUp(t, '127.0.0.1')
    const [first, second] = [peer(), peer()]
    for (const [moves, at] of [first, second, first].entries()) {
      port.heard.length = 0
      at.heard.length = 0
      settle(at)
      assert.deepEqual(port.heard, numbered(at))
      assert.equal(at.heard.length, untilConnected)
      assert.deepEqual([count('connected'), count('disconnected')], [moves + 1, moves])
    }
  })

  test(`${name}: a peer whose port was closed for a while is served again when it is back`, { skip }, (t) => {
    const { port, count, poll, peer, settle } = setUp(t, '127.0.0.1')
    const first = peer()
    settle(first)
    assert.equal(count('connected'), 1)
    const { local } = first.socket
    first.socket.close()
    // Each is answered by ICMP "port unreachable", which a connected socket reports as an error.
    for (let i = 0; i < 20; i++) {
      port.socket.send(Uint8Array.of(i), local)
      poll()
    }
    port.heard.length = 0
    const back = peer(local)
    settle(back)
    assert.deepEqual(port.heard, numbered(back))
    assert.equal(back.heard.length, untilConnected)
  })

  test(`${name}: who sends between the binding of the second socket and its connecting is not taken for the peer`, {
    skip,
  }, (t) => {
    let intrude = (): void => {}
    const connect: Libc['connect'] = (...args) => {
      intrude()
      return libc.connect(...args)
    }
    const { port, count, peer, settle } = setUp(t, '127.0.0.1', { ...libc, connect })
    const [settled, stranger] = [peer(), peer()]
    intrude = () => stranger.socket.send(Uint8Array.of(177), port.socket.local)
    settle(settled)
    assert.equal(count('connected'), 1)
    const foreign = port.heard.filter((text) => text.startsWith('177'))
    assert.deepEqual(new Set(foreign), new Set([`177 from ${stranger.socket.local.port}`]))
    assert.equal(port.heard.length, untilConnected + foreign.length)
  })

  test(`${name}: what comes while a peer gets its socket is heard in the order in which it was sent`, { skip }, (t) => {
    let intrude = (): void => {}
    const during = (call: 'bind' | 'connect'): Libc['bind'] => {
      return (...args) => {
        const result = libc[call](...args)
        intrude()
        return result
      }
    }
    const calls = { ...libc, bind: during('bind'), connect: during('connect') }
    const { port, count, poll, peer } = setUp(t, '127.0.0.1', calls)
    const settled = peer()
    let octet = 0
    const burst = (): void => {
      for (let i = 0; i < 3; i++) settled.socket.send(Uint8Array.of(octet++), port.socket.local)
    }
    intrude = burst
    for (let i = 0; i < untilConnected; i++) {
      burst()
      poll()
    }
    assert.equal(count('connected'), 1)
    const { port: from } = settled.socket.local
    assert.deepEqual(
      port.heard,
      Array.from({ length: octet }, (_, i) => `${i} from ${from}`),
    )
  })

  test(`${name}: where no second socket is to be had the port goes on with its first`, { skip }, (t) => {
    const refused: Libc['connect'] = () => -1
    const { port, count, peer, settle } = setUp(t, '127.0.0.1', { ...libc, connect: refused })
    const settled = peer()
    settle(settled)
    assert.equal(count('connected'), 0)
    assert.deepEqual(port.heard, numbered(settled))
    assert.equal(settled.heard.length, untilConnected)
  })

  test(`${name}: a settled port is as closed to other sockets as any, and free once it is closed`, {
    skip,
  }, async (t) => {
    const { port, count, peer, settle } = setUp(t, '127.0.0.1')
    settle(peer())
    assert.equal(count('connected'), 1)
    const { local } = port.socket
    await assert.rejects(bindShared(t, local), { code: 'EADDRINUSE' })
    port.socket.close()
    await bindShared(t, local)
  })

  test(`${name}: a stranger's flood costs a settled peer nothing`, { skip }, (t) => {
    const { engine, port, count, peer, settle } = setUp(t, '127.0.0.1')
    const [settled, stranger] = [peer(), peer()]
    settle(settled)
    assert.equal(count('connected'), 1)
    port.heard.length = 0
    const flood = relayLimits.packetsPerPortAndTickMax * 2
    for (let i = 0; i < flood; i++) stranger.socket.send(Uint8Array.of(200), port.socket.local)
    settled.socket.send(Uint8Array.of(2), port.socket.local)
    for (let turn = 0; turn < 40; turn++) engine.poll(nowMs)
    assert.ok(port.heard.includes(`2 from ${settled.socket.local.port}`))
    assert.ok(port.heard.length <= relayLimits.packetsPerPortAndTickMax + 1)
  })

  test(`${name}: media leave marked as Expedited Forwarding, from both sockets of a port`, { skip }, (t) => {
    const marked = new Map<number, number>()
    const setsockopt: Libc['setsockopt'] = (...args) => {
      const [fd, level, option] = args
      if ((level === 0 && option === 1) || (level === 41 && option === 67)) marked.set(Number(fd), option)
      return libc.setsockopt(...args)
    }
    const { count, peer, settle } = setUp(t, '127.0.0.1', { ...libc, setsockopt })
    settle(peer())
    assert.equal(count('connected'), 1)
    assert.equal(marked.size, 2)
  })
}

async function bindShared(t: TestContext, { host, port }: Address): Promise<void> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  t.after(() => socket.close())
  socket.bind(port, host)
  await once(socket, 'listening')
}
