/**
 * The configuration file, parsed and validated once. A wrong or missing setting is named with its path, the problem and an
 * example; values are not repeated. Paths of files are relative to the configuration file.
 */
import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { configProblems } from './config-problems.ts'
import { captureSettings, type FieldSettings, gatewaySettings, mediaEngine, numberSettings, maskPolicies, replacements } from './wall/settings.ts'

const name = z.string().regex(/^[a-z][a-zA-Z0-9-]{0,39}$/)
const port = z.number().int().min(1).max(65_535)
const ipAddress = z.string().refine((text) => isIP(text) !== 0)
const sipUri = z
  .string()
  .regex(/^sips?:([^@\s<>]{1,64}@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253})(:\d{1,5})?(;[^\s<>]*)?$/)

const schema = z.strictObject({
  http: z.strictObject({
    host: z.string().default('127.0.0.1'),
    port: port.default(8080),
    /** Web origins whose pages may embed the widget and call the API from a browser. */
    allowedOrigins: z.array(z.url()).max(100).default([]),
  }),
  sip: z.strictObject({ host: ipAddress, port: port.default(5060) }),
  media: z
    .strictObject({
      host: ipAddress,
      portMin: port.default(20_000),
      portMax: port.default(29_999),
      jitterMs: z.number().int().min(0).max(200).default(40),
      engine: mediaEngine,
    })
    .refine(({ portMin, portMax }) => portMax - portMin >= 3),
  store: z.strictObject({ file: z.string().min(1).default('./data/tonewall.sqlite') }),
  trustedPeers: z.array(ipAddress).max(256).default([]),
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

export type Config = z.infer<typeof schema>

/** PCI DSS 4.2.1: card data crosses open networks encrypted only; plain HTTP never leaves this machine. */
function isEncryptedOrLocal(text: string): boolean {
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
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
  const parsed = schema.safeParse(json)
  if (!parsed.success) return { problems: configProblems(parsed.error.issues) }
  const config = withAbsolutePaths(parsed.data, baseFolder)
  const problems = [...crossReferences(config), ...refusedClearKeys(config), ...unreadableFiles(config)]
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
    store: { file: resolve(folder, config.store.file) },
    gateways: config.gateways.map((gateway) => ({
      ...gateway,
      credentialFile: resolve(folder, gateway.credentialFile),
    })),
    apiKeys: config.apiKeys.map((key) => ({ ...key, keyFile: resolve(folder, key.keyFile) })),
  }
}

function crossReferences(config: Config): ConfigProblem[] {
  const merchants = new Set(config.merchants.map(({ id }) => id))
  const problems: ConfigProblem[] = []
  const owned = { numbers: config.numbers, gateways: config.gateways, apiKeys: config.apiKeys }
  for (const [list, entries] of Object.entries(owned)) {
    for (const [i, { merchant }] of entries.entries()) {
      if (!merchants.has(merchant)) {
        problems.push({
          path: `${list}[${i}].merchant`,
          problem: 'is no id of "merchants"',
          example: `"${[...merchants][0]}"`,
        })
      }
    }
  }
  const keys: [string, string, readonly string[]][] = [
    ['merchants', 'id', config.merchants.map(({ id }) => id)],
    ['numbers', 'id', config.numbers.map(({ id }) => id)],
    ['numbers', 'called', config.numbers.map(({ called }) => called)],
    ['gateways', 'account', config.gateways.map(({ account }) => account)],
    ['apiKeys', 'name', config.apiKeys.map((key) => key.name)],
    ['capture.fields', 'name', config.capture.fields.map((field) => field.name)],
  ]
  for (const [list, property, values] of keys) {
    for (const [i, value] of values.entries()) {
      if (values.indexOf(value) !== i)
        problems.push({ path: `${list}[${i}].${property}`, problem: 'is used twice; each must be unique' })
    }
  }
  return problems
}

/** SRTP towards a peer that may not have the keys would refuse every call, or quietly be none; names are looked up later. */
function refusedClearKeys({ numbers, allowClearKeys }: Config): ConfigProblem[] {
  return numbers.flatMap(({ destination, srtp }, i) => {
    const host = /^sips?:(?:[^@]*@)?\[?([0-9a-fA-F:.]+?)\]?(?::\d+)?(?:;|$)/.exec(destination)?.[1] ?? ''
    const isAllowed = isIP(host) === 0 || host.startsWith('127.') || host === '::1' || allowClearKeys.includes(host)
    if (srtp === 'off' || isAllowed) return []
    return [
      {
        path: `numbers[${i}].srtp`,
        problem: 'sends keys in SIP without TLS; name the destination in "allowClearKeys" if the network is trusted',
        example: `"allowClearKeys": ["10.0.0.5"]`,
      },
    ]
  })
}

function unreadableFiles(config: Config): ConfigProblem[] {
  const files: [string, string][] = [
    ...config.gateways.map(({ credentialFile }, i): [string, string] => [
      `gateways[${i}].credentialFile`,
      credentialFile,
    ]),
    ...config.apiKeys.map(({ keyFile }, i): [string, string] => [`apiKeys[${i}].keyFile`, keyFile]),
  ]
  return files
    .filter(([, file]) => !existsSync(file))
    .map(([path]) => ({
      path,
      problem: 'names a file that does not exist (relative to the configuration file)',
      example: '"./secrets/sandbox.key"',
    }))
}
