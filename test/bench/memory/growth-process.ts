/**
 * Traffic for hours of virtual time in this process, and what it still holds after each stretch, when every call has ended and
 * every port has rested. Run with `--expose-gc`; prints one JSON object. `leakOctets` keeps that much of each call, on purpose.
 */
import process from 'node:process'
import type { GrowthResult, GrowthSettings } from './growth.ts'
import { lineThrough } from './line.ts'
import { Traffic } from './traffic.ts'

const settings = JSON.parse(process.argv[2] ?? '{}') as GrowthSettings
const { gc } = globalThis
if (gc === undefined) throw new Error('run with --expose-gc')

const traffic = new Traffic(settings)
const kept: unknown[] = []
if (settings.leakOctets > 0) {
  traffic.onCall = () => void kept.push(Array.from({ length: settings.leakOctets / 8 }, () => Math.random()))
}

const samples: { calls: number; heapOctets: number; externalOctets: number; held: number }[] = []
for (let stretch = 0; stretch < settings.stretches; stretch++) {
  await traffic.run(settings.stretchMs)
  await traffic.calmDown()
  // Twice: what the first pass finalizes, the second frees.
  gc()
  gc()
  const { heapUsed, external } = process.memoryUsage()
  const held = Object.values(traffic.zone.held()).reduce((sum, count) => sum + count, 0)
  samples.push({ calls: traffic.counts.calls, heapOctets: heapUsed, externalOctets: external, held })
}

// The first half is the engine's own warming up: compiled code, caches, tables at their size.
const settled = samples.slice(Math.floor(samples.length / 2))
const points = (of: 'heapOctets' | 'externalOctets') => settled.map((sample) => ({ x: sample.calls, y: sample[of] }))
const result: GrowthResult = {
  virtualHours: traffic.zone.nowMs / 3_600_000,
  counts: { ...traffic.counts },
  heldAtMost: Math.max(...samples.map(({ held }) => held)),
  heapOctets: samples.map(({ heapOctets }) => heapOctets),
  externalOctets: samples.map(({ externalOctets }) => externalOctets),
  heapPerCall: lineThrough(points('heapOctets')),
  externalPerCall: lineThrough(points('externalOctets')),
}
console.log(JSON.stringify(result))
