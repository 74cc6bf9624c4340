/** The counters of control. Names and labels are fixed words; nothing of a request, a call or a merchant becomes a label. */
import { Counter, Gauge, Registry } from 'prom-client'
import { controlLimits } from '../lib/limits.ts'
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

  /** Prometheus text exposition. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  get contentType(): string {
    return this.#registry.contentType
  }
}
