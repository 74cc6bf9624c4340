/**
 * 10,000 packets a second on the ports of one call, good ones of its own caller, rubbish, and the same of strangers: the call beside
 * it, in the same media thread, loses nothing, and the process does not grow.
 */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MediaThreads } from '../../src/cde/threads/media-threads.ts'
import type { MediaEvent } from '../../src/cde/call/media-orders.ts'
import { parseRtp } from '../../src/cde/media/rtp.ts'
import { systemRandom } from '../../src/lib/random.ts'
import type { CallQualityReport } from '../../src/wall/call-quality.ts'
import { eventually } from '../support/eventually.ts'
import type { FloodSettings } from '../support/flood-process.ts'
import { freePorts } from '../support/free-ports.ts'
import { pcma, rtcpOf, Speaker } from '../support/media-call.ts'
import { mustRun } from '../support/processes.ts'

const host = '127.0.0.1'
const FLOOD_MS = 4_000
const PACKETS_PER_SECOND = 10_000
/** The flood is 32 MB; what is held of it, if anything is, may be no more than what waits in the system. */
const GROWTH_OCTETS_MAX = 16 * 1_024 * 1_024
const silence = new Uint8Array(160).fill(0xd5)
const clear = { policy: 'off', keysAllowed: false } as const

async function startThread(t: TestContext, engine: 'uring' | 'epoll' | 'dgram'): Promise<MediaThreads> {
  const portMin = await freePorts(16)
  const media = new MediaThreads({
    settings: { engine, host, portMin, portMax: portMin + 15, jitterMs: 40, replacement: 'flat' },
    threads: 1,
    codecs: ['PCMA'],
    nowMs: () => performance.now(),
    random: systemRandom,
    onLost: () => assert.fail('the thread was lost'),
  })
  t.after(() => media.stop())
  assert.equal(await media.start(), engine)
  return media
}

/** A call between two addresses. @returns its ports, its end and what its media said at the end */
async function openCall(media: MediaThreads, callerPort: number, agentPort: number) {
  let quality: CallQualityReport | undefined
  const onEvent = (event: MediaEvent): void => void (event.type === 'quality' && (quality = event.quality))
  const opened = await media.open({ onKey: () => {}, onEvent }, { caller: clear, agent: clear })
  assert.ok(typeof opened !== 'string')
  const session = (port: number) => ({
    remote: { host, port },
    remoteRtcp: rtcpOf({ host, port }),
    formats: [pcma],
    direction: 'sendrecv' as const,
    ptimeMs: 20,
  })
  opened.use({ caller: session(callerPort), agent: session(agentPort) })
  const { caller, agent } = opened.addresses
  return {
    ports: [caller.port, caller.port + 1, agent.port, agent.port + 1],
    caller,
    agent,
    async end(): Promise<CallQualityReport> {
      opened.close()
      return await eventually('the last figures', 5_000, async () => quality)
    },
  }
}

/**
 * A phone that talks on, and notes how long each packet of the other one took.
 * @param sentAtMs when it sent its packets, by their first octet; `othersSentAtMs` the same of the other
 */
async function talkingPhone(
  t: TestContext,
  port: number,
  to: number,
  sentAtMs: Map<number, number>,
  othersSentAtMs: ReadonlyMap<number, number>,
) {
  const socket = createSocket('udp4')
  socket.bind(port, host)
  await once(socket, 'listening')
  const speaker = new Speaker({ host, port }, systemRandom)
  const heardAfterMs: number[] = []
  let count = 0
  socket.on('message', (packet) => {
    const rtp = parseRtp(packet)
    const sentMs = typeof rtp === 'string' ? undefined : othersSentAtMs.get(rtp.payload[0] ?? 0)
    if (sentMs !== undefined) heardAfterMs.push(performance.now() - sentMs)
  })
  const timer = setInterval(() => {
    speaker.step()
    // The first octet says which packet it is: 200 of them are four seconds.
    silence[0] = 1 + (count++ % 200)
    sentAtMs.set(silence[0], performance.now())
    socket.send(speaker.packet(silence), to, host)
  }, 20)
  t.after(() => {
    clearInterval(timer)
    socket.close()
  })
  return { heardAfterMs }
}

async function flood(settings: FloodSettings): Promise<number> {
  const script = fileURLToPath(new URL('../support/flood-process.ts', import.meta.url))
  return Number(await mustRun(process.execPath, [script, JSON.stringify(settings)], { timeoutMs: 60_000 }))
}

for (const engine of ['uring', 'epoll', 'dgram'] as const) {
  test(`${engine}: a call beside a flooded one loses nothing, and nothing of the flood is kept`, {
    timeout: 60_000,
  }, async (t) => {
    const media = await startThread(t, engine)
    const [flooder, stranger, callerPort, agentPort] = [
      await freePorts(2),
      await freePorts(2),
      await freePorts(2),
      await freePorts(2),
    ]
    const flooded = await openCall(media, flooder, stranger + 1)
    const beside = await openCall(media, callerPort, agentPort)
    const [fromCaller, fromAgent] = [new Map<number, number>(), new Map<number, number>()]
    const agent = await talkingPhone(t, agentPort, beside.agent.port, fromAgent, fromCaller)
    await talkingPhone(t, callerPort, beside.caller.port, fromCaller, fromAgent)
    // Warm: what grows from here on grows because of the flood.
    const pace = { packetsPerSecond: PACKETS_PER_SECOND }
    const from = (port: number) => ({ host, port })
    await flood({ ...pace, from: from(flooder), toPorts: flooded.ports, ms: 500 })
    const before = process.memoryUsage().rss
    const sent = await Promise.all([
      flood({ packetsPerSecond: PACKETS_PER_SECOND / 2, from: from(flooder), toPorts: flooded.ports, ms: FLOOD_MS }),
      flood({ packetsPerSecond: PACKETS_PER_SECOND / 2, from: from(stranger), toPorts: flooded.ports, ms: FLOOD_MS }),
    ])
    const grown = process.memoryUsage().rss - before
    const quality = await beside.end()
    const facts = JSON.stringify({ sent, grown, quality })
    t.diagnostic(`delay of the call beside, p50/p99/max ms: ${quantiles(agent.heardAfterMs)}; grown ${grown} octets`)
    assert.ok(sent[0] + sent[1] >= (PACKETS_PER_SECOND * FLOOD_MS) / 1_000, facts)
    for (const leg of [quality.caller, quality.agent]) {
      assert.equal(leg.lost, 0, facts)
      assert.ok(leg.packets > FLOOD_MS / 20, facts)
    }
    assert.ok(grown < GROWTH_OCTETS_MAX, facts)
    // The flood did get there.
    assert.ok((await flooded.end()).caller.packets > 1_000, facts)
  })
}

function quantiles(delaysMs: readonly number[]): string {
  const sorted = delaysMs.toSorted((a, b) => a - b)
  return [0.5, 0.99, 1].map((share) => sorted[Math.ceil(share * sorted.length) - 1]?.toFixed(2)).join('/')
}
