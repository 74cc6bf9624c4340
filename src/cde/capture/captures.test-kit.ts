import type { FieldReport, Report } from '../../wall/messages.ts'
import { type CaptureSettings, captureSettings } from '../../wall/settings.ts'
import { Captures } from './captures.ts'

/** Ids of the shape that crosses the wall. */
export const CAPTURE = 'BCDFGHJKLMNPQRSTVW'
export const CALL = 'ZXWVTSRQPNMLKJHGFD'

const KEYS = '0123456789*#ABCD'

/** A Captures with everything it said and every buffer it was given, for tests. */
export class Bench {
  readonly reports: Report[] = []
  /** The very memory in which the digits live. */
  readonly stores: ArrayBuffer[] = []
  readonly captures: Captures
  nowMs = 1_000
  /** How often a wrong field was nothing but pairs. */
  pairsSeen = 0

  constructor(settings: Partial<CaptureSettings> = {}) {
    this.captures = new Captures({
      settings: { ...benchSettings(), ...settings },
      today: () => ({ year: 2026, month: 11 }),
      report: (report) => this.reports.push(report),
      onPairs: () => this.pairsSeen++,
      allocate: (octets) => {
        const store = new ArrayBuffer(octets)
        this.stores.push(store)
        return store
      },
    })
  }

  start(mode: 'field' | 'continuous' = 'field', fields = ['cardNumber', 'expiry', 'securityCode']): void {
    this.captures.start({ captureId: CAPTURE, callId: CALL, fields, mode }, this.nowMs)
  }

  /** The agent requests a field and the caller keys it. */
  enter(field: string, keys: string): void {
    this.captures.request(CAPTURE, field, this.nowMs)
    this.keys(keys)
  }

  keys(keys: string): void {
    for (const key of keys) this.captures.key(CALL, KEYS.indexOf(key), this.nowMs)
  }

  /** Lets time pass up to the next timer and fires it. */
  untilTimer(): void {
    this.nowMs = this.captures.nextWakeAtMs() ?? this.nowMs
    this.captures.wake(this.nowMs)
  }

  /** The last report about a field. */
  last(field: string): FieldReport | undefined {
    return this.reports.findLast((report) => report.type === 'field' && report.field === field) as
      | FieldReport
      | undefined
  }

  /** True when not one octet of any buffer is set: there are no digits left (a lone 0 cannot be told from nothing). */
  wiped(): boolean {
    return this.stores.every((store) => new Uint8Array(store).every((octet) => octet === 0))
  }
}

export function benchSettings(): CaptureSettings {
  return captureSettings.parse({
    fields: [
      { name: 'cardNumber', kind: 'cardNumber' },
      { name: 'expiry', kind: 'expiry' },
      { name: 'securityCode', kind: 'securityCode' },
      { name: 'account', kind: 'number', digitsMin: 6, digitsMax: 8 },
      { name: 'postcode', kind: 'number', digitsMin: 5, digitsMax: 5 },
      { name: 'consent', kind: 'number', digitsMin: 1, digitsMax: 1 },
    ],
  })
}
