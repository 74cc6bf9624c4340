import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AlignedNumbers, type SourceNumbers } from './aligned-numbers.ts'
import { readPlainRtp, rtpNumbers, writeRtp } from './rtp.ts'

const SSRC = 0x1234_5678
const OWN_SSRC = 0x0bad_cafe
const FIRST = { sequence: 65_530, timestamp: 0xffff_ff00 }

/** The stream behind which the numbers stand: continuous, and from anywhere. */
class Stream {
  #sequence = 700
  #timestamp = 40_000

  next(): Uint8Array {
    const packet = writeRtp(
      { payloadType: 8, marker: false, sequence: this.#sequence++, timestamp: this.#timestamp, ssrc: OWN_SSRC },
      new Uint8Array(160),
    )
    this.#timestamp += 160
    return packet
  }
}

/** The source's n-th packet. */
function source(n: number, ssrc = SSRC): SourceNumbers {
  return {
    ssrc,
    sequence: (FIRST.sequence + n) & 0xffff,
    timestamp: (FIRST.timestamp + n * 160) >>> 0,
  }
}

function numbersOf(packet: Uint8Array): SourceNumbers {
  const rtp = rtpNumbers()
  assert(readPlainRtp(packet, 0, packet.length, rtp))
  const { ssrc, sequence, timestamp } = rtp
  return { ssrc, sequence, timestamp }
}

class Line {
  readonly numbers = new AlignedNumbers()
  readonly #stream = new Stream()

  relay(numbers: SourceNumbers, nowMs: number): SourceNumbers {
    const packet = this.#stream.next()
    this.numbers.relayed(packet, 0, numbers, nowMs)
    return numbersOf(packet)
  }

  own(nowMs: number): SourceNumbers | 'held' {
    const packet = this.#stream.next()
    return this.numbers.own(packet, 0, nowMs) ? numbersOf(packet) : 'held'
  }
}

test('while it only relays, the numbers are the source’s, gaps, late packets and wraps included', () => {
  const line = new Line()
  for (const n of [0, 1, 2, 5, 6, 4, 7, 300, 301]) assert.deepEqual(line.relay(source(n), n * 20), source(n))
  assert.equal(line.numbers.isAligned, true)
})

test('packets of our own go on from the last relayed one, and so do all after them', () => {
  const line = new Line()
  for (const n of [0, 1, 2, 5]) line.relay(source(n), n * 20)
  assert.deepEqual(line.own(120), source(6))
  assert.deepEqual(line.own(140), source(7))
  assert.equal(line.numbers.isAligned, false)
  assert.deepEqual(line.relay(source(90), 160), source(8))
})

test('a stream that begins with a packet of our own keeps its own numbers', () => {
  const line = new Line()
  assert.deepEqual(line.own(0), { ssrc: OWN_SSRC, sequence: 700, timestamp: 40_000 })
  assert.deepEqual(line.relay(source(0), 20), { ssrc: OWN_SSRC, sequence: 701, timestamp: 40_160 })
  assert.equal(line.numbers.isAligned, false)
})

test('a new source, or a jump of its numbers, is not seen on the wire', () => {
  for (const changed of [source(1, 99), source(20_000)]) {
    const line = new Line()
    line.relay(source(0), 0)
    assert.deepEqual(line.relay(changed, 20), source(1))
    assert.equal(line.numbers.isAligned, false)
  }
})

test('after the kernel has sent, our own packets wait for the source’s number and go on from it', () => {
  const line = new Line()
  line.relay(source(0), 0)
  line.numbers.lend()
  assert.equal(line.own(20), 'held')
  assert.deepEqual(line.relay(source(256), 5_120), source(256))
  line.numbers.takeBack(6_000)
  assert.equal(line.own(6_000), 'held')
  assert.equal(line.own(6_020), 'held')
  line.numbers.seen(source(302), 6_030)
  assert.deepEqual(line.own(6_040), source(302))
  assert.deepEqual(line.own(6_060), source(303))
})

test('after the kernel has sent, relaying goes on with the source’s numbers, however many were missed', () => {
  const line = new Line()
  line.relay(source(0), 0)
  line.numbers.lend()
  line.numbers.takeBack(60_000)
  assert.deepEqual(line.relay(source(3_001), 60_020), source(3_001))
  assert.equal(line.numbers.isAligned, true)
  assert.deepEqual(line.own(60_040), source(3_002))
})

test('a source that falls silent when the kernel has sent is not waited for: the numbers are beyond all that may have been sent', () => {
  const line = new Line()
  line.relay(source(0), 0)
  line.numbers.lend()
  line.numbers.takeBack(4_000)
  assert.equal(line.own(4_199), 'held')
  const own = line.own(4_200)
  assert(own !== 'held')
  const sequence = (own.sequence - FIRST.sequence) & 0xffff
  assert(sequence > 400 && sequence < 500, `${sequence} packets on`)
  assert((own.timestamp - FIRST.timestamp) >>> 0 >= 4_200 * 8)
})

test('a stranger’s packets say nothing of the source’s numbers', () => {
  const line = new Line()
  line.relay(source(0), 0)
  line.numbers.lend()
  line.numbers.takeBack(100)
  line.numbers.seen(source(5, 99), 110)
  assert.equal(line.own(120), 'held')
})

test('numbers that can be kept no longer go on as if nothing had happened', () => {
  const line = new Line()
  line.relay(source(0), 0)
  line.relay(source(3), 60)
  line.numbers.giveUp()
  assert.equal(line.numbers.isAligned, false)
  assert.deepEqual(line.relay(source(9_000), 80), source(4))
  assert.deepEqual(line.own(100), source(5))
})

test('a new source while the kernel has sent: the numbers go on beyond all that may have been sent', () => {
  const line = new Line()
  line.relay(source(0), 0)
  line.numbers.lend()
  const { ssrc, sequence } = line.relay(source(1, 99), 2_000)
  assert.equal(ssrc, SSRC)
  assert.equal((sequence - FIRST.sequence) & 0xffff, 201)
  assert.equal(line.numbers.isAligned, false)
})
