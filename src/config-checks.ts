/** What one setting says about another, and about files: checked once every setting has its form. */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { Config, ConfigProblem } from './config.ts'

const SECRET_CHARACTERS_MIN = 16

/** All problems between settings; the first list that is not empty hides none of the others. */
export function configChecks(config: Config): ConfigProblem[] {
  return [
    ...crossReferences(config),
    ...openDoors(config),
    ...refusedTransports(config),
    ...refusedClearKeys(config),
    ...missingDtls(config),
    ...unusableSecrets(config),
  ]
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
    ['numbers', 'called', config.numbers.map(({ called }) => withoutSeparators(called))],
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

/** Trunks write one number in many ways; two settings that mean the same must not compete. */
function withoutSeparators(called: string): string {
  return /^\+?[\d().-]+$/.test(called) ? called.replaceAll(/[+().-]/g, '') : called
}

function openDoors({ sip, trustedPeers, capture }: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (trustedPeers === undefined && !isLoopback(sip.host)) {
    problems.push({
      path: 'trustedPeers',
      problem: 'is missing; it must list the carrier and the PBX ("any" opens SIP to everybody)',
      example: '["198.51.100.7", "10.0.0.5"]',
    })
  }
  if (capture.endKey === capture.clearKey) {
    problems.push({ path: 'capture.clearKey', problem: 'must differ from capture.endKey', example: '"*"' })
  }
  return problems
}

/** SIP is spoken over UDP only today; a destination that asks for more must not quietly get less. */
function refusedTransports({ numbers }: Config): ConfigProblem[] {
  return numbers.flatMap(({ destination }, i) => {
    const portText = /:(\d{1,5})(?:;|$)/.exec(destination.replace(/^sips?:/, ''))?.[1]
    const wrongPort = portText !== undefined && (Number(portText) < 1 || Number(portText) > 65_535)
    const asksForMore = destination.startsWith('sips:') || /;transport=(?!udp\b)/i.test(destination)
    if (!wrongPort && !asksForMore) return []
    const problem = wrongPort
      ? 'has a port that is not from 1 to 65535'
      : 'asks for a transport other than UDP, which is all there is yet'
    return [{ path: `numbers[${i}].destination`, problem, example: '"sip:sales@10.0.0.5:5060"' }]
  })
}

/** docs/decisions/2026-11-22-dtls-srtp.md: OpenSSL is called by the addon that the engine `dgram` does without. */
function missingDtls({ numbers, media }: Config): ConfigProblem[] {
  if (media.engine !== 'dgram' || media.kernel !== 'off') return []
  return numbers.flatMap(({ srtp }, i) => {
    if (srtp !== 'dtls') return []
    const problem = 'needs a "media.engine" other than dgram'
    return [{ path: `numbers[${i}].srtp`, problem, example: '"media": {"engine": "auto"}' }]
  })
}

/** SRTP towards a peer that may not have the keys would refuse every call, or quietly be none; names are looked up later. */
function refusedClearKeys({ numbers, allowClearKeys }: Config): ConfigProblem[] {
  return numbers.flatMap(({ destination, srtp }, i) => {
    const host = /^sips?:(?:[^@]*@)?\[?([0-9a-fA-F:.]+?)\]?(?::\d+)?(?:;|$)/.exec(destination)?.[1] ?? ''
    const isAllowed = isIP(host) === 0 || isLoopback(host) || allowClearKeys.includes(host)
    // With DTLS no key is in SIP: a fingerprint may be read by anybody.
    if (srtp === 'off' || srtp === 'dtls' || isAllowed) return []
    return [
      {
        path: `numbers[${i}].srtp`,
        problem: 'sends keys in SIP without TLS; name the destination in "allowClearKeys" if the network is trusted',
        example: `"allowClearKeys": ["10.0.0.5"]`,
      },
    ]
  })
}

function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1'
}

/** A secret that is missing, short, or shared by two merchants. */
function unusableSecrets({ gateways, apiKeys, http }: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const ownerOf = new Map<string, string>()
  for (const [i, { keyFile, merchant }] of apiKeys.entries()) {
    const path = `apiKeys[${i}].keyFile`
    const key = secretIn(keyFile)
    if (key === undefined) problems.push(missingFile(path, '"./secrets/crm.key"'))
    else if (key.length < SECRET_CHARACTERS_MIN) problems.push(shortSecret(path))
    else if ((ownerOf.get(key) ?? merchant) !== merchant) {
      problems.push({ path, problem: 'holds the key of another merchant; each needs its own' })
    }
    if (key !== undefined) ownerOf.set(key, merchant)
  }
  for (const [i, { credentialFile }] of gateways.entries()) {
    const path = `gateways[${i}].credentialFile`
    if (secretIn(credentialFile) === undefined) problems.push(missingFile(path, '"./secrets/main.key"'))
  }
  if (http.metricsKeyFile !== undefined) {
    const path = 'http.metricsKeyFile'
    const key = secretIn(http.metricsKeyFile)
    if (key === undefined) problems.push(missingFile(path, '"./secrets/metrics.key"'))
    else if (key.length < SECRET_CHARACTERS_MIN) problems.push(shortSecret(path))
    else if (ownerOf.has(key)) problems.push({ path, problem: 'holds the key of a merchant; it needs its own' })
  }
  return problems
}

function secretIn(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}

function missingFile(path: string, example: string): ConfigProblem {
  return {
    path,
    problem: 'names a file that does not exist or cannot be read (relative to the configuration file)',
    example,
  }
}

function shortSecret(path: string): ConfigProblem {
  const problem = `holds a key of less than ${SECRET_CHARACTERS_MIN} characters; \`openssl rand -hex 32\` makes a good one`
  return { path, problem }
}
