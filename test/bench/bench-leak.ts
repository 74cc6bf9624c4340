/**
 * How much of what callers key can be recovered from what the agent hears: every condition under every mask policy, with four
 * judges, besides capture accuracy, speech lost and side channels. Figures, never tests.
 * `--json` prints one object on the last line; `--write` puts the tables into docs/reference/leak-figures.md; `--calls N`
 * sets how many calls of 16 keys each condition gets.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { maskRecording } from '../../src/cde/dtmf/recording.ts'
import { seededRandom } from '../../src/lib/random.ts'
import { advantageOf } from '../../src/sim/known-plaintext.ts'
import { type MaskPolicy, maskPolicies } from '../../src/wall/settings.ts'
import { missing } from '../support/have.ts'
import { heardByMultimon } from '../support/multimon.ts'
import { compileSpandsp } from '../support/spandsp.ts'
import { temporaryFolder } from '../support/temp-folder.ts'
import { type Condition, conditions, speechSamples } from './leak/conditions.ts'
import { limits } from './leak/limit.ts'
import { leakReport } from './leak/report.ts'
import { corrected } from './leak/key-dependence.ts'
import { sideChannels } from './leak/side-channels.ts'
import { type Decoder, type TrialResult, tryCondition } from './leak/trial.ts'

export interface ConditionFigures {
  readonly condition: Condition
  readonly seed: number
  readonly results: Readonly<Partial<Record<MaskPolicy, TrialResult>>>
}

const FIRST_SEED = 1_000
const SIDE_CHANNEL_CALLS = 1_600
const SIDE_CHANNEL_SEEDS = [77, 78, 79] as const

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, write: { type: 'boolean' }, calls: { type: 'string', default: '7' } },
})
await using folder = await temporaryFolder('bench-leak')
const decoders: Decoder[] = []
if (missing('multimon-ng', 'sox') === false) decoders.push({ name: 'multimon-ng', hear: heardByMultimon })
if (missing('gcc', 'libc6-dev', 'libspandsp-dev', 'libtiff-dev') === false) {
  decoders.push({ name: 'spandsp', hear: await compileSpandsp(folder) })
}

const speech = speechSamples()
const figures: ConditionFigures[] = []
const left: string[] = []
for (const [index, condition] of conditions.entries()) {
  const seed = FIRST_SEED + index
  if (condition.overSpeechDb !== undefined && speech.length === 0) {
    left.push(`${condition.name}: no speech is installed here`)
    continue
  }
  const results: Partial<Record<MaskPolicy, TrialResult>> = {}
  for (const policy of maskPolicies) {
    const result = await tryCondition(condition, policy, Number(values.calls), speech, seededRandom(seed), decoders)
    if (result === undefined) left.push(`${condition.name}: ffmpeg or its codec is not here`)
    else results[policy] = result
    if (result === undefined) break
  }
  if (Object.keys(results).length > 0) figures.push({ condition, seed, results })
}

/** Share of speech that is masked while nobody keys: with a field open, which is when `burst` is suspicious. */
function speechMaskedPercent(maskPolicy: MaskPolicy, isFieldOpen: boolean): number {
  if (speech.length === 0) return 0
  const { spans } = maskRecording(speech, 8_000, { replacement: 'silence', maskPolicy, isFieldOpen })
  const maskedMs = spans.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0)
  return Math.round((maskedMs / (speech.length / 8)) * 100_000) / 1_000
}

const report = {
  bench: 'leak',
  date: new Date().toISOString().slice(0, 10),
  node: process.versions.node,
  judges: ['reporter', 'least-squares', ...decoders.map(({ name }) => name)],
  speechMinutes: Math.round(speech.length / 8 / 6_000) / 10,
  speechMaskedPercent: {
    adaptive: speechMaskedPercent('adaptive', false),
    'burst, no field open': speechMaskedPercent('burst', false),
    'burst, awaiting a key': speechMaskedPercent('burst', true),
    'full, field open': speechMaskedPercent('full', true),
  },
  totals: Object.fromEntries(maskPolicies.map((policy) => [policy, totalsOf(policy)])),
  limits: speech.length === 0 ? [] : limits(speech, 500),
  sideChannels: allSideChannels(),
  conditions: figures.map(({ condition: { name }, seed, results }) => ({ name, seed, ...results })),
  left,
}
export type LeakFigures = typeof report

/** Every feature under every policy, from several seeds; `corrected` is what the chance is worth among so many. */
function allSideChannels() {
  const all = SIDE_CHANNEL_SEEDS.flatMap((seed) =>
    maskPolicies.flatMap((policy) => sideChannels(policy, seed, SIDE_CHANNEL_CALLS)),
  )
  const chances = corrected(all.map(({ chance }) => chance))
  return all.map((one, index) => ({ ...one, corrected: chances[index] ?? 1 }))
}

/** Over everything but speech, and over speech: told apart, because only there the laws of signal are against the masker. */
function totalsOf(policy: MaskPolicy) {
  const sum = (isOverSpeech: boolean) => {
    const results = figures
      .filter(({ condition }) => (condition.overSpeechDb !== undefined) === isOverSpeech)
      .flatMap(({ results }) => results[policy] ?? [])
    const total = (pick: (result: TrialResult) => number): number => results.reduce((all, one) => all + pick(one), 0)
    return {
      digits: total(({ tried }) => tried),
      uncovered: total(({ uncovered }) => uncovered),
      recovered: Object.fromEntries(
        ['reporter', 'least-squares', ...decoders.map(({ name }) => name)].map((judge) => [
          judge,
          total(({ recovered }) => recovered[judge] ?? 0),
        ]),
      ),
      leastSquares: advantageOf(
        total(({ guessed }) => guessed),
        total(({ tried }) => tried),
      ),
      foreignPackets: total(({ foreignPackets }) => foreignPackets),
    }
  }
  const accepted = figures
    .filter(({ condition }) => condition.isStandard)
    .flatMap(({ results }) => results[policy] ?? [])
  const keyed = accepted.reduce((all, { tried }) => all + tried, 0)
  const captured = accepted.reduce((all, one) => all + one.captured, 0)
  return { withoutSpeech: sum(false), overSpeech: sum(true), accepted: { keyed, captured } }
}

const text = leakReport(report)
process.stdout.write(text)
if (values.write === true) {
  const file = new URL('../../docs/reference/leak-figures.md', import.meta.url)
  const head = readFileSync(file, 'utf8').split('<!-- figures -->')[0] ?? ''
  writeFileSync(file, `${head}<!-- figures -->\n\n${text}`)
}
if (values.json === true) process.stdout.write(`${JSON.stringify(report)}\n`)
