/**
 * What codecs cost on a call: µs of CPU per 20 ms packet from caller to agent, armed and not, for each pair of codecs; memory of
 * armed Opus calls; and what of keys in Opus is captured, and what is left of them, at the bit rates that phones use. Prints tables;
 * with `--json` one object on the last line. Figures, never tests.
 */
import { existsSync, globSync, readFileSync } from 'node:fs'
import os from 'node:os'
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { CallerDirection } from '../../src/cde/dtmf/caller-direction.ts'
import { findKeys } from '../../src/cde/dtmf/recording.ts'
import type { AudioFormat } from '../../src/cde/media/audio-formats.ts'
import { G722Encoder } from '../../src/cde/media/codecs/g722/g722.ts'
import { opusNative } from '../../src/cde/media/codecs/opus/native.ts'
import { fromBaseRate, toBaseRate } from '../../src/cde/media/resample.ts'
import { writeRtp } from '../../src/cde/media/rtp.ts'
import { type RandomBytes, randomUnit, seededRandom } from '../../src/lib/random.ts'
import { parseWav } from '../../src/lib/wav.ts'
import type { MaskPolicy } from '../../src/wall/settings.ts'
import { advantageOf, mostLikelyKey } from '../../src/sim/known-plaintext.ts'
import { synthesizeKeys } from '../../src/sim/tones.ts'
import { armedCall, formats, impair, type Impairment, packetize, type TimedPacket } from '../support/dtmf-call.ts'
import { heardOpus, opusFormats, packetizeOpus } from '../support/opus-phone.ts'

const SEED = 32
const SECONDS = 20
const ROUNDS = 5
const PACKET_MS = 20
const CALLS = 500
const KEY_CALLS = 40
const SPEECH_SECONDS = 600
const KEYS_PER_CALL = 16
const SPEECH = '/usr/share/asterisk/sounds/en_US_f_Allison/*.wav'
/** Two coders and the line's decimator, in samples of 8 kHz: see opus-line.test.ts. */
const CODING_DELAY = 84

const codecs: Readonly<Record<string, readonly AudioFormat[]>> = {
  PCMA: formats('PCMA'),
  G722: [{ payloadType: 9, codec: 'G722', clockHz: 8_000 }],
  opus: opusFormats,
}

/** Speech where Debian's prompts are installed, else the project's own voice. */
function speech(seconds: number): Int16Array {
  const own = new URL('../../assets/voice/caller.wav', import.meta.url)
  const files: (string | URL)[] = existsSync(SPEECH.replace('*.wav', 'agent-incorrect.wav'))
    ? globSync(SPEECH).sort()
    : [own]
  const samples = new Int16Array(seconds * 8_000)
  let at = 0
  for (let n = 0; at < samples.length; n++) {
    const wav = parseWav(readFileSync(files[n % files.length] ?? own))
    if (typeof wav === 'string') continue
    const piece = toBaseRate(wav.samples[0] ?? new Int16Array(), wav.rateHz).subarray(0, samples.length - at)
    samples.set(piece, at)
    at += piece.length
  }
  return samples
}

function packetsOf(codec: string, samples: Int16Array): TimedPacket[] {
  if (codec === 'opus') return packetizeOpus(samples)
  if (codec === 'PCMA') return packetize(samples)
  const encoder = new G722Encoder()
  const wide = fromBaseRate(samples, 16_000, 2 * samples.length)
  return Array.from({ length: Math.floor(wide.length / 320) }, (_, n) => {
    const payload = new Uint8Array(160)
    encoder.encode(wide.subarray(n * 320, (n + 1) * 320), payload)
    const fields = { payloadType: 9, marker: n === 0, sequence: n, timestamp: n * 160, ssrc: 1 }
    return { atMs: n * PACKET_MS, packet: writeRtp(fields, payload) }
  })
}

function newDirection(from: string, to: string): CallerDirection {
  const hooks = { onKey: () => {}, onConflict: () => {}, onMaskFailed: () => {}, onUncertain: () => {} }
  const direction = new CallerDirection({ replacement: 'flat', jitterMs: 40, random: seededRandom(SEED), ...hooks })
  direction.setFormats(codecs[from] ?? [], codecs[to] ?? [], 0)
  return direction
}

/** CPU of one pass over the audio, in µs per packet. */
function pass(from: string, to: string, packets: readonly TimedPacket[], isArmed: boolean): number {
  const direction = newDirection(from, to)
  if (isArmed) direction.arm(0)
  const before = process.cpuUsage()
  for (const { packet, atMs } of packets) {
    direction.receive(packet, atMs)
    direction.tick(atMs + PACKET_MS)
  }
  const { user, system } = process.cpuUsage(before)
  direction.close()
  return (user + system) / packets.length
}

function costs(): { from: string; to: string; armedMicroseconds: number; clearMicroseconds: number }[] {
  const voice = speech(SECONDS)
  return Object.keys(codecs).flatMap((from) => {
    const packets = packetsOf(from, voice)
    return Object.keys(codecs).map((to) => {
      // The least disturbed round: other processes can only add.
      const least = (isArmed: boolean): number => {
        const rounds = Array.from({ length: ROUNDS }, () => pass(from, to, packets, isArmed))
        return Math.round(Math.min(...rounds) * 10) / 10
      }
      return { from, to, armedMicroseconds: least(true), clearMicroseconds: least(false) }
    })
  })
}

/** Collects what nobody holds, so that memory is counted and not garbage. */
function collect(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

/** Of one armed call with Opus on both sides, once so many are armed at the same time. */
function memory(): { wasmOctets: number; heapOctets: number } {
  collect()
  const [wasmBefore, before] = [opusNative().memoryOctets, process.memoryUsage()]
  const packets = packetizeOpus(new Int16Array(800))
  const calls = Array.from({ length: CALLS }, () => newDirection('opus', 'opus'))
  for (const call of calls) {
    call.arm(0)
    for (const { packet, atMs } of packets) call.receive(packet, atMs)
    call.tick(120)
  }
  collect()
  const after = process.memoryUsage()
  const wasmOctets = Math.round((opusNative().memoryOctets - wasmBefore) / CALLS)
  const held = (usage: NodeJS.MemoryUsage): number => usage.heapUsed + usage.arrayBuffers
  for (const call of calls) call.close()
  return { wasmOctets, heapOctets: Math.round((held(after) - held(before)) / CALLS) }
}

interface KeyedAs {
  readonly bitrate: number
  readonly fec?: boolean
  readonly toneMs: number
  readonly network?: Impairment
  readonly maskPolicy?: MaskPolicy
}

/** Keys at −13 dBm0 with 30 dB of noise, as the standards demand to accept them, in Opus as phones send it. */
function keysAt({ bitrate, fec = false, toneMs, network = {}, maskPolicy = 'burst' }: KeyedAs) {
  const random = seededRandom(SEED)
  let [captured, exactCalls, guessed, recovered, wrong] = [0, 0, 0, 0, 0]
  for (let call = 0; call < KEY_CALLS; call++) {
    // Each key once: a judge who hears nothing says always the same, and is right once in 16 then, not about once.
    const keys = shuffled(KEYS_PER_CALL, random)
    const tone = {
      toneMs,
      gapMs: toneMs,
      snrDb: 30,
      twistDb: -4 + 6 * randomUnit(random),
      frequencyError: 0.015 * (2 * randomUnit(random) - 1),
    }
    const tones = synthesizeKeys(keys, { leadSamples: 1_600 + call * 13, tailSamples: 3_200, ...tone }, random)
    const packets = impair(packetizeOpus(tones.samples, { bitrate, fec }), network, random)
    const fieldOpenMs = { from: 0, to: packets.at(-1)?.atMs ?? 0 }
    const heard = armedCall(packets, { caller: opusFormats, agent: opusFormats, maskPolicy, fieldOpenMs })
    if (heard.keys.join() === keys.join()) exactCalls++
    const right = inOrder(keys, heard.keys)
    captured += right
    wrong += heard.keys.length - right
    const samples = toBaseRate(heardOpus(heard.packets), 16_000)
    recovered += findKeys(samples, 8_000).length
    for (const [index, { from, to }] of tones.spans.entries()) {
      const at = heard.offset + CODING_DELAY
      if (mostLikelyKey(samples.subarray(at + from, at + to), tone.frequencyError) === keys[index]) guessed++
    }
  }
  const { advantage, interval } = advantageOf(guessed, KEY_CALLS * KEYS_PER_CALL)
  return {
    bitrate,
    fec,
    toneMs,
    tried: KEY_CALLS * KEYS_PER_CALL,
    captured,
    wrong,
    exactCalls,
    recovered,
    advantage,
    interval,
  }
}

function shuffled(count: number, random: RandomBytes): number[] {
  const drawn = Array.from({ length: count }, (_, key) => ({ key, at: randomUnit(random) }))
  return drawn.sort((a, b) => a.at - b.at).map(({ key }) => key)
}

/** How many of `told` are the keys pressed, in their order. */
function inOrder(pressed: readonly number[], told: readonly number[]): number {
  let [at, count] = [0, 0]
  for (const key of told) {
    const found = pressed.indexOf(key, at)
    if (found === -1) continue
    count++
    at = found + 1
  }
  return count
}

/** Speech through Opus and an armed call that adapts: what of it is masked, and which keys were heard in it. */
function talkOff(bitrate: number) {
  const voice = speech(SPEECH_SECONDS)
  let maskedSamples = 0
  const onMasked = (from: number, to: number): void => void (maskedSamples += to - from)
  const call = { caller: opusFormats, agent: opusFormats, maskPolicy: 'adaptive', onMasked } as const
  const { keys } = armedCall(packetizeOpus(voice, { bitrate }), call)
  // Before the first packet and after the last one the line is silent, and masked: 120 ms and what is behind the end.
  const edges = (120 + 1_000) * 8
  return {
    bitrate,
    seconds: SPEECH_SECONDS,
    falseKeys: keys.length,
    maskedShare: Math.max(0, maskedSamples - edges) / voice.length,
  }
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const cpu = os.cpus()[0]?.model ?? 'unknown'
print(`caller to agent, speech, packets of ${PACKET_MS} ms, Node ${process.versions.node}, ${cpu}, seed ${SEED}`)
const pairs = costs()
for (const { from, to, armedMicroseconds, clearMicroseconds } of pairs) {
  print(
    `${`${from} → ${to}`.padEnd(14)} armed ${armedMicroseconds.toFixed(1).padStart(6)} µs, clear ${clearMicroseconds.toFixed(1).padStart(6)} µs per packet`,
  )
}
const held = memory()
print(
  `one of ${CALLS} armed calls with Opus on both sides holds ${(held.wasmOctets / 1_024).toFixed(0)} kB of WebAssembly memory and ${(held.heapOctets / 1_024).toFixed(0)} kB of the heap`,
)
const lossy = { lossShare: 0.05, burst: 2 }
const disordered = { swapShare: 0.05, duplicateShare: 0.05 }
const asKeyed: readonly KeyedAs[] = [
  ...[40, 80].flatMap((toneMs) => [12_000, 16_000, 24_000, 32_000, 64_000].map((bitrate) => ({ toneMs, bitrate }))),
  ...[40, 80].map((toneMs) => ({ toneMs, bitrate: 24_000, fec: true })),
  ...(['burst', 'adaptive'] as const).flatMap((maskPolicy) =>
    [lossy, disordered].map((network) => ({ toneMs: 60, bitrate: 24_000, fec: true, network, maskPolicy })),
  ),
]
print('keys at 30 dB of noise, twist −4 to +2 dB, ±1.5 %:')
const keyed = asKeyed.map((as) => {
  const result = keysAt(as)
  const { tried, captured, wrong, exactCalls, recovered, advantage, interval } = result
  const caught = `captured ${captured} of ${tried} (${exactCalls} of ${KEY_CALLS} calls exact, ${wrong} wrong)`
  const left = `recovered ${recovered}, least squares ${advantage} [${interval.join(', ')}]`
  print(`${JSON.stringify(as)}: ${caught}; ${left}`)
  return result
})
const talk = [16_000, 32_000].map(talkOff)
for (const { bitrate, seconds, falseKeys, maskedShare } of talk) {
  print(
    `speech, ${seconds} s at ${bitrate / 1_000} kbit/s, adaptive: ${(100 * maskedShare).toFixed(2)} % masked, ${falseKeys} false keys`,
  )
}
if (process.argv.includes('--json')) {
  print(
    JSON.stringify({ bench: 'codecs', seed: SEED, node: process.versions.node, cpu, pairs, memory: held, keyed, talk }),
  )
}
