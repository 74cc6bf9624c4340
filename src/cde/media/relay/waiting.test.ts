/** Engines that wait, in this thread and in one of their own: what ends a wait. Skipped where the system forbids an engine. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { relayLimits } from '../../../lib/limits.ts'
import { polledEngine } from './choose.ts'
import type { PolledEngine } from './engine.ts'
import { wakeUp } from './wake-up.ts'

const any = { host: '127.0.0.1', port: 0 }
/** So many waits that nothing ends before their time take several times longer than a test may. */
const ROUNDS = 600
const timeout = (ROUNDS * relayLimits.waitMsMax) / 4

/** A thread that answers each message, and otherwise waits for packets. */
const waiter = `
  const { receiveMessageOnPort, workerData } = require('node:worker_threads')
  const { name, port, choose } = workerData
  import(choose).then(async ({ polledEngine }) => {
    const engine = await polledEngine(name)
    port.postMessage(engine.wakeFd)
    for (;;) {
      const received = receiveMessageOnPort(port)
      if (received?.message === 'end') break
      if (received !== undefined) port.postMessage(received.message)
      engine.poll(performance.now())
      engine.wait(Infinity, 1)
    }
    engine.close()
    port.close()
  })`

for (const name of ['epoll', 'uring'] as const) {
  const isHere = (await polledEngine(name)) !== undefined
  const skip = !isHere && `${name} is not to be had here`
  const fresh = async (t: TestContext): Promise<PolledEngine> => {
    const engine = (await polledEngine(name)) ?? assert.fail('no engine')
    t.after(() => engine.close())
    return engine
  }

  test(`${name}: what has come ends the wait and is left for the poll, gathered or not`, {
    skip,
    timeout,
  }, async (t) => {
    const engine = await fresh(t)
    let heard = 0
    const socket = engine.open(any, () => heard++)
    for (let round = 1; round <= ROUNDS; round++) {
      socket.send(Uint8Array.of(1), socket.local)
      do engine.wait(Infinity, round % 2)
      while (engine.poll(round) === 0)
    }
    assert.equal(heard, ROUNDS)
  })

  test(`${name}: a wake-up before the wait is not lost, whatever is done in between`, { skip, timeout }, async (t) => {
    const engine = await fresh(t)
    for (let round = 0; round < ROUNDS; round++) {
      wakeUp(engine.wakeFd)
      wakeUp(engine.wakeFd)
      for (let polls = round % 3; polls > 0; polls--) engine.poll(round)
      let isTold = engine.wait(Infinity, round % 2)
      if (!isTold) {
        engine.poll(round)
        isTold = engine.wait(Infinity, round % 2)
      }
      assert.ok(isTold)
    }
  })

  test(`${name}: no wait is without a bound, whatever is asked, nor does a closed engine wait`, {
    skip,
    timeout,
  }, async (t) => {
    const engine = await fresh(t)
    for (const timeoutMs of [Infinity, 1e12, 0.5, 0, -1, NaN]) engine.wait(timeoutMs, 1)
    engine.close()
    wakeUp(engine.wakeFd)
    for (let round = 0; round < ROUNDS; round++) engine.wait(Infinity)
  })

  test(`${name}: a thread that waits is woken for each message from another, and ends when it is told`, {
    skip,
    timeout,
  }, async () => {
    const { port1, port2 } = new MessageChannel()
    const choose = new URL('choose.ts', import.meta.url).href
    const workerData = { name, port: port2, choose }
    const worker = new Worker(waiter, { eval: true, workerData, transferList: [port2] })
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    const wakeFd = Number(await nextMessage(port1))
    for (let round = 0; round < ROUNDS; round++) {
      const answer = nextMessage(port1)
      port1.postMessage(round)
      wakeUp(wakeFd)
      assert.equal(await answer, round)
    }
    port1.postMessage('end')
    wakeUp(wakeFd)
    await ended
  })
}

function nextMessage(port: MessagePort): Promise<unknown> {
  return new Promise((resolve) => port.once('message', resolve))
}
