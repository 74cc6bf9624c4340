/** The figures as Markdown tables. */
import { type MaskPolicy, maskPolicies } from '../../../src/wall/settings.ts'
import type { LeakFigures } from '../bench-leak.ts'
import type { TrialResult } from './trial.ts'

export function leakReport(figures: LeakFigures): string {
  return [
    `${figures.date}, Node ${figures.node}. Judges: ${figures.judges.join(', ')}.`,
    totals(figures),
    speechMasked(figures),
    limits(figures),
    sideChannels(figures),
    byCondition(figures),
    figures.left.length === 0 ? '' : `Left out here: ${figures.left.join('; ')}.`,
  ]
    .filter((part) => part !== '')
    .map((part) => `${part}\n`)
    .join('\n')
}

function totals({ totals, judges }: LeakFigures): string {
  const rows = maskPolicies.flatMap((policy) => {
    const { withoutSpeech, overSpeech, accepted } = totals[policy] ?? {}
    if (withoutSpeech === undefined || overSpeech === undefined || accepted === undefined) return []
    return [['all but speech', withoutSpeech] as const, ['over speech', overSpeech] as const].map(
      ([what, { digits, uncovered, recovered, leastSquares, foreignPackets }]) => [
        policy,
        what,
        digits,
        uncovered,
        ...judges.map((judge) => recovered[judge] ?? 0),
        `${leastSquares.advantage} (${leastSquares.interval.join(' to ')})`,
        foreignPackets,
        what === 'over speech' ? '' : `${accepted.captured} of ${accepted.keyed}`,
      ],
    )
  })
  const head = [
    'policy',
    'conditions',
    'digits',
    'not wholly replaced',
    ...judges,
    'advantage (95 %)',
    'foreign packets',
  ]
  return table([...head, 'captured, accepted region'], rows)
}

function speechMasked({ speechMaskedPercent, speechMinutes }: LeakFigures): string {
  const rows = Object.entries(speechMaskedPercent).map(([policy, percent]) => [policy, `${percent} %`])
  return table(['policy', `speech masked while nobody keys (${speechMinutes} min)`], rows)
}

function limits({ limits: all }: LeakFigures): string {
  const rows = all.map(({ toneMs, overSpeechDb, tried, missed, read }) => [
    `${toneMs} ms, ${overSpeechDb} dB over speech`,
    ...[tried, missed, read],
  ])
  return table(
    ['condition', 'digits', 'missed by the best single test of 15 ms', 'read where they are known to be'],
    rows,
  )
}

/** One row per policy and feature: of its seeds, the one that looks worst. */
function sideChannels({ sideChannels: all }: LeakFigures): string {
  const worst = new Map<string, LeakFigures['sideChannels'][number]>()
  for (const one of all) {
    const name = `${one.policy} ${one.feature}`
    const other = worst.get(name)
    if (other === undefined || one.chance < other.chance) worst.set(name, one)
  }
  const seeds = new Set(all.map(({ seed }) => seed)).size
  const rows = [...worst.values()].map(({ policy, feature, values, spread, chance, corrected }) => [
    ...[policy, feature, values, spread.toFixed(3)],
    ...[chance.toFixed(4), corrected.toFixed(3)],
  ])
  const head = ['policy', 'feature', 'values seen', 'spread of the keys', `chance, least of ${seeds} seeds`]
  return table([...head, `corrected for ${all.length} tests`], rows)
}

function byCondition({ conditions, judges }: LeakFigures): string {
  const cell = (result: TrialResult | undefined): string =>
    result === undefined ? '' : judges.map((judge) => result.recovered[judge] ?? 0).join(' / ')
  const rows = conditions.map((condition) => {
    const of = (policy: MaskPolicy): TrialResult | undefined => condition[policy]
    const { adaptive } = condition
    return [
      condition.name,
      condition.seed,
      adaptive?.tried ?? 0,
      ...maskPolicies.map((policy) => cell(of(policy))),
      adaptive?.captured ?? 0,
    ]
  })
  const policies = maskPolicies.map((policy) => `${policy}: ${judges.join(' / ')}`)
  return table(['condition', 'seed', 'digits', ...policies, 'captured'], rows)
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
