/** Puts the product together: the store, control and the card zone. The composition root of the control process. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import type { Config, ConfigProblem } from '../config.ts'
import { CdeProcess } from '../control/cde-process.ts'
import { startControl } from '../control/control.ts'
import { openStore, StoreInUse } from '../control/store/open.ts'
import { systemClock } from '../lib/clock.ts'
import { createLog, type LogSink } from '../lib/log.ts'
import { systemRandom } from '../lib/random.ts'
import type { CdeSettings } from '../wall/settings.ts'
import { cdeCode, programFile, projectRoot } from './layout.ts'

export interface Product {
  /** Base URL of the API. */
  readonly api: string
  close(): Promise<void>
}

/** Starts everything, or nothing. @returns the running product, or what in the configuration made it impossible */
export async function startProduct(config: Config, logSink: LogSink): Promise<Product | { problems: ConfigProblem[] }> {
  const log = createLog('tonewall', logSink)
  mkdirSync(dirname(config.store.file), { recursive: true })
  const store = await openStore(config.store.file).catch((error: unknown) => {
    if (error instanceof StoreInUse) return problemOf(error.code)
    throw error
  })
  if ('problems' in store) return store
  const cde = new CdeProcess({
    node: process.execPath,
    entry: programFile('cde/main'),
    readable: [...cdeCode(), ...config.gateways.map(({ credentialFile }) => credentialFile)],
    settings: cdeSettingsOf(config),
    log,
    onRefused: (refusal) => log.warn({ refusal }, 'a message was refused at the wall'),
  })
  const started = await startControl({
    port: cde,
    store,
    tenants: tenantsOf(config),
    http: { ...config.http, ...metricsKeyOf(config) },
    eventsKeptMs: config.store.eventsKeptDays * 24 * 3_600_000,
    clock: systemClock,
    random: systemRandom,
    log,
    widgetFile: join(projectRoot, 'web', 'dist', 'widget', 'widget.js'),
  }).catch((error: NodeJS.ErrnoException) => problemOf(error.code ?? error.message))
  if ('problems' in started) {
    await store.close()
    return started
  }
  const close = async (): Promise<void> => {
    await cde.stop()
    await started.close()
    await store.close()
  }
  const problem = await cde.start()
  if (problem === undefined) return { api: `http://${urlHost(started.address.host)}:${started.address.port}`, close }
  await close()
  return problemOf(problem)
}

function problemOf(cause: string): { problems: ConfigProblem[] } {
  const known: Readonly<Record<string, ConfigProblem>> = {
    EADDRINUSE: { path: 'http.port', problem: 'is taken by another process', example: '8081' },
    EADDRNOTAVAIL: { path: 'http.host', problem: 'is no address of this machine', example: '"127.0.0.1"' },
    EACCES: { path: 'http.port', problem: 'needs rights that this process does not have', example: '8080' },
    STORE_IN_USE: { path: 'store.file', problem: 'is in use by another Tonewall', example: '"./data/second.sqlite"' },
    'sip-port-taken': { path: 'sip.port', problem: 'is taken by another process', example: '5070' },
    'address-not-local': { path: 'sip.host', problem: 'is no address of this machine', example: '"127.0.0.1"' },
    'media-engine-unavailable': {
      path: 'media.engine',
      problem: 'names an engine that this system does not allow (io_uring is often forbidden in containers)',
      example: '"auto"',
    },
    'kernel-forwarding-unavailable': {
      path: 'media.kernel',
      problem:
        'asks for what this system does not allow (nf_tables, CAP_NET_ADMIN, and media.host an IPv4 address of a network)',
      example: '"auto"',
    },
    'settings-refused': {
      path: '(file)',
      problem: 'has a setting that the card zone does not take, or is too large for it (8 MB)',
    },
    'credential-unreadable': {
      path: 'gateways[].credentialFile',
      problem: 'cannot be read by the card zone; check the file rights',
      example: '"./secrets/main.key"',
    },
  }
  return { problems: [known[cause] ?? { path: '(start)', problem: `the card zone did not start (${cause})` }] }
}

function cdeSettingsOf(config: Config): CdeSettings {
  const policies = new Map(config.merchants.map(({ id, maskPolicy }) => [id, maskPolicy]))
  const { sip, media, trustedPeers, allowClearKeys, passHeaders, replacement, capture } = config
  return {
    sip,
    media,
    // At the wall an empty list means everybody.
    trustedPeers: Array.isArray(trustedPeers) ? trustedPeers : [],
    allowClearKeys,
    passHeaders,
    replacement,
    capture,
    numbers: config.numbers.map(({ id, merchant, called, destination, srtp, nat }) => ({
      id,
      called,
      destination,
      srtp,
      nat,
      maskPolicy: policies.get(merchant) ?? config.maskPolicy,
    })),
    gateways: config.gateways.map(({ account, kind, url, credentialFile, exchangeMs }) => ({
      account,
      kind,
      url,
      credentialFile,
      exchangeMs,
    })),
  }
}

function tenantsOf(config: Config): Parameters<typeof startControl>[0]['tenants'] {
  return {
    merchants: config.merchants,
    numbers: config.numbers.map(({ id, merchant }) => ({ id, merchant })),
    gatewayAccounts: config.gateways.map(({ account, merchant, queryLagMs }) => ({ account, merchant, queryLagMs })),
    apiKeys: config.apiKeys.map(({ name, merchant, keyFile }) => ({
      name,
      merchant,
      secret: hashIn(keyFile),
    })),
  }
}

function metricsKeyOf({ http }: Config): { metricsKey?: Uint8Array } {
  return http.metricsKeyFile === undefined ? {} : { metricsKey: hashIn(http.metricsKeyFile) }
}

function hashIn(keyFile: string): Uint8Array {
  return createHash('sha256').update(readFileSync(keyFile, 'utf8').trim()).digest()
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
