/**
 * The counters of control. Names and labels are fixed words; nothing of a request, a call or a merchant becomes a label. Trunks
 * alone have a name and an address, as many as the card zone counts (`callLimits.trunksMax`).
 */
import { Counter, Gauge, Registry } from 'prom-client'
import { controlLimits } from '../lib/limits.ts'
import type { TrunkReport } from '../wall/messages.ts'
import { QualityMetrics } from './quality-metrics.ts'

export class Metrics {
  readonly #registry = new Registry()
  readonly #events: Counter<'type'>
  readonly #ends: Counter<'thing' | 'result' | 'reason'>
  readonly #ignored: Counter<'what' | 'why'>
  readonly #requests: Counter<'route' | 'status'>
  readonly #streams: Gauge
  readonly #streamsCut: Counter
  readonly #cdeUp: Gauge
  readonly #cde: Gauge<'name'>
  readonly quality: QualityMetrics
  readonly #trunkKeys: Gauge<'number' | 'source' | 'outcome'>
  readonly #trunkSlow: Gauge<'number' | 'source'>
  #cdeNames = new Set<string>()

  constructor() {
    const registers = [this.#registry]
    const counter = <T extends string>(name: string, help: string, labelNames: T[]): Counter<T> =>
      new Counter({ name: `tonewall_${name}`, help, labelNames, registers })
    const gauge = <T extends string>(name: string, help: string, labelNames: T[]): Gauge<T> =>
      new Gauge({ name: `tonewall_${name}`, help, labelNames, registers })
    this.#events = counter('events_total', 'Business events written, by type.', ['type'])
    this.#ends = counter('ends_total', 'Ends of calls, captures and attempts, by verdict.', [
      'thing',
      'result',
      'reason',
    ])
    this.#ignored = counter('ignored_total', 'Reports and inputs that changed nothing, by kind.', ['what', 'why'])
    this.#requests = counter('http_requests_total', 'API requests answered, by route and status.', ['route', 'status'])
    this.#streams = gauge('streams', 'Event streams that are open.', [])
    this.#streamsCut = counter('streams_cut_total', 'Event streams cut because the client was too slow.', [])
    this.#cdeUp = gauge('cde_up', '1 while the card zone answers.', [])
    this.#trunkKeys = gauge('trunk_keys', 'Keys of a trunk since the card zone started, by what became of them.', [
      'number',
      'source',
      'outcome',
    ])
    this.#trunkSlow = gauge('trunk_slow', '1 while a trunk is known to send every key twice.', ['number', 'source'])
    this.#cde = gauge('cde_counter', 'Totals of the card zone since it started, by name.', ['name'])
    this.quality = new QualityMetrics(this.#registry)
  }

  eventWritten(type: string): void {
    this.#events.inc({ type })
  }

  ended(thing: 'call' | 'capture' | 'attempt', result: string, reason: string): void {
    this.#ends.inc({ thing, result, reason })
  }

  ignored(what: string, why: string): void {
    this.#ignored.inc({ what, why })
  }

  requestAnswered(route: string, status: number): void {
    this.#requests.inc({ route, status: String(status) })
  }

  streamOpened(): void {
    this.#streams.inc()
  }

  streamClosed(cut: boolean): void {
    this.#streams.dec()
    if (cut) this.#streamsCut.inc()
  }

  cdeUp(up: boolean): void {
    this.#cdeUp.set(up ? 1 : 0)
  }

  /** The CDE's own totals. They start again at zero with every new CDE. */
  cdeCounters(counters: Readonly<Record<string, number>>): void {
    for (const [name, total] of Object.entries(counters)) {
      if (!this.#cdeNames.has(name) && this.#cdeNames.size >= controlLimits.cdeCountersMax) continue
      this.#cdeNames.add(name)
      this.#cde.set({ name }, total)
    }
  }

  /** Each report is the whole truth: what is not in it belongs to a CDE that is gone. */
  trunks(trunks: readonly TrunkReport[]): void {
    this.#trunkKeys.reset()
    this.#trunkSlow.reset()
    for (const { number, source, slow, ...outcomes } of trunks) {
      this.#trunkSlow.set({ number, source }, slow ? 1 : 0)
      for (const [outcome, total] of Object.entries(outcomes)) this.#trunkKeys.set({ number, source, outcome }, total)
    }
  }

  /** Prometheus text exposition. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  get contentType(): string {
    return this.#registry.contentType
  }
}
