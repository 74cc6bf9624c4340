/**
 * What the kernel's forwarding is worth, against rtpengine and our own relay in user space in the same run: packets per second
 * between two hosts (network namespaces joined by a veth pair), both directions of N calls that are not armed. The relay and
 * all that arrives for it are on core 0, the generator and all that arrives there on core 1. What a relay uses of core 0 is its
 * process's time and the core's time in interrupts (kernel/core-use.ts); other programs do not count. Needs root. Prints a table; with `--json` one object on the last line.
 *
 * node test/bench/bench-kernel.ts [--json] [--quick] [--engines kernel,uring] [--calls 200,1000] [--rounds 1]
 */
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import os from 'node:os'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { isPresent } from '../../scripts/debian-packages.mjs'
import { temporaryFolder, type TemporaryFolder } from '../support/temp-folder.ts'
import { benchHosts } from './kernel/bench-hosts.ts'
import { coreSeconds } from './kernel/core-use.ts'
import { buildGenerator, generate, type Load, type Measured } from './relay/generator.ts'
import { startOwnRelay } from './relay/own-relay.ts'
import { startRtpengine } from './relay/peer-rtpengine.ts'
import { type BenchNet, benchNet, type RelayUnderTest } from './relay/relay-under-test.ts'

const RELAY_CORE = 0
const GENERATOR_CORE = 1
const IN_FLIGHT = 256
const PACKETS_PER_CALL = 100
/** Long enough for each call to be taken into the kernel. */
const WARM_UP_MS = 2_000
const INSIDE = '--inside'

interface Design {
  readonly name: string
  start(calls: number, net: BenchNet): Promise<RelayUnderTest>
}

interface Run extends Measured {
  /** Of the relay's core, per forwarded packet, over the whole run. */
  readonly coreUs: number
}

/** Medians over the rounds. */
interface Figure {
  readonly design: string
  readonly calls: number
  readonly packetsPerSecond: number
  readonly coreUsSaturated: number
  readonly coreUsRealTime: number
  readonly lost: number
  readonly bad: number
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    engines: { type: 'string', default: 'uring,kernel' },
    calls: { type: 'string' },
    rounds: { type: 'string', default: '1' },
    inside: { type: 'string' },
  },
})
const measuredMs = values.quick ? 1_000 : 2_000
const callCounts = (values.calls ?? (values.quick ? '200' : '200,1000')).split(',').map(Number)

const designs: readonly Design[] = [
  ...(isPresent({ proof: { program: 'rtpengine' } })
    ? [{ name: 'rtpengine', start: (calls: number, net: BenchNet) => startRtpengine(calls, RELAY_CORE, net) }]
    : []),
  ...values.engines.split(',').map((name) => ({
    name,
    start: (calls: number, net: BenchNet) =>
      name === 'kernel'
        ? startOwnRelay('uring', calls, RELAY_CORE, 1, net, 'required')
        : startOwnRelay(name, calls, RELAY_CORE, 1, net),
  })),
]

async function run(
  design: Design,
  calls: number,
  load: Load,
  net: BenchNet,
  program: string,
  folder: TemporaryFolder,
): Promise<Run> {
  const relay = await design.start(calls, net)
  try {
    const file = folder.file('calls')
    await writeFile(file, relay.ports.map(({ caller, agent }) => `${caller} ${agent}\n`).join(''))
    const before = coreSeconds(RELAY_CORE, relay.pid)
    const measured = await generate(program, file, load, GENERATOR_CORE, relay.pid, net)
    const usedSeconds = coreSeconds(RELAY_CORE, relay.pid) - before
    return { ...measured, coreUs: (usedSeconds * 1e6) / Math.max(1, measured.receivedWhole) }
  } finally {
    await relay.close()
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}

async function measure(calls: number, net: BenchNet, program: string, folder: TemporaryFolder): Promise<Figure[]> {
  const saturation: Load = { kind: 'sat', value: IN_FLIGHT, warmUpMs: WARM_UP_MS, measuredMs }
  const realTime: Load = { kind: 'pace', value: calls * PACKETS_PER_CALL, warmUpMs: WARM_UP_MS, measuredMs }
  const results = designs.map((design) => ({ design, saturated: [] as Run[], paced: [] as Run[] }))
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const { design, saturated, paced } of results) {
      saturated.push(await run(design, calls, saturation, net, program, folder))
      paced.push(await run(design, calls, realTime, net, program, folder))
    }
  }
  return results.map(({ design, saturated, paced }) => ({
    design: design.name,
    calls,
    packetsPerSecond: Math.round(median(saturated.map(({ packetsPerSecond }) => packetsPerSecond))),
    coreUsSaturated: round2(median(saturated.map(({ coreUs }) => coreUs))),
    coreUsRealTime: round2(median(paced.map(({ coreUs }) => coreUs))),
    lost: median(paced.map(({ lostWhole }) => lostWhole)),
    bad: [...saturated, ...paced].reduce((sum, { bad }) => sum + bad, 0),
  }))
}

function ratios(figures: readonly Figure[]) {
  return figures.flatMap((figure) => {
    const peer = figures.find(({ design, calls }) => design === 'rtpengine' && calls === figure.calls)
    if (peer === undefined || peer === figure) return []
    const ratioPackets = round2(figure.packetsPerSecond / peer.packetsPerSecond)
    return {
      calls: figure.calls,
      engine: figure.design,
      ratioPackets,
      /** Packets per second of the core that the relay uses: where the generator is the slower one, more than it can send. */
      ratioPacketsPerCore: round2(peer.coreUsSaturated / figure.coreUsSaturated),
      ratioCoreRealTime: round2(figure.coreUsRealTime / peer.coreUsRealTime),
    }
  })
}

function round2(value: number): number {
  return Math.round(value * 100) / 100
}

function row(figure: Figure, all: ReturnType<typeof ratios>): string {
  const ratio = all.find(({ engine }) => engine === figure.design)
  return [
    figure.design.padEnd(10),
    String(figure.calls).padStart(5),
    `${Math.round(figure.packetsPerSecond / 1_000)}k/s`.padStart(8),
    `${ratio?.ratioPackets.toFixed(2) ?? '1'}×`.padStart(7),
    `${figure.coreUsSaturated.toFixed(2)} µs`.padStart(9),
    `${ratio?.ratioPacketsPerCore.toFixed(2) ?? '1'}×`.padStart(9),
    `${figure.coreUsRealTime.toFixed(2)} µs`.padStart(10),
    String(figure.lost).padStart(6),
    String(figure.bad).padStart(4),
  ].join(' ')
}

/** Makes the hosts, and runs this program again on the relay's. */
function outside(): void {
  using hosts = benchHosts(RELAY_CORE, GENERATOR_CORE)
  const [command, ...before] = hosts.relayPrefix
  const own = [process.execPath, import.meta.filename, ...process.argv.slice(2)]
  const args = [...before, ...own, INSIDE, hosts.net.generatorPrefix.join(' ')]
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  process.exitCode = status ?? 1
}

async function inside(generatorPrefix: string): Promise<void> {
  const net = benchNet('10.0.0.1', generatorPrefix.split(' '))
  await using folder = await temporaryFolder('bench-kernel')
  const program = await buildGenerator(folder.path)
  const figures: Figure[] = []
  process.stdout.write('design     calls  packets   ratio  core 0   per core  real time   lost  bad\n')
  for (const calls of callCounts) {
    const measured = await measure(calls, net, program, folder)
    figures.push(...measured)
    for (const figure of measured) process.stdout.write(`${row(figure, ratios(measured))}\n`)
  }
  if (!values.json) return
  const machine = { processor: os.cpus()[0]?.model ?? 'unknown', node: process.version, kernel: os.release() }
  process.stdout.write(
    `${JSON.stringify({ ...machine, rounds: Number(values.rounds), measuredMs, ratios: ratios(figures), figures })}\n`,
  )
}

if (os.cpus().length < 2) throw new Error('needs two processors: one for the relay, one for the generator')
if (values.inside === undefined) outside()
else await inside(values.inside)
