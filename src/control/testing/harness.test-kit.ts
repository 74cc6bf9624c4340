/** Control as tests run it: a real SQLite file, a real HTTP server on loopback, a scripted CDE, virtual time. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '../../lib/ids.ts'
import { createLog } from '../../lib/log.ts'
import { type RandomBytes, seededRandom } from '../../lib/random.ts'
import { type Control, startControl } from '../control.ts'
import { openStore, type Store } from '../store/open.ts'
import type { Tenants } from '../store/tenants.ts'
import { ScriptedCde } from './scripted-cde.test-kit.ts'
import { VirtualTime } from './virtual-time.test-kit.ts'

export const KEY = 'key-of-the-shop-with-more-than-enough-letters'
export const OTHER_KEY = 'key-of-another-merchant-altogether-and-long'
export const QUERY_LAG_MS = 5_000
export const EVENTS_KEPT_MS = 90 * 24 * 3_600_000
export const ORIGIN = 'https://desk.example'

export const sha256 = (text: string): Uint8Array => createHash('sha256').update(text).digest()

export const tenants: Tenants = {
  merchants: [
    { id: 'shop', name: 'The Shop' },
    { id: 'other', name: 'Another' },
  ],
  numbers: [
    { id: 'sales', merchant: 'shop' },
    { id: 'help', merchant: 'other' },
  ],
  gatewayAccounts: [
    { account: 'sandbox', merchant: 'shop', queryLagMs: QUERY_LAG_MS },
    { account: 'elsewhere', merchant: 'other', queryLagMs: QUERY_LAG_MS },
  ],
  apiKeys: [
    { name: 'desk', merchant: 'shop', secret: sha256(KEY) },
    { name: 'desk', merchant: 'other', secret: sha256(OTHER_KEY) },
  ],
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** The JSON body; tests look into it freely. */
  readonly body: Record<string, never>
  readonly text: string
}

export interface HarnessOptions {
  readonly seed?: number
  /** A store file to start on; without it a fresh one. */
  readonly file?: string
  readonly time?: VirtualTime
  readonly cde?: ScriptedCde
  readonly widgetFile?: string
  /** SHA-256 of the key for the metrics. */
  readonly metricsKey?: Uint8Array
}

export class Harness implements AsyncDisposable {
  readonly folder: string
  readonly file: string
  readonly cde: ScriptedCde
  readonly time: VirtualTime
  readonly random: RandomBytes
  readonly logLines: string[] = []
  leaks = 0
  store!: Store
  control!: Control

  private constructor(options: HarnessOptions) {
    this.folder = mkdtempSync(join(tmpdir(), 'tonewall-control-'))
    this.file = options.file ?? join(this.folder, 'store.db')
    this.cde = options.cde ?? new ScriptedCde()
    this.time = options.time ?? new VirtualTime()
    this.random = seededRandom(options.seed ?? 1)
  }

  static async start(options: HarnessOptions = {}): Promise<Harness> {
    const harness = new Harness(options)
    harness.store = await openStore(harness.file)
    harness.control = await startControl({
      port: harness.cde,
      store: harness.store,
      tenants,
      http: {
        host: '127.0.0.1',
        port: 0,
        allowedOrigins: [ORIGIN],
        ...(options.metricsKey !== undefined && { metricsKey: options.metricsKey }),
      },
      clock: harness.time,
      timers: harness.time,
      random: harness.random,
      log: createLog('control', { write: (line) => harness.logLines.push(line) }, () => {
        harness.leaks++
      }),
      eventsKeptMs: EVENTS_KEPT_MS,
      widgetFile: options.widgetFile ?? join(harness.folder, 'widget.js'),
    })
    return harness
  }

  get url(): string {
    const { host, port } = this.control.address
    return `http://${host}:${port}`
  }

  async call(
    method: string,
    path: string,
    options: { key?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const { key = KEY, body, headers = {} } = options
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(key !== '' && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') === true
    const parsed = (isJson ? JSON.parse(text) : {}) as Record<string, never>
    return { status: response.status, headers: response.headers, body: parsed, text }
  }

  /** A call of the shop, answered. @returns its id */
  async answeredCall(number = 'sales'): Promise<string> {
    const callId = newId(this.random)
    this.cde.report({ type: 'call-started', callId, number, headers: [] })
    this.cde.report({ type: 'call-answered', callId })
    await this.control.settled()
    return callId
  }

  /** An open capture on a new call, every field valid. */
  async readyCapture(callId?: string): Promise<{ callId: string; captureId: string }> {
    const onCall = callId ?? (await this.answeredCall())
    this.cde.answer = (order) => {
      if (order.type === 'capture-start') this.cde.report({ type: 'capture-started', captureId: order.captureId })
    }
    const { body, status } = await this.call('POST', `/v1/calls/${onCall}/captures`, { body: { mode: 'field' } })
    assert.equal(status, 201)
    const { captureId } = body as unknown as { captureId: string }
    const base = { type: 'field', captureId, state: 'valid' } as const
    this.cde.report({ ...base, field: 'cardNumber', count: 16, brand: 'visa', lastFour: '4242' })
    this.cde.report({ ...base, field: 'expiry', count: 4 })
    this.cde.report({ ...base, field: 'securityCode', count: 3 })
    await this.control.settled()
    return { callId: onCall, captureId }
  }

  /** What a crash at this very moment would leave on the disk. @returns the path of the copied store */
  snapshot(): string {
    const copy = join(mkdtempSync(join(this.folder, 'crash-')), 'store.db')
    for (const suffix of ['', '-wal']) {
      if (existsSync(this.file + suffix)) copyFileSync(this.file + suffix, copy + suffix)
    }
    return copy
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.control.close()
    await this.store.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
