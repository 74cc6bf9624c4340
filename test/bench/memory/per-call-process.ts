/**
 * Opens more and more calls on ports in memory, lets each carry two seconds of packets both ways, and looks at the memory after
 * each lot. Run with `--expose-gc`; prints one JSON object.
 */
import process from 'node:process'
import { MediaPorts } from '../../../src/cde/call/media-ports.ts'
import type { AudioFormat } from '../../../src/cde/media/audio-session.ts'
import { newEncoder } from '../../../src/cde/media/codecs/coders.ts'
import { clockUnits, type SpeechCodec, speechCodecs } from '../../../src/cde/media/codecs/speech-codecs.ts'
import { PortPool } from '../../../src/cde/media/ports.ts'
import { type RandomBytes, randomUnit, seededRandom } from '../../../src/lib/random.ts'
import { MediaCall, sides } from '../../support/media-call.ts'
import { MemoryPorts } from '../../support/memory-ports.ts'
import { lineThrough } from './line.ts'
import type { PerCallResult, PerCallSettings } from './per-call.ts'

const SEED = 5
const PACKETS = 100
const STEP_MS = 20

const settings = JSON.parse(process.argv[2] ?? '{}') as PerCallSettings
const { gc } = globalThis
if (gc === undefined) throw new Error('run with --expose-gc')

let nowMs = 0
const random = seededRandom(SEED)
const network = new MemoryPorts()
let sentPackets = 0
network.onSent = () => sentPackets++
const ports = new MediaPorts('192.0.2.1', new PortPool(10_000, 59_999, random), network, () => nowMs)
const { formats, payloads, units } = voice(settings.codec, random)
const live: MediaCall[] = []
const samples: { x: number; heap: number; external: number; resident: number }[] = []

// The first lot, which is not measured, brings the code to its place.
for (const [lot, count] of [20, ...settings.calls].entries()) {
  while (live.length < count) live.push(await newCall())
  for (let packet = 0; packet < PACKETS; packet++) talk(packet)
  gc()
  gc()
  const { heapUsed, external, rss } = process.memoryUsage()
  if (lot > 0) samples.push({ x: count, heap: heapUsed, external, resident: rss })
}

const result: PerCallResult = {
  ...settings,
  heap: lineThrough(samples.map(({ x, heap }) => ({ x, y: heap }))),
  external: lineThrough(samples.map(({ x, external }) => ({ x, y: external }))),
  resident: lineThrough(samples.map(({ x, resident }) => ({ x, y: resident }))),
  sentPackets,
}
console.log(JSON.stringify(result))

async function newCall(): Promise<MediaCall> {
  const call = await MediaCall.open({ network, ports, random, formats, nowMs: () => nowMs })
  call.agree(nowMs)
  if (settings.isArmed) {
    call.media.arm(nowMs, 'burst')
    call.media.setFieldOpen(true, nowMs)
  }
  return call
}

function talk(packet: number): void {
  nowMs += STEP_MS
  for (const call of live) {
    for (const side of sides) {
      call.speakers[side].step(units)
      call.says(side, payloads[packet % payloads.length] ?? new Uint8Array(), formats[0]?.payloadType)
    }
    call.media.wake(nowMs)
  }
}

/** Soft noise in packets of 20 ms. */
function voice(codec: SpeechCodec, from: RandomBytes) {
  const { payloadType, clockHz, sampleRateHz } = speechCodecs[codec]
  const frameSamples = (sampleRateHz * STEP_MS) / 1_000
  const audio: AudioFormat = { payloadType, codec, clockHz }
  const events: AudioFormat = { payloadType: 101, codec: 'telephone-event', clockHz }
  const encoder = newEncoder(codec)
  const encoded = Array.from({ length: 50 }, () => {
    const frame = Int16Array.from({ length: frameSamples }, () => (randomUnit(from) - 0.5) * 800)
    const payload = new Uint8Array(1_500)
    return payload.slice(0, encoder.encode(frame, payload))
  })
  encoder.close()
  return { formats: [audio, events], payloads: encoded, units: clockUnits(codec, frameSamples) }
}
