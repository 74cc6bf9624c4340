import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PassingDirection } from '../../src/cde/media/passing-direction.ts'
import { parseRtp, writeRtp } from '../../src/cde/media/rtp.ts'
import { SourceLock } from '../../src/cde/media/source-lock.ts'
import { seededRandom } from '../../src/lib/random.ts'
import { mutate } from './mutate.ts'

const SEED = 20_261
const RUNS = 30_000

const fields = { payloadType: 8, marker: true, sequence: 65_535, timestamp: 0xffff_ffff, ssrc: 0x1234_5678 }
const plain = writeRtp(fields, new Uint8Array(160).fill(0xd5))
// One CSRC, one word of extension, four octets of padding.
const full = Uint8Array.from([
  ...[0xb1, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4],
  ...[9, 9, 9, 9, 0xbe, 0xde, 0, 1, 0x10, 0x55, 0, 0],
  ...new Uint8Array(20).fill(0xd5),
  ...[0, 0, 0, 4],
])
const event = writeRtp({ ...fields, payloadType: 101 }, Uint8Array.of(5, 10, 0, 160))

test('mutated packets are read or refused, within their own octets, and pass the relay and the lock without a throw', () => {
  const random = seededRandom(SEED)
  const passing = new PassingDirection({ random })
  const format = { payloadType: 8, codec: 'PCMA', clockHz: 8_000 } as const
  const events = { payloadType: 101, codec: 'telephone-event', clockHz: 8_000 } as const
  passing.setFormats([format, events], [{ ...format, payloadType: 0, codec: 'PCMU' }, events])
  const lock = new SourceLock()
  const remote = { host: '192.0.2.1', port: 4_000 }
  lock.agree({ remote, payloadTypes: new Set([8]) })
  for (let run = 0; run < RUNS; run++) {
    const datagram = mutate([plain, full, event][run % 3] ?? plain, random)
    const packet = parseRtp(datagram)
    if (typeof packet !== 'string') {
      assert.ok(packet.payload.length <= datagram.length - 12, `seed ${SEED} run ${run}`)
      assert.equal(packet.payload.buffer, datagram.buffer, `seed ${SEED} run ${run}`)
    }
    const passed = passing.receive(datagram, run * 20)
    // Whatever came in, what leaves is a bare header and a payload of a kind we negotiated.
    if (passed !== undefined) {
      assert.equal(passed[0], 0x80, `seed ${SEED} run ${run}`)
      assert.ok([0, 101].includes((passed[1] ?? 0) & 0x7f), `seed ${SEED} run ${run}`)
    }
    lock.accepts(remote, run * 20, datagram)
  }
})
