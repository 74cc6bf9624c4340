/**
 * A whole call's media on loopback, with the engine forwarding by itself what is not armed: real packets, a virtual clock. As
 * kernel-call.test.ts, where it is the kernel that forwards.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { plainTerms } from '../../../test/support/media-terms.ts'
import { seededRandom } from '../../lib/random.ts'
import type { AudioFormat, AudioSession } from '../media/audio-session.ts'
import { encodeG711 } from '../media/g711.ts'
import { PortPool } from '../media/ports.ts'
import { polledEngine } from '../media/relay/choose.ts'
import { readPlainRtp, rtpNumbers, writeRtp } from '../media/rtp.ts'
import type { MediaSocket } from '../media/socket.ts'
import { openCallMedia } from './call-media.ts'
import { MediaPorts } from './media-ports.ts'

const host = '127.0.0.1'
const pcma: AudioFormat = { payloadType: 8, codec: 'PCMA', clockHz: 8_000 }
const pcmu: AudioFormat = { payloadType: 0, codec: 'PCMU', clockHz: 8_000 }
const FRAME_SAMPLES = 160
const TICK_MS = 20

interface Phone {
  readonly socket: MediaSocket
  readonly heard: Uint8Array[]
}

/** 20 ms of the tone of key 1 that begin at a sample. */
function toneFrame(from: number): Uint8Array {
  const samples = Int16Array.from({ length: FRAME_SAMPLES }, (_, index) => {
    const phase = (2 * Math.PI * (from + index)) / 8_000
    return 6_000 * (Math.sin(phase * 697) + Math.sin(phase * 1_209))
  })
  return encodeG711('PCMA', samples)
}

for (const name of ['epoll', 'uring'] as const) {
  const isHere = (await polledEngine(name)) !== undefined && (await polledEngine('epoll')) !== undefined
  const skip = !isHere && `${name} is not to be had here`

  const setUp = async (t: TestContext) => {
    const engine = (await polledEngine(name)) ?? assert.fail('no engine')
    const outside = (await polledEngine('epoll')) ?? assert.fail('no epoll')
    let nowMs = 1_000
    const now = (): number => nowMs
    const random = seededRandom(7)
    const ports = new MediaPorts(
      host,
      new PortPool(30_000, 39_999, random),
      { open: async (...port) => engine.open(...port) },
      now,
    )
    const told: string[] = []
    const listener = { onKey() {}, onEvent: ({ type }: { type: string }) => told.push(type) }
    const options = { ports, replacement: 'flat', jitterMs: 40, random, nowMs: now, kernel: engine.flows } as const
    const media = await openCallMedia(options, listener)
    assert(media !== 'no-ports')
    t.after(() => {
      media.close(nowMs)
      for (const either of [engine, outside]) either.close()
    })
    const phone = (): Phone => {
      const heard: Uint8Array[] = []
      return { heard, socket: outside.open({ host, port: 0 }, (packet) => heard.push(packet)) }
    }
    const phones = { caller: phone(), agent: phone() }
    const session = ({ socket: { local } }: Phone, formats = [pcma]): AudioSession => ({
      remote: local,
      remoteRtcp: { ...local, port: local.port + 1 },
      formats,
      direction: 'sendrecv',
      ptimeMs: TICK_MS,
    })
    media.use(plainTerms({ caller: session(phones.caller), agent: session(phones.agent) }), nowMs)
    let callerType = pcma.payloadType
    /** A re-INVITE: from now on the caller speaks another codec than the agent. */
    const callerTakesPcmu = (): void => {
      callerType = pcmu.payloadType
      media.use(plainTerms({ caller: session(phones.caller, [pcmu]) }), nowMs)
    }
    let sequence = 1_000
    /** 20 ms: the caller sends the tone of a key, the agent noise, and everybody hears. */
    const tick = (): Uint8Array => {
      nowMs += TICK_MS
      const payload = toneFrame(sequence * FRAME_SAMPLES)
      const fields = { payloadType: 8, marker: false, sequence, timestamp: sequence * FRAME_SAMPLES }
      sequence++
      const ofCaller = { ...fields, payloadType: callerType, ssrc: 0x1111_1111 }
      phones.caller.socket.send(writeRtp(ofCaller, payload), media.addresses.caller)
      phones.agent.socket.send(
        writeRtp({ ...fields, ssrc: 0x2222_2222 }, new Uint8Array(160).fill(0xd5)),
        media.addresses.agent,
      )
      for (let turn = 0; turn < 4; turn++) engine.poll(nowMs + turn)
      media.wake(nowMs)
      for (let turn = 0; turn < 4; turn++) engine.poll(nowMs + 4 + turn)
      outside.poll(nowMs)
      return payload
    }
    return {
      media,
      phones,
      tick,
      told,
      now,
      callerTakesPcmu,
      count: (counter: string) => media.counters()[counter] ?? 0,
    }
  }

  test(`${name}: a call that is not armed crosses in the engine, and nobody hears where that began`, {
    skip,
  }, async (t) => {
    const { phones, tick, count } = await setUp(t)
    const sent = Array.from({ length: 300 }, () => tick())
    assert.equal(count('kernel_calls'), 1)
    assert.ok(count('kernel_packets') > 0)
    assert.equal(phones.caller.heard.length, 300)
    assert.deepEqual(
      phones.agent.heard.map((packet) => packet.subarray(12)),
      sent,
    )
    const numbers = phones.agent.heard.map((packet) => {
      const rtp = rtpNumbers()
      assert(readPlainRtp(packet, 0, packet.length, rtp))
      return [rtp.ssrc, rtp.sequence, rtp.timestamp]
    })
    const [[ssrc = 0, first = 0, start = 0] = []] = numbers
    const expected = numbers.map((_, i) => [ssrc, (first + i) & 0xffff, (start + i * FRAME_SAMPLES) >>> 0])
    assert.deepEqual(numbers, expected)
  })

  test(`${name}: once armed no frame of the caller's reaches the agent, and secured is told when it is`, {
    skip,
  }, async (t) => {
    const { media, phones, tick, told, now } = await setUp(t)
    for (let i = 0; i < 200; i++) tick()
    phones.agent.heard.length = 0
    media.execute({ type: 'arm', maskPolicy: 'adaptive' }, now())
    const sent = new Set(Array.from({ length: 200 }, () => String(tick())))
    assert.ok(told.includes('secured'))
    assert.ok(phones.agent.heard.length > 150)
    const leaked = phones.agent.heard.filter((packet) => sent.has(String(packet.subarray(12))))
    assert.deepEqual(leaked, [])
  })

  test(`${name}: armed after the caller has moved to another codec, secured is told all the same`, {
    skip,
  }, async (t) => {
    const { media, tick, told, now, callerTakesPcmu, count } = await setUp(t)
    for (let i = 0; i < 200; i++) tick()
    assert.equal(count('kernel_calls'), 1)
    callerTakesPcmu()
    for (let i = 0; i < 20; i++) tick()
    media.execute({ type: 'arm', maskPolicy: 'adaptive' }, now())
    for (let i = 0; i < 20; i++) tick()
    assert.ok(told.includes('secured'))
  })
}
