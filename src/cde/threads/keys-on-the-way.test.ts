import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../lib/random.ts'
import type { SrtpAgreement } from '../media/srtp/leg-srtp.ts'
import { MasterKey } from '../media/srtp/master-key.ts'
import { suites } from '../media/srtp/suites.ts'
import { KeyNumbers, ReceivedKeys } from './keys-on-the-way.ts'
import type { KeysOnTheWay } from './messages.ts'

const SEED = 611
const random = seededRandom(SEED)
const [suite = assert.fail()] = suites

function agreement(own = MasterKey.random(suite, random)): SrtpAgreement {
  const peer = [{ master: MasterKey.random(suite, random), mki: Uint8Array.of(7), lifetimePackets: 2 ** 48 }]
  return { suite, own, peer }
}

/** As between threads: buffers in the list are moved, all else is copied. */
function cross(numbers: KeyNumbers, agreed: SrtpAgreement): { keys: KeysOnTheWay; moved: readonly ArrayBuffer[] } {
  const moved: ArrayBuffer[] = []
  const keys = numbers.send(agreed, moved) ?? assert.fail()
  return { keys: structuredClone(keys, { transfer: moved }), moved }
}

test('keys arrive as they left, and nothing of them stays where they were', () => {
  const numbers = new KeyNumbers()
  const sent = agreement()
  const { keys, moved } = cross(numbers, sent)
  for (const buffer of moved) assert.equal(buffer.byteLength, 0, 'a copy was left behind')
  const got = new ReceivedKeys().take(keys) ?? assert.fail()
  assert.ok(got.own.equals(sent.own), `seed ${SEED}`)
  assert.ok(got.peer[0]?.master.equals(sent.peer[0]?.master ?? assert.fail()))
  assert.deepEqual(got.peer[0]?.mki, Uint8Array.of(7))
  assert.equal(got.suite.name, suite.name)
})

test('the same key again is the same object, so that its rollover counter goes on; a new one is not', () => {
  const numbers = new KeyNumbers()
  const received = new ReceivedKeys()
  const first = agreement()
  const a = received.take(cross(numbers, first).keys) ?? assert.fail()
  const again = cross(numbers, { ...first })
  const b = received.take(again.keys) ?? assert.fail()
  assert.equal(b.own, a.own)
  assert.equal(b.peer, a.peer)
  assert.ok(
    again.keys.own.every((octet) => octet === 0),
    'the copy that nobody needs was not wiped',
  )
  const c = received.take(cross(numbers, agreement(first.own)).keys) ?? assert.fail()
  assert.equal(c.own, a.own)
  assert.notEqual(c.peer, a.peer)
})

test('what is wiped is gone', () => {
  const received = new ReceivedKeys()
  const got = received.take(cross(new KeyNumbers(), agreement()).keys) ?? assert.fail()
  received.wipe()
  for (const { concatenated } of [got.own, ...got.peer.map(({ master }) => master)]) {
    assert.ok(concatenated.every((octet) => octet === 0))
  }
  assert.equal(received.take(undefined), undefined)
})
