/**
 * What masking costs: µs of CPU per 20 ms packet of an armed stream, end to end (`CallerDirection`: RTP in, judged, delayed,
 * replaced, RTP out), and how many such streams one core carries in real time. Prints a table; with `--json` one object on
 * the last line. Figures, never tests.
 */
import { existsSync, globSync, readFileSync } from 'node:fs'
import os from 'node:os'
import process from 'node:process'
import { CallerDirection } from '../../src/cde/dtmf/caller-direction.ts'
import { seededRandom } from '../../src/lib/random.ts'
import { parseWav } from '../../src/lib/wav.ts'
import { addNoise, synthesizeKeys } from '../../src/sim/tones.ts'
import { formats, packetize } from '../support/dtmf-call.ts'

const SEED = 31
const SECONDS = 60
const RATE_HZ = 8_000
const PACKET_MS = 20
const ROUNDS = 7
const SPEECH = '/usr/share/asterisk/sounds/en_US_f_Allison/*.wav'

interface Figure {
  readonly audio: string
  readonly microsecondsPerPacket: number
  readonly streamsPerCore: number
}

function speech(): Int16Array {
  const samples = new Int16Array(SECONDS * RATE_HZ)
  const files = globSync(SPEECH).sort()
  let at = 0
  for (const file of files) {
    const wav = parseWav(readFileSync(file))
    const [channel] = typeof wav === 'string' ? [] : wav.samples
    if (channel === undefined) continue
    samples.set(channel.subarray(0, samples.length - at), at)
    at += Math.min(channel.length, samples.length - at)
  }
  return samples
}

function noise(): Int16Array {
  const sound = new Float64Array(SECONDS * RATE_HZ)
  addNoise(sound, 300, seededRandom(SEED))
  return Int16Array.from(sound)
}

function keys(toneMs: number, gapMs: number): Int16Array {
  const random = seededRandom(SEED)
  const count = (SECONDS * 1_000) / (toneMs + gapMs)
  const sequence = Array.from({ length: count }, (_, i) => i % 16)
  return synthesizeKeys(sequence, { toneMs, gapMs, snrDb: 30, leadSamples: 0, tailSamples: 0 }, random).samples
}

/** CPU of one pass over the audio, in µs per packet. */
function pass(samples: Int16Array): number {
  const packets = packetize(samples)
  const direction = new CallerDirection({
    replacement: 'flat',
    jitterMs: 40,
    random: seededRandom(SEED),
    onKey: () => {},
    onUncertain: () => {},
    onMaskFailed: () => {},
  })
  direction.setFormats(formats(), formats(), 0)
  direction.arm(0)
  const before = process.cpuUsage()
  for (const [index, { packet }] of packets.entries()) {
    direction.receive(packet, index * PACKET_MS)
    direction.tick((index + 1) * PACKET_MS)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / packets.length
}

const audio: Readonly<Record<string, () => Int16Array>> = {
  ...(existsSync(SPEECH.replace('*.wav', 'agent-incorrect.wav')) ? { speech } : {}),
  silence: () => new Int16Array(SECONDS * RATE_HZ),
  noise,
  'keys, 80 ms each 200 ms': () => keys(80, 120),
  'dense keys, 50 ms each 80 ms': () => keys(50, 30),
  'a key held throughout': () => keys(SECONDS * 1_000, 0),
}

const figures: Figure[] = []
for (const [name, make] of Object.entries(audio)) {
  const samples = make()
  pass(samples)
  // The least disturbed round: other processes can only add.
  const microseconds = Math.min(...Array.from({ length: ROUNDS }, () => pass(samples)))
  figures.push({
    audio: name,
    microsecondsPerPacket: Math.round(microseconds * 100) / 100,
    streamsPerCore: Math.floor((PACKET_MS * 1_000) / microseconds),
  })
}
const cpu = os.cpus()[0]?.model ?? 'unknown'
process.stdout.write(`armed stream, packets of ${PACKET_MS} ms, G.711 A-law, Node ${process.versions.node}, ${cpu}\n`)
for (const figure of figures) {
  const { audio: name, microsecondsPerPacket, streamsPerCore } = figure
  process.stdout.write(
    `${name.padEnd(30)} ${microsecondsPerPacket.toFixed(2).padStart(7)} µs per packet, ${streamsPerCore} streams per core\n`,
  )
}
if (process.argv.includes('--json')) {
  process.stdout.write(`${JSON.stringify({ bench: 'dtmf', seed: SEED, node: process.versions.node, cpu, figures })}\n`)
}
