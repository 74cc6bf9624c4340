/** Does anything but the sound tell the key? What anyone can see of the masked leg, held against the key. */
import { parseRtp } from '../../../src/cde/media/rtp.ts'
import { type RandomBytes, randomUnit, seededRandom } from '../../../src/lib/random.ts'
import { addNoise, synthesizeKeys } from '../../../src/sim/tones.ts'
import type { MaskPolicy } from '../../../src/wall/settings.ts'
import { armedCall, type Heard, packetize } from '../../support/dtmf-call.ts'
import { keyDependence } from './key-dependence.ts'

export interface SideChannel {
  readonly policy: MaskPolicy
  readonly seed: number
  readonly feature: string
  /** Distinct values seen; one value cannot say anything. */
  readonly values: number
  /** How far the keys' means lie apart, by how far all values do: 0 to 1. */
  readonly spread: number
  /** Share of shuffles of the keys in which chance alone gave as much; not corrected for the number of tests. */
  readonly chance: number
}

/** By how many samples a key's tone comes later than the judge is told: as if it were found that much later. */
export type PlantedDelay = (key: number) => number

const SHUFFLES = 2_000
const PACKET_SAMPLES = 160
/** Below all that the masker listens to: chance masks nothing before the key. */
const NOISE_RMS = 20
const shapes = ['packet sizes', 'packet times', 'header fields'] as const
const times = ['where the mask begins', 'where the pip begins', 'how long is masked'] as const

interface Seen {
  readonly key: number
  readonly shapes: Record<(typeof shapes)[number], string>
  readonly times: Record<(typeof times)[number], number>
}

/** One key per call, its tone at a random place within a packet, over faint noise; tones like a phone's. */
export function sideChannels(
  policy: MaskPolicy,
  seed: number,
  calls: number,
  planted: PlantedDelay = () => 0,
): SideChannel[] {
  const random = seededRandom(seed)
  const noise = new Float64Array(16_000)
  addNoise(noise, NOISE_RMS, random)
  const seen = Array.from({ length: calls }, () => oneCall(policy, noise, random, planted))
  const keys = seen.map(({ key }) => key)
  return [
    ...shapes.map((feature) => {
      const values = new Set(seen.map((call) => call.shapes[feature])).size
      // These are the same in all calls; a second value would be a finding, whatever the keys.
      return { policy, seed, feature, values, spread: values === 1 ? 0 : 1, chance: values === 1 ? 1 : 0 }
    }),
    ...times.map((feature) => {
      const samples = seen.map((call) => call.times[feature])
      const { spread, chance } = keyDependence(samples, keys, SHUFFLES, random)
      return { policy, seed, feature, values: new Set(samples).size, spread, chance }
    }),
  ]
}

function oneCall(maskPolicy: MaskPolicy, noise: Float64Array, random: RandomBytes, planted: PlantedDelay): Seen {
  const key = Math.floor(randomUnit(random) * 16)
  const leadSamples = 1_600 + Math.floor(randomUnit(random) * PACKET_SAMPLES)
  const settings = { toneMs: 80, gapMs: 200, leadSamples: leadSamples + planted(key) }
  const { samples } = synthesizeKeys([key], settings, random)
  const noiseFrom = Math.floor(randomUnit(random) * (noise.length - samples.length))
  for (let i = 0; i < samples.length; i++) samples[i] = (samples[i] ?? 0) + (noise[noiseFrom + i] ?? 0)
  let maskedSamples = 0
  let maskedFrom = -1
  const heard = armedCall(packetize(samples, { timestamp: 0, sequence: 0 }), {
    replacement: 'flat',
    maskPolicy,
    random,
    fieldOpenMs: { from: 0, to: 1_000 },
    onMasked: (from, to) => {
      // What is masked at first borders on the silence of arming.
      if (from < leadSamples) return
      if (maskedFrom < 0) maskedFrom = from
      maskedSamples += to - from
    },
  })
  return {
    key,
    shapes: {
      'packet sizes': heard.packets.map(({ packet }) => packet.length).join(),
      'packet times': heard.packets.map(({ atMs }) => atMs).join(),
      'header fields': headersOf(heard),
    },
    times: {
      'where the mask begins': maskedFrom - leadSamples,
      'where the pip begins': pipAt(heard.samples) - leadSamples,
      'how long is masked': maskedSamples,
    },
  }
}

/** All that a header says but where the stream began, which is chance. */
function headersOf({ packets }: Heard): string {
  let [sequence, timestamp, ssrc] = [0, 0, 0]
  return packets
    .map(({ packet }, index) => {
      const rtp = parseRtp(packet)
      if (typeof rtp === 'string') return rtp
      const steps = `${(rtp.sequence - sequence) & 0xffff}/${(rtp.timestamp - timestamp) >>> 0}/${rtp.ssrc === ssrc}`
      sequence = rtp.sequence
      timestamp = rtp.timestamp
      ssrc = rtp.ssrc
      return `${rtp.payloadType} ${rtp.marker} ${index === 0 ? '' : steps} ${packet[0]}`
    })
    .join()
}

/** The pip is far louder than the noise. */
function pipAt(samples: Int16Array): number {
  return samples.findIndex((sample) => Math.abs(sample) > 1_200)
}
