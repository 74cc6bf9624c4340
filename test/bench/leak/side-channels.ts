/** Does anything but the sound tell the key? Mutual information of features of the masked leg with the key, against chance. */
import { parseRtp } from '../../../src/cde/media/rtp.ts'
import { type RandomBytes, randomUnit } from '../../../src/lib/random.ts'
import { synthesizeKeys } from '../../../src/sim/tones.ts'
import type { MaskPolicy } from '../../../src/wall/settings.ts'
import { armedCall, type Heard, packetize } from '../../support/dtmf-call.ts'

export interface SideChannel {
  readonly feature: string
  /** Distinct values seen; one value cannot say anything. */
  readonly values: number
  readonly bits: number
  /** Share of shuffles of the keys in which chance alone gave as much. */
  readonly chance: number
}

const SHUFFLES = 200
const features = [
  'packet sizes',
  'packet times',
  'header fields',
  'where the pip begins',
  'how long is masked',
] as const

/** One key per call, at a random place, over faint noise; tones like a phone's. */
export function sideChannels(calls: number, maskPolicy: MaskPolicy, random: RandomBytes): SideChannel[] {
  const keys: number[] = []
  const seen: Record<(typeof features)[number], string[]> = {
    'packet sizes': [],
    'packet times': [],
    'header fields': [],
    'where the pip begins': [],
    'how long is masked': [],
  }
  for (let call = 0; call < calls; call++) {
    const key = Math.floor(randomUnit(random) * 16)
    // All calls have the tone at one of the 40 places that a decision can meet it at, the same for every key.
    const leadSamples = 1_600 + (call % 40)
    const tones = synthesizeKeys([key], { toneMs: 80, gapMs: 200, snrDb: 30, leadSamples }, random)
    let maskedSamples = 0
    const heard = armedCall(packetize(tones.samples, { timestamp: 0, sequence: 0 }), {
      replacement: 'flat',
      maskPolicy,
      fieldOpenMs: { from: 0, to: 1_000 },
      onMasked: (from, to) => {
        maskedSamples += to - from
      },
    })
    keys.push(key)
    seen['packet sizes'].push(heard.packets.map(({ packet }) => packet.length).join())
    seen['packet times'].push(heard.packets.map(({ atMs }) => atMs).join())
    seen['header fields'].push(headersOf(heard))
    seen['where the pip begins'].push(String(pipAt(heard.samples) - leadSamples))
    seen['how long is masked'].push(String(maskedSamples))
  }
  return features.map((feature) => compare(feature, seen[feature], keys, random))
}

function headersOf({ packets }: Heard): string {
  let [sequence, timestamp] = [0, 0]
  return packets
    .map(({ packet }, index) => {
      const rtp = parseRtp(packet)
      if (typeof rtp === 'string') return rtp
      const steps = index === 0 ? '' : `${(rtp.sequence - sequence) & 0xffff}/${(rtp.timestamp - timestamp) >>> 0}`
      sequence = rtp.sequence
      timestamp = rtp.timestamp
      return `${rtp.payloadType} ${rtp.marker} ${steps} ${rtp.ssrc} ${packet[0]}`
    })
    .join()
}

/** The pip is far louder than the noise. */
function pipAt(samples: Int16Array): number {
  return samples.findIndex((sample) => Math.abs(sample) > 1_200)
}

function compare(feature: string, seen: readonly string[], keys: readonly number[], random: RandomBytes): SideChannel {
  const values = new Set(seen).size
  const bits = mutualInformation(seen, keys)
  if (values === 1) return { feature, values, bits: 0, chance: 1 }
  let asMuch = 0
  for (let i = 0; i < SHUFFLES; i++) if (mutualInformation(seen, shuffled(keys, random)) >= bits) asMuch++
  return { feature, values, bits: Math.round(bits * 1_000) / 1_000, chance: asMuch / SHUFFLES }
}

function mutualInformation(seen: readonly string[], keys: readonly number[]): number {
  const joint = new Map<string, number>()
  const alone = new Map<string, number>()
  const ofKey = new Map<number, number>()
  for (const [index, value] of seen.entries()) {
    const key = keys[index] ?? 0
    joint.set(`${key}|${value}`, (joint.get(`${key}|${value}`) ?? 0) + 1)
    alone.set(value, (alone.get(value) ?? 0) + 1)
    ofKey.set(key, (ofKey.get(key) ?? 0) + 1)
  }
  let bits = 0
  for (const [pair, count] of joint) {
    const [key = '', value = ''] = pair.split('|')
    const expected = ((alone.get(value) ?? 0) * (ofKey.get(Number(key)) ?? 0)) / seen.length
    bits += (count / seen.length) * Math.log2(count / expected)
  }
  return bits
}

function shuffled(keys: readonly number[], random: RandomBytes): number[] {
  const result = [...keys]
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(randomUnit(random) * (i + 1))
    ;[result[i], result[j]] = [result[j] ?? 0, result[i] ?? 0]
  }
  return result
}
