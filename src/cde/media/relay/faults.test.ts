/** Engines whose system calls fail, by a table of calls put in the place of libc's: loss at most, and nothing that stays. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { type CallName, errno, type Faults, faultyLibc } from '../../../../test/support/faulty-libc.ts'
import { shakeEngine } from '../../../../test/support/shake-engine.ts'
import { mediaLimits, relayLimits } from '../../../lib/limits.ts'
import { type RandomBytes, randomUnit, seededRandom } from '../../../lib/random.ts'
import { MediaOpenError } from '../socket.ts'
import { polledEngine } from './choose.ts'
import type { PolledEngine } from './engine.ts'
import { type Libc, libc } from './libc.ts'

const any = { host: '127.0.0.1', port: 0 }
const { EPERM, EINTR, EBADF, EAGAIN, ENOMEM, EBUSY, EINVAL, EMFILE, ENOSYS, ENOBUFS } = errno
const seeds = [1, 2, 3, 4]
let nowMs = 0

/** Calls that book which descriptors were opened and not closed. */
function booked(calls: Libc): { calls: Libc; open: Set<number> } {
  const open = new Set<number>()
  const opening = (call: (...args: readonly (number | null)[]) => number) => {
    return (...args: readonly (number | null)[]): number => {
      const fd = call(...args)
      if (fd >= 0) open.add(fd)
      return fd
    }
  }
  const close: Libc['close'] = (fd) => {
    open.delete(Number(fd))
    return calls.close(fd ?? -1)
  }
  const openers = {
    socket: opening(calls.socket),
    epollCreate: opening(calls.epollCreate),
    eventfd: opening(calls.eventfd),
    uringSetup: opening(calls.uringSetup),
  }
  return { open, calls: { ...calls, ...openers, close } }
}

/** Datagrams of which now and then only a part is read; the rest of the memory holds what was there before. */
function shortReads(calls: Libc, random: RandomBytes): Libc {
  const cut = (length: number): number => (length > 0 && randomUnit(random) < 0.2 ? length >> 1 : length)
  return {
    ...calls,
    recv: (...args) => cut(calls.recv(...args)),
    recvfrom: (...args) => cut(calls.recvfrom(...args)),
  }
}

for (const name of ['epoll', 'uring'] as const) {
  const isHere = (await polledEngine(name)) !== undefined
  const skip = !isHere && `${name} is not to be had here`
  const engineWith = async (t: TestContext, calls: Libc): Promise<PolledEngine> => {
    const engine = (await polledEngine(name, calls)) ?? assert.fail('no engine')
    t.after(() => engine.close())
    return engine
  }
  const poll = (engine: PolledEngine): void => {
    for (let turn = 0; turn < 5; turn++) engine.poll(nowMs++)
  }

  test(`${name}: where the system refuses the engine there is none, and nothing stays open`, { skip }, async () => {
    const refusals: readonly (readonly [CallName, number])[] =
      name === 'epoll'
        ? [
            ['epollCreate', EMFILE],
            ['epollControl', ENOMEM],
          ]
        : [
            ['uringSetup', EPERM],
            ['uringSetup', ENOSYS],
            ['uringRegister', EINVAL],
            ['uringRegister', EPERM],
          ]
    for (const [call, problem] of [...refusals, ['eventfd', EMFILE] as const]) {
      const { calls, open } = booked(faultyLibc({ calls: { [call]: [problem] }, share: 1 }, seededRandom(1)))
      assert.equal(await polledEngine(name, calls), undefined, `${call} ${problem}`)
      assert.deepEqual([...open], [], `${call} ${problem}`)
    }
  })

  test(`${name}: a port that cannot be had is refused, costs nothing, and the next one opens`, { skip }, async (t) => {
    const refusals: readonly (readonly [CallName, number])[] = [
      ['socket', EMFILE],
      ['bind', ENOMEM],
      name === 'epoll' ? ['epollControl', ENOMEM] : ['uringRegister', ENOMEM],
    ]
    for (const [call, problem] of refusals) {
      const faults: Faults = { calls: { [call]: [problem] }, share: 0 }
      const { calls, open } = booked(faultyLibc(faults, seededRandom(1)))
      const engine = await engineWith(t, calls)
      const before = [...open]
      faults.share = 1
      for (let i = 0; i < 50; i++) assert.throws(() => engine.open(any, () => {}), MediaOpenError, call)
      assert.equal(engine.openPorts, 0, call)
      assert.deepEqual([...open], before, call)
      faults.share = 0
      let heard = 0
      const socket = engine.open(any, () => heard++)
      socket.send(Uint8Array.of(1), socket.local)
      poll(engine)
      assert.equal(heard, 1, call)
    }
  })

  test(`${name}: calls that fail now and then lose packets at most, in any order of events`, { skip }, async (t) => {
    const calls: Faults['calls'] =
      name === 'epoll'
        ? {
            epollWait: [EINTR],
            recvfrom: [EINTR, EAGAIN, ENOMEM],
            recv: [EINTR, EAGAIN, ENOMEM, EBADF],
            sendto: [EINTR, EAGAIN, ENOBUFS, EPERM],
            send: [EINTR, EAGAIN, ENOBUFS, EPERM],
          }
        : { uringEnter: [EINTR, EAGAIN, EBUSY, ENOMEM] }
    const always: Faults['calls'] = {
      ...calls,
      socket: [EMFILE],
      bind: [ENOMEM],
      connect: [EPERM],
      setsockopt: [EPERM],
    }
    for (const seed of seeds) {
      const random = seededRandom(seed)
      const engine = await engineWith(t, shortReads(faultyLibc({ calls: always, share: 0.2 }, random), random))
      shakeEngine(engine, seed, { heardMin: 100, mayBeShort: true })
      assert.equal(engine.openPorts, 0)
    }
  })

  test(`${name}: a wait that fails at once is over at once`, { skip, timeout: 20_000 }, async (t) => {
    const calls: Faults['calls'] = { epollWait: [EINTR], uringEnter: [EINTR, EBUSY], usleep: [EINTR] }
    const engine = await engineWith(t, faultyLibc({ calls, share: 1 }, seededRandom(1)))
    for (let round = 0; round < 1_000; round++) engine.wait(Infinity, 1)
  })

  test(`${name}: a port whose descriptor somebody closed is deaf or not, and all others go on`, { skip }, async (t) => {
    const fds: number[] = []
    const socketCall: Libc['socket'] = (...args) => {
      const fd = libc.socket(...args)
      fds.push(fd)
      return fd
    }
    const engine = await engineWith(t, { ...libc, socket: socketCall })
    const broken = engine.open(any, () => {})
    let heard = 0
    const whole = engine.open(any, () => heard++)
    libc.close(fds[0] ?? assert.fail('no descriptor'))
    for (let i = 0; i < 100; i++) {
      broken.send(Uint8Array.of(1), whole.local)
      whole.send(Uint8Array.of(1), broken.local)
      whole.send(Uint8Array.of(2), whole.local)
      poll(engine)
    }
    assert.ok(heard >= 100)
    broken.close()
    poll(engine)
  })

  test(`${name}: a port flooded with garbage, far more than a call has, neither delays the others nor leaves anything`, {
    skip,
  }, async (t) => {
    const engine = await engineWith(t, libc)
    const outside = (await polledEngine('epoll')) ?? assert.fail('no epoll')
    t.after(() => outside.close())
    let sent = 0
    let flooded = 0
    const victim = engine.open(any, () => flooded++)
    const others = Array.from({ length: 20 }, () => {
      const heardAtMs: number[] = []
      return { heardAtMs, port: engine.open(any, () => heardAtMs.push(nowMs)) }
    })
    const sender = outside.open(any, () => {})
    const random = seededRandom(1)
    const garbage = Array.from({ length: 100 }, (_, i) => random(1 + i * 14))
    const flood = (): void => {
      // 10,000 and 100,000 packets per second in turn.
      for (let i = 0; i < (nowMs % 2 === 0 ? 10 : 100); i++) {
        sender.send(garbage[sent++ % garbage.length] ?? assert.fail(), victim.local)
      }
    }
    // Two seconds of a clock that this test turns, one turn in each millisecond; the first warms up.
    let octetsAfterWarmUp = 0
    nowMs = Math.ceil(nowMs / 20) * 20
    const endMs = nowMs + 2_000
    for (; nowMs < endMs; nowMs++) {
      if (nowMs === endMs - 1_000) octetsAfterWarmUp = process.memoryUsage().arrayBuffers
      flood()
      if (nowMs % 20 === 0) for (const { port } of others) sender.send(Uint8Array.of(1), port.local)
      engine.poll(nowMs)
    }
    for (const { heardAtMs } of others) {
      assert.equal(heardAtMs.length, 100)
      // Heard in the turn in which it was sent, or, when that was full, in the next.
      assert.ok(heardAtMs.every((atMs) => atMs % 20 <= 1))
    }
    assert.ok(flooded <= 2_000 * relayLimits.packetsPerPortAndTickMax)
    assert.ok(flooded > 2_000)
    assert.ok(process.memoryUsage().arrayBuffers - octetsAfterWarmUp < 64 * 1_024 * 1_024)
    const before = flooded
    poll(engine)
    sender.send(Uint8Array.of(1), victim.local)
    poll(engine)
    assert.ok(flooded > before, 'hears again when the flood is over')
  })
}

const uringIsHere = (await polledEngine('uring')) !== undefined
const skip = !uringIsHere && 'io_uring is not to be had here'

test('uring: fewer places for files than wanted are taken as they are', { skip }, async (t) => {
  let asked = 0
  const uringRegister: Libc['uringRegister'] = (...args) => (++asked <= 2 ? -1 : libc.uringRegister(...args))
  const engine = (await polledEngine('uring', { ...libc, uringRegister, errno: () => EMFILE })) ?? assert.fail('none')
  t.after(() => engine.close())
  assert.ok(asked > 3)
  const sockets = Array.from({ length: 100 }, () => engine.open(any, () => {}))
  for (const socket of sockets) socket.close()
})

test('uring: more completions than the ring has places, all of sends that failed, are counted and no more', {
  skip,
}, async (t) => {
  const engine = (await polledEngine('uring')) ?? assert.fail('none')
  t.after(() => engine.close())
  let heard = 0
  const socket = engine.open(any, () => heard++)
  // Without SO_BROADCAST a send to this address is refused: each is a completion, and nobody takes them in meanwhile.
  const failing = 20_000
  for (let i = 0; i < failing; i++) socket.send(Uint8Array.of(1), { host: '255.255.255.255', port: 9 })
  for (let turn = 0; turn < 100; turn++) engine.poll(nowMs++)
  assert.equal(engine.counters()['relay_send_failed'], failing)
  socket.send(Uint8Array.of(1), socket.local)
  for (let turn = 0; turn < 5; turn++) engine.poll(nowMs++)
  assert.equal(heard, 1)
})

test('uring: a kernel that takes nothing for a while fills the queue, and packets are lost until it does again', {
  skip,
}, async (t) => {
  const faults: Faults = { calls: { uringEnter: [EBUSY] }, share: 0 }
  const engine = (await polledEngine('uring', faultyLibc(faults, seededRandom(1)))) ?? assert.fail('none')
  t.after(() => engine.close())
  let heard = 0
  const socket = engine.open(any, () => heard++)
  faults.share = 1
  const packet = new Uint8Array(mediaLimits.packetOctetsMax)
  for (let i = 0; i < 5_000; i++) socket.send(packet, socket.local)
  for (let turn = 0; turn < 10; turn++) engine.poll(nowMs++)
  const closedMeanwhile = engine.open(any, () => {})
  closedMeanwhile.close()
  faults.share = 0
  for (let turn = 0; turn < 200; turn++) engine.poll(nowMs++)
  assert.ok((engine.counters()['relay_ring_full'] ?? 0) > 4_000)
  const before = heard
  socket.send(packet, socket.local)
  for (let turn = 0; turn < 5; turn++) engine.poll(nowMs++)
  assert.equal(heard, before + 1)
})
