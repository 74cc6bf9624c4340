/** Netlink calls that fail, and answers that are cut: whatever the forwarder says is not set is not in the kernel. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errno, type Faults, faultyLibc } from '../../../../test/support/faulty-libc.ts'
import { missingNamespaces } from '../../../../test/support/network-namespaces.ts'
import { randomUnit, seededRandom } from '../../../lib/random.ts'
import type { FlowPair } from '../flow-forwarder.ts'
import type { Libc } from '../relay/libc.ts'
import { flowKey } from './flow.ts'
import { KernelForwarder } from './forwarder.ts'
import { Setting } from './kernel.test-kit.ts'
import { netlinkMessage } from './netlink.ts'
import { NetlinkSocket } from './netlink-socket.ts'
import { countedIn, getElements } from './nft-messages.ts'

const skip = missingNamespaces()
const TABLE = 'tonewall-faults'
const ROUNDS = 60
const CALLS = 6

/** What the kernel really has, asked for over a socket without faults. */
function isInKernel(socket: NetlinkSocket, flows: FlowPair): boolean {
  return flows.some((flow) => {
    const { type, flags, body } = getElements(TABLE, 'flows', [flowKey(flow)])
    const answer = socket.exchange(netlinkMessage(type, flags, 1, body))
    return typeof answer !== 'string' && answer.some((message) => countedIn(message.type, message.body) !== undefined)
  })
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`whatever fails, what is said not to be set is not set (seed ${seed})`, { skip }, () => {
    using setting = new Setting()
    const random = seededRandom(seed)
    const faults: Faults = {
      calls: {
        sendto: [errno.ENOBUFS, errno.EINTR, errno.ENOMEM, errno.EBADF],
        recvfrom: [errno.ENOBUFS, errno.EINTR, errno.EBADF, errno.EAGAIN],
      },
      share: 0,
    }
    const faulty = faultyLibc(faults, random)
    const cut = (length: number): number => (randomUnit(random) < faults.share ? length >> 1 : length)
    const calls: Libc = { ...faulty, recvfrom: (...args) => cut(faulty.recvfrom(...args)) }
    const observer = setting.us.inside(() => NetlinkSocket.open('netfilter'))
    assert(observer instanceof NetlinkSocket)
    const open = (): KernelForwarder => {
      faults.share = 0
      const opened = setting.us.inside(() => KernelForwarder.open(setting.us.address, TABLE, calls))
      assert(opened instanceof KernelForwarder)
      faults.share = 0.05
      return opened
    }
    let forwarder = open()
    const pairs = Array.from({ length: CALLS }, (_, call): FlowPair => {
      const [there, back] = setting.flows
      return [
        { ...there, ssrc: call },
        { ...back, ssrc: call },
      ]
    })
    const isSet = Array<boolean>(CALLS).fill(false)
    for (let round = 0; round < ROUNDS; round++) {
      const call = Math.floor(randomUnit(random) * CALLS)
      const pair = pairs[call] ?? assert.fail('no such call')
      if (isSet[call] !== true) isSet[call] = forwarder.set(pair) === 'done'
      else if (randomUnit(random) < 0.5) forwarder.counts(pair)
      else {
        forwarder.remove(pair)
        isSet[call] = false
      }
      if (!forwarder.isOpen) isSet.fill(false)
      for (const [index, flows] of pairs.entries()) {
        if (isSet[index] === true) continue
        assert.equal(isInKernel(observer, flows), false, `round ${round}: call ${index} is in the kernel unknown to us`)
      }
      if (!forwarder.isOpen) forwarder = open()
    }
    forwarder.close()
    observer.close()
  })
}
