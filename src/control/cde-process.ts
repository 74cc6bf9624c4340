/**
 * Spawns the card zone and keeps it alive. The CDE gets a clean environment, no inspector, no core dumps, and rights to read
 * its code and the gateways' credential files only. If it dies, control is told at once and a new one is started.
 *
 *   starting ──`ready`──► configuring ──`configured`──► up ──exit──► waiting ──back-off──► starting
 *       └── exit or `configure-failed` ──► waiting (first start: the start fails with the reason)
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { cdeProcessLimits, wallLimits } from '../lib/limits.ts'
import type { Log } from '../lib/log.ts'
import { type Order, order, type Report, report } from '../wall/messages.ts'
import type { CdePort } from '../wall/port.ts'
import type { CdeSettings } from '../wall/settings.ts'
import { openWall, type WallEnd } from '../wall/transport-socket.ts'

export interface CdeProcessOptions {
  readonly node: string
  /** Path of the CDE's composition root. */
  readonly entry: string
  /** Folders and files that the CDE may read. */
  readonly readable: readonly string[]
  readonly settings: CdeSettings
  readonly log: Log
  /** A CDE that says nothing for so long is taken for hanging; above the 5 s between its counters. */
  readonly silenceMs?: number
  /** A message was refused at the wall; only its kind is known. */
  onRefused(refusal: string): void
}

export class CdeProcess implements CdePort {
  readonly #options: CdeProcessOptions
  readonly #reportListeners: ((report: Report) => void)[] = []
  readonly #upListeners: (() => void)[] = []
  readonly #downListeners: (() => void)[] = []
  #child: ChildProcess | undefined
  #wall: WallEnd<Order> | undefined
  #restartTimer: NodeJS.Timeout | undefined
  #silenceTimer: NodeJS.Timeout | undefined
  #restartDelayMs: number = cdeProcessLimits.restartDelayMsMin
  #stopping = false
  /** Messages that were refused at this end, either way, since the start. */
  #refused = 0
  #refusals: Readonly<Record<string, number>> = {}
  #settleStart: ((problem: string | undefined) => void) | undefined
  up = false

  constructor(options: CdeProcessOptions) {
    this.#options = options
  }

  /** Starts the CDE. @returns undefined when it is up, or why it could not start; later deaths lead to restarts */
  async start(): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    this.#settleStart = resolve
    this.#spawn()
    const problem = await promise
    this.#settleStart = undefined
    if (problem !== undefined) await this.stop()
    return problem
  }

  send(message: Order): boolean {
    return this.up && this.#wall !== undefined && this.#wall.send(message)
  }

  onReport(listener: (report: Report) => void): void {
    this.#reportListeners.push(listener)
  }

  onUp(listener: () => void): void {
    this.#upListeners.push(listener)
  }

  onDown(listener: () => void): void {
    this.#downListeners.push(listener)
  }

  /** Asks the CDE to end its calls and go; kills it if it does not. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#restartTimer)
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((resolve) => child.once('exit', resolve))
    const killTimer = setTimeout(() => child.kill('SIGKILL'), cdeProcessLimits.stopMs)
    if (!this.#wall?.send({ type: 'stop' })) child.kill('SIGKILL')
    await exited
    clearTimeout(killTimer)
  }

  #spawn(): void {
    const { node, entry, readable, settings } = this.#options
    // docs/decisions/2026-11-22-relay-on-libc.md: only the engines that call libc need the addon that does it. Node warns of it.
    const { engine, kernel } = settings.media
    const addons = engine === 'dgram' && kernel === 'off' ? [] : ['--allow-addons', '--disable-warning=PERM0001']
    const flags = [
      '--disable-sigusr1',
      '--permission',
      // docs/decisions/2026-11-22-media-threads.md. Node warns of it.
      '--allow-worker',
      '--disable-warning=PERM0006',
      ...addons,
      ...readable.map((path) => `--allow-fs-read=${path}`),
    ]
    // The shell is only there for the limit: Node cannot set RLIMIT_CORE itself. Nothing of the environment is handed on.
    const child = spawn('/bin/sh', ['-c', 'ulimit -c 0 && exec "$0" "$@"', node, ...flags, entry], {
      env: {},
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    })
    this.#child = child
    // Node gives a duplex Unix socket for an extra `pipe`; the other end is file descriptor 3 of the child.
    const wall = openWall<Report, Order>(child.stdio[3] as Socket, {
      incoming: report,
      outgoing: order,
      outgoingOctetsMax: wallLimits.orderOctetsMax,
      onMessage: (message) => {
        this.#watch(child)
        this.#reported(message, wall)
      },
      onRefused: (refusal) => {
        this.#refused++
        this.#options.onRefused(refusal)
      },
      onClosed: () => {},
    })
    this.#wall = wall
    this.#watch(child)
    child.once('exit', () => this.#exited(wall))
    child.once('error', () => this.#exited(wall))
  }

  #reported(message: Report, wall: WallEnd<Order>): void {
    if (message.type === 'ready') this.#configure(wall)
    else if (message.type === 'configure-failed') this.#settleStart?.(message.problem)
    else if (message.type === 'configured') this.#isUp(message)
    const told = message.type === 'counters' ? this.#withOwnCount(message) : message
    for (const listener of this.#reportListeners) listener(told)
  }

  #configure(wall: WallEnd<Order>): void {
    if (wall.send({ type: 'configure', settings: this.#options.settings })) return
    this.#settleStart?.('settings-refused')
  }

  /** It reports counters every few seconds: one that is silent for long hangs, and a hanging one is as good as dead. */
  #watch(child: ChildProcess): void {
    const silentMs = this.#options.silenceMs ?? cdeProcessLimits.silenceMs
    clearTimeout(this.#silenceTimer)
    this.#silenceTimer = setTimeout(() => {
      this.#options.log.error({ silentMs }, 'card zone does not answer; it is killed')
      child.kill('SIGKILL')
    }, silentMs)
  }

  /** Both ends of the wall count what they refuse; the metrics show both. */
  #withOwnCount(message: Extract<Report, { type: 'counters' }>): Report {
    this.#tellRefusals(message.counters)
    return { ...message, counters: { ...message.counters, wall_refused_by_control: this.#refused } }
  }

  /** The first trouble of every new installation: calls that are refused. Counts only, at most one line per report. */
  #tellRefusals(counters: Readonly<Record<string, number>>): void {
    const names = Object.keys(counters).filter((name) =>
      /^(call_refused_|sip_source_refused|sip_dialog_source_refused|sip_calls_limited|sip_transactions_full)/.test(
        name,
      ),
    )
    const risen = names.filter((name) => (counters[name] ?? 0) > (this.#refusals[name] ?? 0))
    if (risen.length === 0) return
    const since = Object.fromEntries(risen.map((name) => [name, (counters[name] ?? 0) - (this.#refusals[name] ?? 0)]))
    this.#refusals = { ...counters }
    this.#options.log.warn(
      since,
      'SIP was refused: no_route is a number that is not in numbers, source one not in trustedPeers',
    )
  }

  #isUp({ mediaEngine, kernelForwarding }: Extract<Report, { type: 'configured' }>): void {
    this.up = true
    this.#refusals = {}
    this.#restartDelayMs = cdeProcessLimits.restartDelayMsMin
    this.#options.log.info({ mediaEngine, kernelForwarding }, 'card zone is up')
    for (const listener of this.#upListeners) listener()
    this.#settleStart?.(undefined)
  }

  #exited(wall: WallEnd<Order>): void {
    if (this.#wall !== wall) return
    this.#wall = undefined
    clearTimeout(this.#silenceTimer)
    wall.close()
    const wasUp = this.up
    this.up = false
    if (wasUp) for (const listener of this.#downListeners) listener()
    this.#settleStart?.('the card zone ended before it was ready')
    if (this.#stopping) return
    this.#options.log.error(
      { restartInMs: this.#restartDelayMs },
      'card zone died; live captures are lost; restarting it',
    )
    this.#restartTimer = setTimeout(() => this.#spawn(), this.#restartDelayMs)
    this.#restartDelayMs = Math.min(this.#restartDelayMs * 2, cdeProcessLimits.restartDelayMsMax)
  }
}
