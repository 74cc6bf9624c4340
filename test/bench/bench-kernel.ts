/**
 * What the kernel's forwarding costs, against rtpengine and our own relay in user space in the same run: both directions of N
 * calls that are not armed, between two hosts (network namespaces joined by a veth pair). Needs root.
 *
 * A relay in user space has core 0, and so has all that the kernel does for packets that arrive for it: it costs its process's time
 * and the core's time in interrupts, and no more than the core's whole time while it is saturated. With the kernel's forwarding all is done on core 1, in interrupts of the generator: it costs
 * what the generator needs more than for packets that go straight from leg to leg, plus our process's time. CPU time, unlike packets per second, is what it is
 * when other programs run, too, or nearly so. Prints a table; with `--json` one object on the last line.
 *
 * node test/bench/bench-kernel.ts [--json] [--quick] [--engines kernel,uring] [--calls 200,1000] [--rounds 3]
 */
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import os from 'node:os'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { isPresent } from '../../scripts/debian-packages.mjs'
import { temporaryFolder, type TemporaryFolder } from '../support/temp-folder.ts'
import { benchHosts } from './kernel/bench-hosts.ts'
import { coreSeconds, receiveOn } from './kernel/core-use.ts'
import { buildGenerator, generate, type Load, type Measured } from './relay/generator.ts'
import { startOwnRelay } from './relay/own-relay.ts'
import { startRtpengine } from './relay/peer-rtpengine.ts'
import { type BenchNet, benchNet, type RelayUnderTest } from './relay/relay-under-test.ts'

const RELAY_CORE = 0
const GENERATOR_CORE = 1
const IN_FLIGHT = 256
const KERNEL = 'kernel'

interface Design {
  readonly name: string
  start(calls: number, net: BenchNet): Promise<RelayUnderTest>
}

interface Run extends Measured {
  /** Of the relay's core, per packet of the whole run. */
  readonly coreUs: number
}

/** Medians over the rounds. */
interface Figure {
  readonly design: string
  readonly calls: number
  readonly packetsPerSecond: number
  /** Per forwarded packet; see above. */
  readonly cpuUs: number
  /** The same, of the least disturbed round of each design. */
  readonly quietestUs: number
  readonly bad: number
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    engines: { type: 'string', default: `uring,${KERNEL}` },
    calls: { type: 'string' },
    rounds: { type: 'string' },
    inside: { type: 'string' },
  },
})
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
const measuredMs = values.quick ? 1_000 : 2_000
const callCounts = (values.calls ?? (values.quick ? '200' : '200,1000')).split(',').map(Number)

const nobody: Design = {
  name: 'no relay',
  start: async (calls) => ({
    pid: process.pid,
    ports: Array.from({ length: calls }, () => ({ caller: 0, agent: 0 })),
    close: async () => {},
  }),
}
const rtpengine: Design = { name: 'rtpengine', start: (calls, net) => startRtpengine(calls, RELAY_CORE, net) }
const own = values.engines.split(',').map(
  (name): Design => ({
    name,
    start: (calls, net) =>
      name === KERNEL
        ? startOwnRelay('uring', calls, RELAY_CORE, 'required', net)
        : startOwnRelay(name, calls, RELAY_CORE, 'off', net),
  }),
)
const designs = [nobody, ...(isPresent({ proof: { program: 'rtpengine' } }) ? [rtpengine] : []), ...own]

/** The warm-up is long enough for each call to be taken into the kernel. */
const loadOf = (calls: number): Load => ({
  kind: 'sat',
  value: IN_FLIGHT,
  warmUpMs: 1_000 + 4 * calls,
  measuredMs,
})

async function run(
  design: Design,
  calls: number,
  net: BenchNet,
  program: string,
  folder: TemporaryFolder,
): Promise<Run> {
  receiveOn(isInUserSpace(design) ? RELAY_CORE : undefined)
  const relay = await design.start(calls, net)
  try {
    const file = folder.file('calls')
    await writeFile(file, relay.ports.map(({ caller, agent }) => `${caller} ${agent}\n`).join(''))
    const before = coreSeconds(RELAY_CORE, relay.pid)
    const measured = await generate(program, file, loadOf(calls), GENERATOR_CORE, relay.pid, net)
    const usedUs = ((coreSeconds(RELAY_CORE, relay.pid) - before) * 1e6) / Math.max(1, measured.receivedWhole)
    return { ...measured, coreUs: Math.min(usedUs, 1e6 / Math.max(1, measured.packetsPerSecond)) }
  } finally {
    await relay.close()
  }
}

const isInUserSpace = (design: Design): boolean => design !== nobody && design.name !== KERNEL
const generatorUs = (run: Measured): number => (run.generatorCpuSeconds * 1e6) / Math.max(1, run.received)
const relayUs = (run: Measured): number => (run.relayCpuSeconds * 1e6) / Math.max(1, run.received)

type Choice = (numbers: readonly number[]) => number

const least: Choice = (numbers) => Math.min(...numbers)

/** @param alone runs of the generator with no relay between its legs */
function cpuUsOf(design: Design, runs: readonly Run[], alone: readonly Run[], choose: Choice): number {
  const aloneUs = choose(alone.map(generatorUs))
  if (design === nobody) return round2(aloneUs)
  if (isInUserSpace(design)) return round2(choose(runs.map(({ coreUs }) => coreUs)))
  return round2(choose(runs.map(generatorUs)) - aloneUs + choose(runs.map(relayUs)))
}

/** All designs in each round, so that a busy minute of the machine meets them alike. */
async function measure(calls: number, net: BenchNet, program: string, folder: TemporaryFolder): Promise<Figure[]> {
  const results = designs.map((design) => ({ design, runs: [] as Run[] }))
  for (let round = 0; round < rounds; round++) {
    for (const { design, runs } of results) runs.push(await run(design, calls, net, program, folder))
  }
  const alone = results.find(({ design }) => design === nobody)?.runs ?? []
  return results.map(({ design, runs }) => ({
    design: design.name,
    calls,
    packetsPerSecond: Math.round(median(runs.map(({ packetsPerSecond }) => packetsPerSecond))),
    cpuUs: cpuUsOf(design, runs, alone, median),
    quietestUs: cpuUsOf(design, runs, alone, least),
    bad: runs.reduce((sum, { bad }) => sum + bad, 0),
  }))
}

function ratios(figures: readonly Figure[]) {
  return figures.flatMap(({ design, calls, packetsPerSecond, cpuUs, quietestUs }) => {
    const peer = figures.find((figure) => figure.design === rtpengine.name && figure.calls === calls)
    if (peer === undefined || design === rtpengine.name || design === nobody.name) return []
    return {
      calls,
      engine: design,
      /** Packets per second of one core that does nothing else. */
      ratioPackets: round2(peer.cpuUs / cpuUs),
      ratioPacketsQuietest: round2(peer.quietestUs / quietestUs),
      /** Of what came through in this run; with the kernel's forwarding one core has done all of it, the generator's part too. */
      ratioPacketsMeasured: round2(packetsPerSecond / peer.packetsPerSecond),
    }
  })
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}

function round2(value: number): number {
  return Math.round(value * 100) / 100
}

function row(
  { design, calls, packetsPerSecond, cpuUs, quietestUs, bad }: Figure,
  all: ReturnType<typeof ratios>,
): string {
  const ratio = all.find(({ engine }) => engine === design)
  return [
    design.padEnd(10),
    String(calls).padStart(5),
    `${Math.round(packetsPerSecond / 1_000)}k/s`.padStart(8),
    `${cpuUs.toFixed(2)} µs`.padStart(9),
    (ratio === undefined ? '' : `${ratio.ratioPackets.toFixed(2)}×`).padStart(8),
    `${quietestUs.toFixed(2)} µs`.padStart(9),
    (ratio === undefined ? '' : `${ratio.ratioPacketsQuietest.toFixed(2)}×`).padStart(8),
    String(bad).padStart(4),
  ].join(' ')
}

/** Makes the hosts, and runs this program again on the relay's. */
function outside(): void {
  using hosts = benchHosts()
  const [command, ...before] = hosts.relayPrefix
  const again = [process.execPath, import.meta.filename, ...process.argv.slice(2)]
  const args = [...before, ...again, '--inside', hosts.net.generatorPrefix.join(' ')]
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  process.exitCode = status ?? 1
}

async function inside(generatorPrefix: string): Promise<void> {
  const net = benchNet('10.0.0.1', generatorPrefix.split(' '))
  await using folder = await temporaryFolder('bench-kernel')
  const program = await buildGenerator(folder.path)
  const figures: Figure[] = []
  process.stdout.write('design     calls  packets   CPU/pkt    ratio  quietest   ratio  bad  (per forwarded packet)\n')
  for (const calls of callCounts) {
    const measured = await measure(calls, net, program, folder)
    figures.push(...measured)
    for (const figure of measured) process.stdout.write(`${row(figure, ratios(measured))}\n`)
  }
  if (!values.json) return
  const machine = { processor: os.cpus()[0]?.model ?? 'unknown', node: process.version, kernel: os.release() }
  process.stdout.write(`${JSON.stringify({ ...machine, rounds, measuredMs, ratios: ratios(figures), figures })}\n`)
}

if (os.cpus().length < 2) throw new Error('needs two processors: one for the relay, one for the generator')
if (values.inside === undefined) outside()
else await inside(values.inside)
