/** Both engines on real sockets of loopback: what one promises, the other keeps. Skipped where the system forbids an engine. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import type { Address } from '../../../lib/address.ts'
import { mediaLimits, relayLimits } from '../../../lib/limits.ts'
import { shakeEngine } from '../../../../test/support/shake-engine.ts'
import { MediaOpenError, type MediaSocket } from '../socket.ts'
import { polledEngine } from './choose.ts'
import type { PolledEngine } from './engine.ts'

const host = '127.0.0.1'
const any: Address = { host, port: 0 }
const engines = [
  { name: 'epoll', engine: await polledEngine('epoll') },
  { name: 'uring', engine: await polledEngine('uring') },
] as const

let nowMs = 0

/** Polls, a millisecond of its own each, until nothing comes any more. */
function drain(engine: PolledEngine): number {
  let datagrams = 0
  for (let quiet = 0; quiet < 3; ) {
    const came = engine.poll(nowMs++)
    datagrams += came
    quiet = came === 0 ? quiet + 1 : 0
  }
  return datagrams
}

for (const { name, engine } of engines) {
  const skip = engine === undefined && `${name} is not to be had here`
  const get = (): PolledEngine => engine ?? assert.fail('skipped')
  // A new engine where a test closes it or is to meet it fresh.
  const fresh = async (): Promise<PolledEngine> => (await polledEngine(name)) ?? assert.fail('no second engine')

  test(`${name}: datagrams cross with their source, copied or forwarded, over IPv4 and IPv6`, { skip }, (t) => {
    for (const local of [any, { host: '::1', port: 0 }]) {
      const heard: unknown[] = []
      const a = get().open(local, (packet, from) => heard.push([...packet, from.port, from.host]))
      const b: MediaSocket = get().open(
        local,
        (packet, from) => heard.push(['not in place', ...packet, from.port]),
        (frame) => {
          if (frame.octets[frame.start] !== 1) return false
          frame.octets[frame.start] = 2
          b.forward(frame, frame.from)
          return true
        },
      )
      t.after(() => [a, b].forEach((socket) => socket.close()))
      a.send(Uint8Array.of(1, 7), b.local)
      a.send(Uint8Array.of(5, 7), b.local)
      drain(get())
      const expected = [
        ['not in place', 5, 7, a.local.port],
        [2, 7, b.local.port, local.host],
      ]
      assert.deepEqual(heard, expected)
    }
  })

  test(`${name}: what is too long for a packet is refused, and nothing of it stays in the engine's memory`, {
    skip,
  }, async (t) => {
    let memory: Uint8Array = new Uint8Array()
    const listener = get().open(
      any,
      () => {},
      ({ octets }) => {
        memory = octets
        return true
      },
    )
    const sender = createSocket('udp4')
    t.after(() => {
      listener.close()
      sender.close()
    })
    const other = get().open(any, () => {})
    t.after(() => other.close())
    other.send(Uint8Array.of(1), listener.local)
    drain(get())
    const long = Buffer.alloc(mediaLimits.packetOctetsMax + 100, 0xab)
    await new Promise<void>((resolve) => {
      sender.send(long, listener.local.port, host, () => resolve())
    })
    drain(get())
    assert.ok((get().counters()['relay_refused'] ?? 0) > 0)
    assert.equal(Buffer.from(memory.buffer, memory.byteOffset, memory.length).indexOf(long.subarray(0, 64)), -1)
  })

  test(`${name}: taken, foreign and senseless addresses are told apart`, { skip }, (t) => {
    const socket = get().open(any, () => {})
    t.after(() => socket.close())
    const reasonOf = (address: Address): unknown => {
      try {
        get()
          .open(address, () => {})
          .close()
        return undefined
      } catch (error) {
        return error instanceof MediaOpenError ? error.reason : error
      }
    }
    assert.equal(reasonOf(socket.local), 'address-in-use')
    assert.equal(reasonOf({ host: '192.0.2.1', port: 0 }), 'address-not-here')
    assert.equal(reasonOf({ host: 'not an address', port: 0 }), 'failed')
    assert.equal(reasonOf(any), undefined)
  })

  test(`${name}: a closed port is free at once, hears nothing and sends nothing`, { skip }, (t) => {
    let heard = 0
    const target = get().open(any, () => heard++)
    const first = get().open(any, () => assert.fail('heard after closing'))
    const { local } = first
    const sender = get().open(any, () => {})
    sender.send(Uint8Array.of(1), local)
    drainQueue(get(), first)
    first.send(Uint8Array.of(1), target.local)
    const second = get().open(local, () => heard++)
    t.after(() => [target, sender, second].forEach((socket) => socket.close()))
    drain(get())
    assert.equal(heard, 0)
    sender.send(Uint8Array.of(1), second.local)
    drain(get())
    assert.equal(heard, 1)
  })

  test(`${name}: sending to nobody, to port 0, to a name, too much or in the other family is loss and no more`, {
    skip,
  }, (t) => {
    let heard = 0
    const socket = get().open(any, () => heard++)
    t.after(() => socket.close())
    for (const to of [{ host: '0.0.0.0', port: 9 }, any, { host: 'name', port: 9 }, { host: '::1', port: 9 }]) {
      socket.send(Uint8Array.of(1), to)
    }
    socket.send(new Uint8Array(mediaLimits.packetOctetsMax + 1), socket.local)
    drain(get())
    socket.send(Uint8Array.of(1), socket.local)
    drain(get())
    assert.equal(heard, 1)
  })

  test(`${name}: empty, longest and too long datagrams from outside`, { skip }, async (t) => {
    const lengths: number[] = []
    const socket = get().open(any, (packet) => lengths.push(packet.length))
    t.after(() => socket.close())
    const outside = createSocket('udp4')
    t.after(() => outside.close())
    for (const length of [0, 1, mediaLimits.packetOctetsMax, mediaLimits.packetOctetsMax + 1, 2_004, 2_005, 9_000, 3]) {
      const { promise, resolve } = Promise.withResolvers<void>()
      outside.send(new Uint8Array(length), socket.local.port, host, () => resolve())
      await promise
    }
    drain(get())
    assert.deepEqual(lengths, [0, 1, mediaLimits.packetOctetsMax, 3])
  })

  test(`${name}: a flooded port takes its share and no more; the others are heard in the same turn`, {
    skip,
  }, async (t) => {
    const own = await fresh()
    t.after(() => own.close())
    let flooded = 0
    let others = 0
    const victim = own.open(any, () => flooded++)
    const other = own.open(any, () => others++)
    const sender = own.open(any, () => {})
    const flood = 150
    for (let i = 0; i < flood; i++) sender.send(Uint8Array.of(1), victim.local)
    sender.send(Uint8Array.of(2), other.local)
    // One millisecond, however often it is asked.
    for (let turn = 0; turn < 50; turn++) own.poll(5)
    assert.equal(others, 1)
    assert.equal(flooded, relayLimits.packetsPerPortAndTickMax)
    drain(own)
    assert.ok(flooded <= flood)
    const before = flooded
    sender.send(Uint8Array.of(3), victim.local)
    drain(own)
    assert.equal(flooded, before + 1, 'hears again when the flood is over')
  })

  test(`${name}: more datagrams than there are buffers and places in the rings`, { skip }, async (t) => {
    const own = await fresh()
    t.after(() => own.close())
    const count = 120
    const each = 60
    let heard = 0
    const targets = Array.from({ length: count }, () => own.open(any, () => heard++))
    const outside = createSocket('udp4')
    outside.bind(0, host)
    await once(outside, 'listening')
    t.after(() => outside.close())
    let lost = 0
    for (let i = 0; i < each; i++) {
      for (const { local } of targets)
        outside.send(Uint8Array.of(i), local.port, host, (error) => (lost += error ? 1 : 0))
    }
    // Sends that failed or are still in Node's queue are not ours to lose.
    await new Promise((resolve) => outside.send(Uint8Array.of(0), 9, host, resolve))
    drain(own)
    assert.equal(heard, count * each - lost)
    for (const { local } of targets) for (let i = 0; i < 30; i++) targets[0]?.send(Uint8Array.of(i), local)
    drain(own)
    assert.ok(heard > count * each, 'works on')
  })

  test(`${name}: frames forwarded and copies sent in one turn, more than a queue has places, and each copy is its own`, {
    skip,
  }, async (t) => {
    const own = await fresh()
    t.after(() => own.close())
    const copied: number[] = []
    const target = own.open(any, ([high = 0, low = 0]) => copied.push((high << 8) | low))
    const copier = own.open(any, () => {})
    const sink = own.open(any, () => {})
    const outside = (await polledEngine('epoll')) ?? assert.fail('no epoll')
    t.after(() => outside.close())
    const sender = outside.open(any, () => {})
    // io_uring's queue has 512 places. The first copy and 511 frames fill it, and the copies after them find it full.
    const places = 512
    const count = places + 50
    let heard = 0
    const expected: number[] = []
    const ports: MediaSocket[] = Array.from({ length: 20 }, () => {
      const port: MediaSocket = own.open(
        any,
        () => {},
        (frame) => {
          const number = heard++
          if (number > 0 && number < places) {
            port.forward(frame, sink.local)
            return true
          }
          expected.push(number)
          copier.send(Uint8Array.of(number >> 8, number & 0xff), target.local)
          return true
        },
      )
      return port
    })
    for (let i = 0; i < count; i++) sender.send(Uint8Array.of(1), (ports[i % ports.length] ?? assert.fail()).local)
    // As a busy engine's turn: all that waits is there when it begins.
    own.wait(1, 1)
    drain(own)
    assert.equal(heard, count)
    assert.deepEqual(
      copied.toSorted((a, b) => a - b),
      expected,
    )
  })

  test(`${name}: after close nothing is heard, sent or opened`, { skip }, async () => {
    const own = await fresh()
    const socket = own.open(any, () => assert.fail('heard'))
    socket.send(Uint8Array.of(1), socket.local)
    own.close()
    own.close()
    socket.send(Uint8Array.of(1), socket.local)
    assert.equal(own.poll(nowMs++), 0)
    assert.throws(() => own.open(any, () => {}), MediaOpenError)
  })

  test(`${name}: ports opened, closed, flooded and closed from within, at random, mix up nothing`, {
    skip,
  }, async (t) => {
    const own = await fresh()
    t.after(() => own.close())
    for (const seed of [1, 2, 3]) shakeEngine(own, seed)
  })
}

/** Lets a datagram wait in the port's queue, then closes the port. */
function drainQueue(engine: PolledEngine, socket: MediaSocket): void {
  if (engine.name === 'uring') socket.close()
  else {
    socket.close()
    engine.poll(nowMs++)
  }
}
