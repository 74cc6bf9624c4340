/**
 * The card zone's wiring: where calls (SIP, media, masking) and captures (digits, gateways) meet. Orders of control come in,
 * reports go out; a digit passes from a call to its capture as a bare argument and from a capture to a gateway as `CardData`.
 */
import { readFileSync } from 'node:fs'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import { Alarm } from '../lib/alarm.ts'
import { Arming, type CaptureStart } from './arming.ts'
import type { Clock } from '../lib/clock.ts'
import { ipNetwork, isInNetworks } from '../lib/ip-network.ts'
import type { RandomBytes } from '../lib/random.ts'
import { type Order, type Report, wrapTotals } from '../wall/messages.ts'
import type { CdeSettings } from '../wall/settings.ts'
import { Calls } from './call/calls.ts'
import { hostAndPort } from './call/target.ts'
import { Captures } from './capture/captures.ts'
import { oldestMonthOnEarth } from './capture/month.ts'
import { DroppedKeys } from './capture/dropped-keys.ts'
import { GatewayDesk } from './gateways/gateway-desk.ts'
import { makeIdentity } from './media/dtls/certificate.ts'
import { openUdpTransport, type SipTransport } from './sip/transport-udp.ts'
import { dropStartRights } from './start-rights.ts'
import { MediaThreads } from './threads/media-threads.ts'
import { UserAgent } from './sip/user-agent.ts'

export interface CardZoneOptions {
  readonly clock: Clock
  readonly random: RandomBytes
  report(report: Report): void
  /** How many messages of control were refused at the wall. */
  refusedMessages(): number
  /** The media of live calls are gone: nothing is left to do but to end. */
  onMediaLost(): void
}

/** All that exists once the settings are known. */
interface Running {
  readonly calls: Calls
  readonly captures: Captures
  readonly gateways: GatewayDesk
  readonly media: MediaThreads
  readonly mediaEngine: 'uring' | 'epoll' | 'dgram'
  readonly transport: SipTransport
  readonly userAgent: UserAgent
  readonly alarm: Alarm
}

type ConfigureProblem = Extract<Report, { type: 'configure-failed' }>['problem']

const COUNTERS_EVERY_MS = 5_000

export class CardZone {
  readonly #options: CardZoneOptions
  /** The call of each open capture, for arming and disarming. */
  readonly #callOfCapture = new Map<string, string>()
  /** Of each open capture, the fields whose keys the caller was asked for. */
  readonly #openFields = new Map<string, Set<string>>()
  readonly #droppedKeys: DroppedKeys
  readonly #arming = new Arming()
  #running: Running | undefined
  #configuring = false
  #countersAtMs = 0

  constructor(options: CardZoneOptions) {
    this.#options = options
    this.#droppedKeys = new DroppedKeys((callId, count) => options.report({ type: 'keys-dropped', callId, count }))
  }

  /** Carries out an order of control. Whatever goes wrong is a report, never an exception. */
  execute(order: Order): void {
    if (order.type === 'configure') return void this.#configure(order.settings)
    const running = this.#running
    if (running === undefined) return
    if (this.#arming.holds(order)) return
    const nowMs = this.#options.clock.monotonicMs()
    switch (order.type) {
      case 'capture-start':
        this.#startCapture(running, order)
        break
      case 'field-request':
        running.captures.request(order.captureId, order.field, nowMs)
        break
      case 'field-reset':
        running.captures.reset(order.captureId, order.field, nowMs)
        break
      case 'capture-cancel':
        running.captures.cancel(order.captureId, nowMs)
        break
      case 'submit':
        void this.#submit(running, order)
        break
      case 'query':
        void this.#query(running, order)
        break
      case 'reverse':
        void this.#reverse(running, order)
        break
      case 'hang-up':
        running.calls.hangUp(order.callId, { result: 'success', reason: 'hung-up-by-order' })
        break
      case 'stop':
        break
    }
    running.alarm.reschedule()
  }

  /** Ends all calls, wipes all captures and gives every socket back. */
  async close(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    if (running === undefined) return
    running.calls.hangUpAll({ result: 'server', reason: 'lost' })
    running.alarm.stop()
    await running.media.stop()
    await running.transport.close()
  }

  async #configure(settings: CdeSettings): Promise<void> {
    if (this.#configuring) return this.#options.report({ type: 'configure-failed', problem: 'already-configured' })
    this.#configuring = true
    const result = await this.#start(settings)
    if (typeof result === 'string') return this.#options.report({ type: 'configure-failed', problem: result })
    this.#running = result
    result.alarm.reschedule()
    const { transport, media, mediaEngine } = result
    const kernelForwarding = media.isForwardingInKernel
    this.#options.report({ type: 'configured', sipPort: transport.local.port, mediaEngine, kernelForwarding })
  }

  async #start(settings: CdeSettings): Promise<Running | ConfigureProblem> {
    const { clock, random, report } = this.#options
    const nowMs = () => clock.monotonicMs()
    const gateways = GatewayDesk.open(settings.gateways, (file) => readFileSync(file))
    if (gateways === 'credential-unreadable') return gateways
    const captures = new Captures({
      settings: settings.capture,
      today: () => oldestMonthOnEarth(clock.wallMs()),
      report: (message) => this.#captureReport(message),
      onPairs: (callId) => this.#running?.calls.pairsSeen(callId),
    })
    const resolved = await resolveHosts(settings)
    const trusted = [...settings.trustedPeers, ...resolved.values()].flatMap((text) => ipNetwork(text) ?? [])
    const userAgent = new UserAgent({
      local: settings.sip,
      userAgent: 'Tonewall',
      random,
      allowSource: ({ host }) => settings.trustedPeers.length === 0 || isInNetworks(host, trusted),
    })
    const { engine, kernel, threads, host, portMin, portMax, jitterMs } = settings.media
    // As the process was started (control/cde-process.ts).
    const mayLoadAddons = engine !== 'dgram' || kernel !== 'off'
    const media = new MediaThreads({
      settings: { engine, kernel, host, portMin, portMax, jitterMs, replacement: settings.replacement },
      identity: mayLoadAddons ? makeIdentity(random, clock.wallMs()) : undefined,
      threads: threads === 0 ? Math.max(1, availableParallelism() - 1) : threads,
      codecs: [...settings.media.codecs, 'CN', 'telephone-event'],
      nowMs,
      random,
      onLost: () => this.#options.onMediaLost(),
    })
    const mediaEngine = await media.start()
    dropStartRights()
    if (mediaEngine === 'media-engine-unavailable' || mediaEngine === 'kernel-forwarding-unavailable')
      return mediaEngine
    const calls = new Calls({
      settings,
      userAgent,
      clock,
      random,
      resolved,
      openMedia: (listener, wishes) => media.open(listener, wishes),
      report: (message) => this.#callReport(captures, message, report),
      onKey: (callId, key) => captures.key(callId, key, nowMs()),
      onUncertain: (callId, doubt) => captures.doubt(callId, doubt, nowMs()),
      onDoubled: (callId, places) => captures.doubled(callId, places, nowMs()),
      onMaskFailed: (callId) => captures.maskFailed(callId, nowMs()),
      onArmed: (callId) => this.#armed(callId),
      onSecured: (callId) => this.#secured(captures.openCaptureOf(callId)),
    })
    const transport = await openTransport(userAgent, settings, clock, (event) => calls.legEvent(event))
    if (typeof transport === 'string') return transport
    calls.useTransport(transport)
    const parts = { calls, captures, gateways, media, mediaEngine, transport, userAgent }
    const alarm = new Alarm(
      clock,
      () => this.#nextWakeAtMs(parts),
      (atMs) => this.#wake(parts, atMs),
    )
    calls.onChange = () => alarm.reschedule()
    this.#countersAtMs = nowMs() + COUNTERS_EVERY_MS
    return { ...parts, alarm }
  }

  #wake(parts: Omit<Running, 'alarm'>, nowMs: number): void {
    parts.calls.wake(nowMs)
    parts.captures.wake(nowMs)
    this.#droppedKeys.wake(nowMs)
    if (nowMs < this.#countersAtMs) return
    this.#countersAtMs = nowMs + COUNTERS_EVERY_MS
    const { calls, captures, media, userAgent } = parts
    const wallRefused = { wall_refused_by_cde: this.#options.refusedMessages() }
    const counters = {
      ...calls.counters(),
      ...captures.counters(),
      ...media.counters(),
      ...userAgent.counters(),
      ...wallRefused,
    }
    this.#options.report({ type: 'counters', counters: wrapTotals(counters), trunks: calls.trunks() })
  }

  #nextWakeAtMs({ calls, captures }: Omit<Running, 'alarm'>): number {
    const times = [this.#droppedKeys.nextWakeAtMs(), calls.nextWakeAtMs(), captures.nextWakeAtMs(), this.#countersAtMs]
    return Math.min(...times.filter((atMs) => atMs !== undefined))
  }

  #startCapture(running: Running, order: CaptureStart): void {
    const { captureId, callId } = order
    const refuse = (code: 'CALL_UNKNOWN' | 'CALL_NOT_ANSWERED') =>
      this.#options.report({ type: 'capture-refused', captureId, code })
    const state = running.calls.stateOf(callId)
    if (state === 'unknown') return refuse('CALL_UNKNOWN')
    if (state === 'not-answered') return refuse('CALL_NOT_ANSWERED')
    if (running.captures.openCaptureOf(callId) !== undefined) return this.#lineMasked(running, order)
    this.#arming.begin(order)
    running.calls.captureOpened(callId, order.maskPolicy)
  }

  /** When `capture-started` is read, the agent's direction is already masked. */
  #lineMasked(running: Running, start: CaptureStart): void {
    const { captureId, callId } = start
    this.#callOfCapture.set(captureId, callId)
    running.captures.start(start, this.#options.clock.monotonicMs())
    if (running.captures.openCaptureOf(callId) === undefined) running.calls.captureClosed(callId)
    if (running.captures.openCaptureOf(callId) !== captureId) this.#callOfCapture.delete(captureId)
  }

  #armed(callId: string): void {
    const running = this.#running
    const waiting = this.#arming.take(callId)
    if (running === undefined || waiting === undefined) return
    this.#lineMasked(running, waiting.start)
    for (const order of waiting.later) this.execute(order)
    running.alarm.reschedule()
  }

  #secured(captureId: string | undefined): void {
    if (captureId !== undefined) this.#options.report({ type: 'line-secured', captureId })
  }

  #captureReport(message: Report): void {
    if (message.type === 'keys-dropped') return this.#droppedKeys.add(message.callId, message.count)
    this.#options.report(message)
    if (message.type === 'field') return this.#fieldReport(message)
    if (message.type !== 'capture-closed') return
    this.#openFields.delete(message.captureId)
    const callId = this.#callOfCapture.get(message.captureId)
    this.#callOfCapture.delete(message.captureId)
    if (callId !== undefined) this.#running?.calls.captureClosed(callId)
  }

  /** The masker may be far more suspicious while keys are expected (mask policies `burst` and `full`). */
  #fieldReport({ captureId, field, state }: Extract<Report, { type: 'field' }>): void {
    const callId = this.#callOfCapture.get(captureId)
    if (callId === undefined) return
    const open = this.#openFields.get(captureId) ?? new Set()
    if (state === 'requested' || state === 'collecting') open.add(field)
    else open.delete(field)
    this.#openFields.set(captureId, open)
    this.#running?.calls.setFieldOpen(callId, open.size > 0)
  }

  #callReport(captures: Captures, message: Report, report: (message: Report) => void): void {
    // The capture closes before its call is reported as ended, so that control reads them in their order.
    if (message.type === 'call-ended') {
      const waiting = this.#arming.take(message.callId)?.start.captureId
      if (waiting !== undefined) report({ type: 'capture-refused', captureId: waiting, code: 'CALL_UNKNOWN' })
      captures.callEnded(message.callId, this.#options.clock.monotonicMs())
      this.#droppedKeys.flush()
    }
    report(message)
  }

  async #submit(running: Running, order: Extract<Order, { type: 'submit' }>): Promise<void> {
    const { attemptId, captureId, gatewayAccount, reference, amountMinor, currency } = order
    if (!running.gateways.has(gatewayAccount)) {
      return this.#options.report({ type: 'submit-refused', attemptId, code: 'GATEWAY_ACCOUNT_UNKNOWN' })
    }
    const card = running.captures.submit(captureId)
    if (typeof card === 'string') return this.#options.report({ type: 'submit-refused', attemptId, code: card })
    const outcome = await running.gateways.charge(gatewayAccount, card, { reference, amountMinor, currency })
    this.#options.report({ type: 'submit-result', attemptId, outcome })
    running.captures.finish(captureId)
    running.alarm.reschedule()
  }

  async #query(
    running: Running,
    { attemptId, gatewayAccount, reference }: Extract<Order, { type: 'query' }>,
  ): Promise<void> {
    const outcome = await running.gateways.query(gatewayAccount, reference)
    this.#options.report({ type: 'query-result', attemptId, outcome })
  }

  async #reverse(
    running: Running,
    { attemptId, gatewayAccount, reference }: Extract<Order, { type: 'reverse' }>,
  ): Promise<void> {
    const outcome = await running.gateways.reverse(gatewayAccount, reference)
    this.#options.report({ type: 'reverse-result', attemptId, outcome })
  }
}

async function openTransport(
  userAgent: UserAgent,
  settings: CdeSettings,
  clock: Clock,
  onEvent: Parameters<typeof openUdpTransport>[3],
): Promise<SipTransport | ConfigureProblem> {
  try {
    return await openUdpTransport(userAgent, settings.sip, clock, onEvent)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'sip-port-taken' : 'address-not-local'
  }
}

/** The address of each destination host that is a name; looked up once (RFC 3263 comes with the issue on SIP). */
async function resolveHosts(settings: CdeSettings): Promise<Map<string, string>> {
  const hosts = settings.numbers.flatMap(({ destination }) => hostAndPort(destination)?.host ?? [])
  const resolved = new Map<string, string>()
  for (const host of new Set(hosts)) {
    if (isIP(host) !== 0) resolved.set(host, host)
    else resolved.set(host, (await lookup(host).catch(() => ({ address: host }))).address)
  }
  return resolved
}
