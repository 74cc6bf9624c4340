/**
 * What calls cost in memory, and that they give it back: octets per idle and per armed call for each codec, by regression over 100
 * to 1,000 live calls; then a day of calls on a virtual clock. `--hours N` for another span. Prints tables; with `--json` one
 * object on the last line. Figures, never tests.
 */
import os from 'node:os'
import process from 'node:process'
import type { SpeechCodec } from '../../src/cde/media/codecs/speech-codecs.ts'
import { type GrowthResult, measureGrowth } from './memory/growth.ts'
import type { Line } from './memory/line.ts'
import { measurePerCall, type PerCallResult } from './memory/per-call.ts'

const CALLS = [100, 200, 400, 600, 800, 1_000]
const CODECS: readonly SpeechCodec[] = ['PCMA', 'G722', 'opus']
const STRETCHES = 48
/** A call every two minutes, a minute long: 720 of them in a day. */
const EVERY_MS = 120_000
const TALK_MS = 60_000

const hours = Number(/^\d+$/.exec(process.argv[process.argv.indexOf('--hours') + 1] ?? '')?.[0] ?? 24)

const kibi = ({ slope, slopeError }: Line): string =>
  `${(slope / 1_024).toFixed(1).padStart(8)} ± ${(slopeError / 1_024).toFixed(1).padEnd(5)}`

console.log(`Memory per call: real call media, ports in memory, 2 s of packets both ways, after garbage collection`)
console.log(
  `Node ${process.version}, ${os.cpus()[0]?.model ?? 'unknown CPU'}; KiB per call over ${CALLS.join(', ')} calls\n`,
)
console.log('codec  state       V8 heap         outside it      resident')
const perCall: PerCallResult[] = []
for (const codec of CODECS) {
  for (const isArmed of [false, true]) {
    const result = measurePerCall({ codec, isArmed, calls: CALLS })
    perCall.push(result)
    const columns = [result.heap, result.external, result.resident].map(kibi)
    console.log(`${codec.padEnd(6)} ${(isArmed ? 'armed' : 'idle').padEnd(6)}${columns.join('')}`)
  }
}

const growth = measureGrowth({
  ...{ seed: 24, everyMs: EVERY_MS, talkMs: TALK_MS, leakOctets: 0 },
  stretches: STRETCHES,
  // After each stretch eleven minutes pass in which the calls end and their ports rest.
  stretchMs: (hours * 3_600_000) / STRETCHES - 11 * 60_000,
})
printGrowth(growth)
if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ benchmark: 'memory', node: process.version, calls: CALLS, perCall, growth }))
}

function printGrowth({
  virtualHours,
  counts,
  heldAtMost,
  heapPerCall,
  externalPerCall,
  heapOctets,
}: GrowthResult): void {
  const mebi = (octets = 0): string => (octets / 1_048_576).toFixed(2)
  const octets = ({ slope, slopeError }: Line): string => `${slope.toFixed(0)} ± ${slopeError.toFixed(0)}`
  console.log(`\n${virtualHours.toFixed(1)} hours of calls on a virtual clock, looked at ${heapOctets.length} times`)
  console.log(`  calls ${counts.calls}, packets in ${counts.packets}, out ${counts.sent}, captures ${counts.captures},`)
  console.log(`  keys ${counts.keys}, re-INVITEs ${counts.offers}, SRTP agreed ${counts.secured} times`)
  console.log(`  calls, legs, transactions, media, ports still held after a stretch: ${heldAtMost} at most`)
  console.log(
    `  heap after stretch 1, ${Math.ceil(heapOctets.length / 2)}, ${heapOctets.length}: ${[heapOctets[0], heapOctets[Math.ceil(heapOctets.length / 2) - 1], heapOctets.at(-1)].map(mebi).join(', ')} MiB`,
  )
  console.log(
    `  growth per call that has ended, octets: heap ${octets(heapPerCall)}, outside it ${octets(externalPerCall)}`,
  )
}
