/**
 * The configuration file, parsed and validated once. A wrong or missing setting is named with its path, the problem and an
 * example; values are not repeated. Paths of files are relative to the configuration file.
 */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { configChecks } from './config-checks.ts'
import { configProblems } from './config-problems.ts'
import { ipNetwork } from './lib/ip-network.ts'
import {
  captureSettings,
  type FieldSettings,
  gatewaySettings,
  mediaCodecs,
  kernelForwarding,
  mediaEngine,
  mediaThreads,
  numberSettings,
  maskPolicies,
  replacements,
} from './wall/settings.ts'

const name = z.string().regex(/^[a-z][a-zA-Z0-9-]{0,39}$/)
const port = z.number().int().min(1).max(65_535)
const ipAddress = z.string().refine((text) => isIP(text) !== 0)
const ipAddressOrNetwork = z
  .string()
  .max(64)
  .refine((text) => ipNetwork(text) !== undefined)
/** An address that we bind and tell others: 0.0.0.0 and :: would end up in SDP, where they mean hold. */
const ownAddress = ipAddress.refine((text) => text !== '0.0.0.0' && !/^[0:]*$/.test(text))
const sipUri = z
  .string()
  .max(512)
  .regex(/^sips?:([^@\s<>]{1,64}@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253})(:\d{1,5})?(;[^\s<>]*)?$/)

export const configSchema = z.strictObject({
  http: z.strictObject({
    host: z.string().default('127.0.0.1'),
    port: port.default(8080),
    /** Web origins whose pages may embed the widget and call the API from a browser. */
    allowedOrigins: z
      .array(z.url({ protocol: /^https?$/ }).refine(isOrigin))
      .max(100)
      .default([]),
    /** A file with the key that reads `/metrics`. Without it, only programs of this machine do. */
    metricsKeyFile: z.string().min(1).optional(),
  }),
  sip: z.strictObject({ host: ownAddress, port: port.default(5060) }),
  media: z
    .strictObject({
      host: ownAddress,
      portMin: port.default(20_000),
      portMax: port.default(29_999),
      jitterMs: z.number().int().min(0).max(200).default(40),
      engine: mediaEngine,
      threads: mediaThreads,
      kernel: kernelForwarding,
      codecs: mediaCodecs,
    })
    .refine(({ portMin, portMax }) => portMax - portMin >= 3),
  store: z.strictObject({
    file: z.string().min(1).default('./data/tonewall.sqlite'),
    /** Events older than this are deleted; calls, captures and payments are not. */
    eventsKeptDays: z.number().int().min(1).max(3_650).default(90),
  }),
  /** Who may send SIP. Missing only on loopback; `any` opens it to everybody. */
  trustedPeers: z.union([z.literal('any'), z.array(ipAddressOrNetwork).min(1).max(256)]).optional(),
  /** Peers to and from which SRTP keys may travel in SIP without TLS, because the network between is trusted. */
  allowClearKeys: z.array(ipAddress).max(256).default([]),
  merchants: z
    .array(z.strictObject({ id: name, name: z.string().min(1).max(100), maskPolicy: z.enum(maskPolicies).optional() }))
    .min(1)
    .max(10_000),
  numbers: z
    .array(numberSettings.omit({ maskPolicy: true }).extend({ merchant: name, destination: sipUri }))
    .min(1)
    .max(10_000),
  gateways: z
    .array(
      gatewaySettings.extend({
        merchant: name,
        url: z.url({ protocol: /^https?$/ }).refine(isEncryptedOrLocal),
        /** How long after a charge the gateway's query may still miss it. */
        queryLagMs: z.number().int().min(0).max(3_600_000).default(2_000),
      }),
    )
    .min(1)
    .max(256),
  apiKeys: z
    .array(z.strictObject({ name, merchant: name, keyFile: z.string().min(1) }))
    .min(1)
    .max(1_000),
  passHeaders: z
    .array(z.string().regex(/^(X-[A-Za-z0-9-]{1,60}|User-to-User)$/i))
    .max(32)
    .default(['User-to-User']),
  replacement: z.enum(replacements).default('flat'),
  /** For merchants that have none of their own. */
  maskPolicy: z.enum(maskPolicies).default('burst'),
  capture: captureSettings.extend({ fields: captureSettings.shape.fields.default(() => defaultFields()) }).prefault({}),
})

export type Config = z.infer<typeof configSchema>

/** PCI DSS 4.2.1: card data crosses open networks encrypted only; plain HTTP never leaves this machine. */
function isEncryptedOrLocal(text: string): boolean {
  const { protocol, hostname, search, hash } = new URL(text)
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  return (protocol === 'https:' || isLocal) && search === '' && hash === ''
}

/** Browsers send an origin without path or slash at its end; anything else would never match. */
function isOrigin(text: string): boolean {
  return new URL(text).origin === text
}

/** A line for the operator: where in the file, what is wrong, how it may look. */
export interface ConfigProblem {
  readonly path: string
  readonly problem: string
  readonly example?: string
}

/** Reads and checks a configuration file. @returns the settings with absolute file paths, or every problem found */
export function loadConfig(file: string): { config: Config } | { problems: readonly ConfigProblem[] } {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return { problems: [{ path: '(file)', problem: 'cannot be read; give its path with --config' }] }
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { problems: [{ path: '(file)', problem: 'is not JSON; see examples/tonewall.json' }] }
  }
  return parseConfig(json, dirname(resolve(file)))
}

/** Checks a parsed configuration. @param baseFolder what relative file names in it are relative to */
export function parseConfig(
  json: unknown,
  baseFolder: string,
): { config: Config } | { problems: readonly ConfigProblem[] } {
  const parsed = configSchema.safeParse(json)
  if (!parsed.success) return { problems: configProblems(parsed.error.issues) }
  const config = withAbsolutePaths(parsed.data, baseFolder)
  const problems = configChecks(config)
  return problems.length > 0 ? { problems } : { config }
}

function defaultFields(): FieldSettings[] {
  return [
    { name: 'cardNumber', kind: 'cardNumber', digitsMin: 1, digitsMax: 19 },
    { name: 'expiry', kind: 'expiry', digitsMin: 1, digitsMax: 19 },
    { name: 'securityCode', kind: 'securityCode', digitsMin: 1, digitsMax: 19 },
  ]
}

function withAbsolutePaths(config: Config, folder: string): Config {
  return {
    ...config,
    http: {
      ...config.http,
      ...(config.http.metricsKeyFile !== undefined && {
        metricsKeyFile: resolve(folder, config.http.metricsKeyFile),
      }),
    },
    store: { ...config.store, file: resolve(folder, config.store.file) },
    gateways: config.gateways.map((gateway) => ({
      ...gateway,
      credentialFile: resolve(folder, gateway.credentialFile),
    })),
    apiKeys: config.apiKeys.map((key) => ({ ...key, keyFile: resolve(folder, key.keyFile) })),
  }
}
