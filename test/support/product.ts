/**
 * The real product in its own processes: `main.ts start` with a configuration of its own, the sandbox gateway beside it, and its API.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type SandboxGateway, startSandboxGateway } from '../../src/sim/gateway/server.ts'
import { eventually } from './eventually.ts'
import { freePorts } from './free-ports.ts'
import { childrenOf } from './proc.ts'
import { startProgram } from './processes.ts'
import type { TemporaryFolder } from './temp-folder.ts'

export const CALLED_NUMBER = '+442071234567'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const FROM_SOURCES = [process.execPath, '--disable-sigusr1', MAIN] as const
const READY_MS_MAX = 30_000
const MEDIA_PORTS = 40
/** How many consecutive free ports a product and its gateway take; see portsFrom. */
const PORTS_NEEDED = 4 + MEDIA_PORTS
// Secrets of this test run, not of anybody.
const API_KEY = 'test-desk-key-BCDFGHJKLMNPQRST'
const GATEWAY_KEY = 'test-gateway-key-BCDFGHJKLMNP'

export interface Product extends AsyncDisposable {
  readonly sipPort: number
  readonly address: string
  readonly gateway: SandboxGateway
  /** Where it keeps its store; nothing else is written there. */
  readonly dataFolder: string
  readonly controlPid: number
  /** The card zone's process now; it changes when control has restarted it. */
  cdePid(): Promise<number>
  /** All it has printed and logged. */
  output(): string
  /** @returns the answer's body; rejects unless the status is one of success */
  get(path: string): Promise<unknown>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<unknown>
}

export interface ProductOptions {
  readonly folder: TemporaryFolder
  /** Where calls to CALLED_NUMBER go, for instance `sip:agent@127.0.0.1:5062`. */
  readonly destination: string
  readonly lifeMs: number
  /** Towards the destination; `off` by default. */
  readonly srtp?: 'off' | 'offered' | 'required' | 'dtls'
  /** What may be negotiated; the product's default when missing. */
  readonly codecs?: readonly string[]
  /** How long the gateway's slow card takes. */
  readonly slowMs?: number
  /** The command that is started in place of this clone's sources. */
  readonly command?: string
  readonly engine?: 'uring' | 'epoll' | 'dgram'
  /** Where SIP and media are; IPv4's loopback by default. */
  readonly host?: '127.0.0.1' | '::1'
}

export async function startProduct(options: ProductOptions): Promise<Product> {
  const { folder } = options
  const dataFolder = folder.file('data')
  await mkdir(dataFolder)
  const ports = portsFrom(await freePorts(PORTS_NEEDED))
  const { httpPort, sipPort, gatewayPort } = ports
  const gateway = await startSandboxGateway({
    host: '127.0.0.1',
    port: gatewayPort,
    key: GATEWAY_KEY,
    ...(options.slowMs === undefined ? {} : { slowMs: options.slowMs }),
  })
  const config = await writeConfiguration(options, ports)
  const [command, ...args] = options.command === undefined ? FROM_SOURCES : [options.command]
  const program = startProgram(command, [...args, 'start', '--config', config], {
    cwd: folder.path,
    lifeMs: options.lifeMs,
    env: { PATH: process.env['PATH'] },
  })
  const address = `http://127.0.0.1:${httpPort}`
  const dispose = async (): Promise<void> => {
    await program[Symbol.asyncDispose]()
    await gateway.close()
  }
  try {
    await program.waitFor(new RegExp(`${address}\\b`), READY_MS_MAX)
  } catch (error) {
    await dispose()
    throw error
  }
  const request = async (path: string, init: RequestInit, headers: Record<string, string>): Promise<unknown> => {
    const authorization = `Bearer ${API_KEY}`
    const response = await fetch(address + path, { ...init, headers: { authorization, ...headers } })
    const body = await response.text()
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${body}`)
    return JSON.parse(body)
  }
  return {
    sipPort,
    address,
    gateway,
    dataFolder,
    controlPid: program.pid,
    cdePid: () => eventually('a card zone', 10_000, async () => (await childrenOf(program.pid)).at(-1)),
    output: () => program.output(),
    get: (path) => request(path, {}, {}),
    post: (path, body, headers = {}) =>
      request(path, { method: 'POST', body: JSON.stringify(body) }, { 'content-type': 'application/json', ...headers }),
    [Symbol.asyncDispose]: dispose,
  }
}

interface Ports {
  readonly httpPort: number
  readonly sipPort: number
  readonly gatewayPort: number
  readonly mediaPort: number
}

function portsFrom(first: number): Ports {
  return { httpPort: first, sipPort: first + 1, gatewayPort: first + 2, mediaPort: first + 4 }
}

/** Writes `tonewall.json` and the keys that it names. @returns the path of the configuration */
async function writeConfiguration(
  { folder, destination, srtp, codecs, engine, host: phoneHost = '127.0.0.1' }: ProductOptions,
  ports: Ports,
): Promise<string> {
  const host = '127.0.0.1'
  const config = {
    http: { host, port: ports.httpPort, allowedOrigins: [] },
    sip: { host: phoneHost, port: ports.sipPort },
    media: {
      host: phoneHost,
      portMin: ports.mediaPort,
      portMax: ports.mediaPort + MEDIA_PORTS - 1,
      ...(codecs && { codecs }),
      ...(engine && { engine }),
    },
    store: { file: 'data/tonewall.sqlite' },
    merchants: [{ id: 'acme', name: 'Acme' }],
    numbers: [{ id: 'sales', merchant: 'acme', called: CALLED_NUMBER, destination, srtp: srtp ?? 'off' }],
    gateways: [
      {
        account: 'sandbox',
        merchant: 'acme',
        kind: 'sandbox',
        url: `http://${host}:${ports.gatewayPort}`,
        credentialFile: 'gateway.key',
      },
    ],
    apiKeys: [{ name: 'desk', merchant: 'acme', keyFile: 'desk.key' }],
  }
  await writeFile(folder.file('gateway.key'), `${GATEWAY_KEY}\n`, { mode: 0o600 })
  await writeFile(folder.file('desk.key'), `${API_KEY}\n`, { mode: 0o600 })
  await writeFile(folder.file('tonewall.json'), JSON.stringify(config, undefined, 2))
  return folder.file('tonewall.json')
}
