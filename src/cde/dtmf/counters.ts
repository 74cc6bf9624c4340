/** What happened to the caller's packets, counted; names are a closed list, values never depend on a key. */
export const counterNames = [
  'dtmf_rtp_refused',
  'dtmf_unknown_type_dropped',
  'dtmf_event_suspected',
  'dtmf_event_refused',
  'dtmf_event_not_a_key',
  'dtmf_event_not_relayed',
  'dtmf_comfort_noise',
  'dtmf_audio_refused',
  'dtmf_audio_late',
  'dtmf_audio_early',
  'dtmf_audio_probation',
  'dtmf_no_agent_codec',
  'dtmf_ticks_skipped',
  'dtmf_mask_failed',
  'dtmf_uncertain',
] as const

export type CounterName = (typeof counterNames)[number]

export class Counters {
  readonly #values = new Map<CounterName, number>(counterNames.map((name) => [name, 0]))

  add(name: CounterName, count = 1): void {
    this.#values.set(name, (this.#values.get(name) ?? 0) + count)
  }

  all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#values)
  }
}
