/**
 * What forwarding costs, against rtpengine in the same run: packets per second that one saturated core forwards, CPU per
 * packet at real-time load, and the latency that the relay adds. Loopback, both directions of N calls, the relay on core 0,
 * the generator on core 1, both before all else. The relay is the product's own media thread; `uring` and `epoll` look at every
 * packet, `uring engine` and `epoll engine` forward unmasked calls inside the engine (`media.kernel: engine`). Prints a table;
 * with `--json` one object on the last line. In full it takes about seven minutes.
 *
 * node test/bench/bench-relay.ts [--json] [--quick] [--engines "uring,uring engine,dgram"] [--calls 200,1000] [--rounds 3]
 */
import { writeFile } from 'node:fs/promises'
import os from 'node:os'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { isPresent } from '../../scripts/debian-packages.mjs'
import { temporaryFolder, type TemporaryFolder } from '../support/temp-folder.ts'
import { buildGenerator, generate, type Load, type Measured } from './relay/generator.ts'
import { startOwnRelay } from './relay/own-relay.ts'
import { startRtpengine } from './relay/peer-rtpengine.ts'
import type { RelayUnderTest } from './relay/relay-under-test.ts'

const RELAY_CORE = 0
const GENERATOR_CORE = 1
const IN_FLIGHT = 256
const PACKETS_PER_CALL = 100

interface Design {
  readonly name: string
  start(calls: number): Promise<RelayUnderTest>
}

/** Medians over the rounds. */
interface Figure {
  readonly design: string
  readonly calls: number
  readonly saturatedPacketsPerSecond: number
  readonly saturatedCpuUs: number
  readonly realTimeCpuUs: number
  readonly p50Us: number
  readonly p99Us: number
  /** Of the real-time run, in packets. */
  readonly lost: number
  readonly bad: number
}

/** sched(7): where each session is a group of its own, `nice` counts inside it, and the group has a number too. */
async function setSessionNice(nice: number): Promise<void> {
  await writeFile('/proc/self/autogroup', String(nice)).catch(() => undefined)
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    engines: { type: 'string', default: 'uring engine,uring,epoll engine' },
    calls: { type: 'string' },
    rounds: { type: 'string' },
  },
})
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
const measuredMs = values.quick ? 1_000 : 1_500
const callCounts = (values.calls ?? (values.quick ? '200' : '200,500,1000')).split(',').map(Number)

function designs(): Design[] {
  const own = values.engines.split(',').map((name) => {
    const [engine = '', forwarding] = name.split(' ')
    const kernel = forwarding === 'engine' ? 'engine' : 'off'
    return { name, start: (calls: number) => startOwnRelay(engine, calls, RELAY_CORE, kernel) }
  })
  const start = (calls: number): Promise<RelayUnderTest> => startRtpengine(calls, RELAY_CORE)
  return [...(isPresent({ proof: { program: 'rtpengine' } }) ? [{ name: 'rtpengine', start }] : []), ...own]
}

/** One run on a relay of its own: rtpengine remembers a flood of the run before. */
async function run(design: Design, calls: number, load: Load, program: string, folder: TemporaryFolder) {
  const relay = await design.start(calls)
  try {
    const file = folder.file('calls')
    await writeFile(file, relay.ports.map(({ caller, agent }) => `${caller} ${agent}\n`).join(''))
    return await generate(program, file, load, GENERATOR_CORE, relay.pid)
  } finally {
    await relay.close()
  }
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

const cpuUs = ({ relayCpuSeconds, received }: Measured): number => (relayCpuSeconds * 1e6) / Math.max(1, received)

function figureOf(design: string, calls: number, saturated: readonly Measured[], paced: readonly Measured[]): Figure {
  return {
    design,
    calls,
    saturatedPacketsPerSecond: Math.round(median(saturated.map(({ packetsPerSecond }) => packetsPerSecond))),
    saturatedCpuUs: median(saturated.map(cpuUs)),
    realTimeCpuUs: median(paced.map(cpuUs)),
    p50Us: median(paced.map(({ p50Us }) => p50Us)),
    p99Us: median(paced.map(({ p99Us }) => p99Us)),
    lost: median(paced.map(({ lostWhole }) => lostWhole)),
    bad: [...saturated, ...paced].reduce((sum, { bad }) => sum + bad, 0),
  }
}

/** All designs in each round, so that a busy minute of the machine meets them alike. */
async function measure(calls: number, program: string, folder: TemporaryFolder): Promise<Figure[]> {
  const saturation: Load = { kind: 'sat', value: IN_FLIGHT, warmUpMs: 1_000, measuredMs }
  const realTime: Load = { kind: 'pace', value: calls * PACKETS_PER_CALL, warmUpMs: 2_500, measuredMs }
  const results = designs().map((design) => ({ design, saturated: [] as Measured[], paced: [] as Measured[] }))
  for (let round = 0; round < rounds; round++) {
    for (const { design, saturated, paced } of results) {
      saturated.push(await run(design, calls, saturation, program, folder))
      paced.push(await run(design, calls, realTime, program, folder))
    }
  }
  return results.map(({ design, saturated, paced }) => figureOf(design.name, calls, saturated, paced))
}

function ratios(figures: readonly Figure[]) {
  return figures.flatMap((figure) => {
    const peer = figures.find(({ design, calls }) => design === 'rtpengine' && calls === figure.calls)
    if (peer === undefined || peer === figure) return []
    return {
      calls: figure.calls,
      engine: figure.design,
      ratioPackets: round2(figure.saturatedPacketsPerSecond / peer.saturatedPacketsPerSecond),
      ratioCpu: round2(figure.realTimeCpuUs / peer.realTimeCpuUs),
      ratioCpuSaturated: round2(figure.saturatedCpuUs / peer.saturatedCpuUs),
    }
  })
}

function round2(value: number): number {
  return Math.round(value * 100) / 100
}

function row(figure: Figure, all: ReturnType<typeof ratios>): string {
  const ratio = all.find(({ calls, engine }) => calls === figure.calls && engine === figure.design)
  const cells = [
    figure.design.padEnd(18),
    String(figure.calls).padStart(5),
    `${Math.round(figure.saturatedPacketsPerSecond / 1_000)}k/s`.padStart(8),
    `${ratio?.ratioPackets.toFixed(2) ?? '1'}×`.padStart(7),
    `${figure.saturatedCpuUs.toFixed(2)} µs`.padStart(9),
    `${figure.realTimeCpuUs.toFixed(2)} µs`.padStart(9),
    `${ratio?.ratioCpu.toFixed(2) ?? '1'}×`.padStart(7),
    `${Math.round(figure.p50Us)} µs`.padStart(8),
    `${Math.round(figure.p99Us)} µs`.padStart(9),
    String(figure.lost).padStart(6),
    String(figure.bad).padStart(5),
  ]
  return cells.join(' ')
}

if (os.cpus().length < 2) throw new Error('needs two processors: one for the relay, one for the generator')
await using folder = await temporaryFolder('bench-relay')
const program = await buildGenerator(folder.path)
const figures: Figure[] = []
const header =
  'design             calls saturated  ratio  CPU/pkt  real-time CPU  ratio  p50       p99   lost   bad  (per forwarded packet)'
process.stdout.write(`${header}\n`)
await setSessionNice(-20)
try {
  for (const calls of callCounts) {
    const measured = await measure(calls, program, folder)
    figures.push(...measured)
    for (const figure of measured) process.stdout.write(`${row(figure, ratios(measured))}\n`)
  }
} finally {
  await setSessionNice(0)
}
if (values.json) {
  const machine = { processor: os.cpus()[0]?.model ?? 'unknown', node: process.version, kernel: os.release() }
  process.stdout.write(`${JSON.stringify({ ...machine, rounds, measuredMs, ratios: ratios(figures), figures })}\n`)
}
