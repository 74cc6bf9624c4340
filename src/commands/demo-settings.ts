/** Settings of a Tonewall with simulators around it: everything on loopback, keys made on the spot, ports that are free. */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { SimulatorSettingsInput } from '../sim/settings.ts'
import { projectRoot } from './layout.ts'

const HOST = '127.0.0.1'
export const DEMO_NUMBER = '+441632960001' // 01632 960xxx is kept free for drama and examples by the UK regulator.

export interface DemoSettings {
  /** For parseConfig, or written to a file for `tonewall start --config`. */
  readonly config: unknown
  readonly simulators: SimulatorSettingsInput
}

/** @param folder where keys and the database go; made if absent */
export async function demoSettings(folder: string, pagePort: number): Promise<DemoSettings> {
  mkdirSync(folder, { recursive: true })
  const deskKey = keyFile(folder, 'desk.key')
  const gatewayKey = keyFile(folder, 'sandbox.key')
  const page = await freeTcpPort(pagePort)
  const api = await freeTcpPort(page + 1)
  const gateway = await freeTcpPort(api + 1)
  const sip = await freeUdpPort(15_060)
  const agent = await freeUdpPort(sip + 10)
  const config = {
    http: { host: HOST, port: api, allowedOrigins: [`http://${HOST}:${page}`, `http://localhost:${page}`] },
    sip: { host: HOST, port: sip },
    media: { host: HOST, portMin: 21_000, portMax: 21_999 },
    store: { file: join(folder, 'simulated.sqlite') },
    merchants: [{ id: 'demo', name: 'Demo merchant' }],
    numbers: [{ id: 'demo-line', merchant: 'demo', called: DEMO_NUMBER, destination: `sip:agent@${HOST}:${agent}` }],
    gateways: [
      {
        account: 'sandbox',
        merchant: 'demo',
        kind: 'sandbox',
        url: `http://${HOST}:${gateway}`,
        credentialFile: gatewayKey,
      },
    ],
    apiKeys: [{ name: 'desk', merchant: 'demo', keyFile: deskKey }],
  }
  const simulators: SimulatorSettingsInput = {
    tonewall: { host: HOST, sipPort: sip },
    calledNumber: DEMO_NUMBER,
    agentSip: { host: HOST, port: agent },
    http: { host: HOST, port: page },
    control: { api: `http://${HOST}:${api}`, apiKeyFile: deskKey },
    gateway: { host: HOST, port: gateway, keyFile: gatewayKey },
    assets: join(projectRoot, 'assets'),
    webRoot: join(projectRoot, 'web', 'dist', 'demo'),
  }
  return { config, simulators }
}

/** A secret of this installation: made once, readable by its owner only. */
function keyFile(folder: string, name: string): string {
  const file = join(folder, name)
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
  return file
}

const PORT_TRIES = 50

async function freeTcpPort(from: number): Promise<number> {
  return firstFree(from, (port) => {
    const server = createServer()
    return new Promise((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, HOST, () => server.close(() => resolve(true)))
    })
  })
}

async function freeUdpPort(from: number): Promise<number> {
  return firstFree(from, (port) => {
    const socket = createSocket('udp4')
    return new Promise((resolve) => {
      socket.once('error', () => {
        socket.close()
        resolve(false)
      })
      socket.bind(port, HOST, () => socket.close(() => resolve(true)))
    })
  })
}

async function firstFree(from: number, isFree: (port: number) => Promise<boolean>): Promise<number> {
  for (let port = from; port < from + PORT_TRIES; port++) if (await isFree(port)) return port
  throw new Error(`no free port from ${from} to ${from + PORT_TRIES - 1}`)
}
