/**
 * All calls of this CDE: gives each leg's events to its call and carries out what the call wants. The only place where SIP
 * legs and media of a call meet.
 */
import type { Address } from '../../lib/address.ts'
import type { Clock } from '../../lib/clock.ts'
import { newId } from '../../lib/ids.ts'
import { callLimits } from '../../lib/limits.ts'
import type { RandomBytes } from '../../lib/random.ts'
import type { Report, TrunkReport } from '../../wall/messages.ts'
import type { CdeSettings, MaskPolicy, NumberSettings } from '../../wall/settings.ts'
import type { Doubt, KeyCode } from '../dtmf/key-codes.ts'
import type { SlowNews } from '../dtmf/slow-mode.ts'
import { parseInfoBody } from '../dtmf/info-body.ts'
import { isLoopback } from '../media/ip-host.ts'
import type { SipTransport } from '../sip/transport-udp.ts'
import type { LegEvent, LegId, UserAgent } from '../sip/user-agent.ts'
import { Call } from './call.ts'
import type { MediaEvent, MediaListener } from './media-orders.ts'
import type { LegWish, NegotiatedMedia } from './negotiated-media.ts'
import type { CallEffect } from './effects.ts'
import type { CallVerdict } from './end-reasons.ts'
import { CALL_HEADER } from './headers.ts'
import { KeyRate } from './key-rate.ts'
import type { Side } from './negotiation.ts'
import { findNumber } from './routing.ts'
import { hostAndPort, ownFrom } from './target.ts'
import { type Trunk, Trunks } from './trunks.ts'

export interface CallsOptions {
  readonly settings: CdeSettings
  readonly userAgent: UserAgent
  /** Binds the ports of a new call. */
  openMedia(
    listener: MediaListener,
    wishes: Readonly<Record<Side, LegWish>>,
  ): Promise<NegotiatedMedia | 'no-ports' | 'failed'>
  readonly clock: Clock
  readonly random: RandomBytes
  /** IP address of each destination host that is a name. */
  readonly resolved: ReadonlyMap<string, string>
  report(report: Report): void
  /** A key of an armed call; the digit goes no further than this argument. */
  onKey(callId: string, key: KeyCode): void
  /** A key of an armed call was not clear. */
  onUncertain(callId: string, doubt: Doubt): void
  /** Keys that were told have turned out to be doubles; places count back from the one told last, which is 0. */
  onDoubled(callId: string, places: readonly number[]): void
  onMaskFailed(callId: string): void
  /** What `captureOpened` asked for is in force. */
  onArmed(callId: string): void
  /** After `onArmed`: it is certain that no packet of the caller crosses in the kernel any more. */
  onSecured?(callId: string): void
}

interface LiveCall {
  readonly callId: string
  readonly call: Call
  readonly number: NumberSettings
  readonly legs: Readonly<Record<Side, LegId>>
  readonly callerFrom: string
  /** Where the caller's SIP comes from. */
  readonly callerHost: string
  readonly keyRate: KeyRate
  /**
   * Whether the caller's keys are captured: from the order to mask on, until the media say that they let the line go.
   *
   *   clear ──capture opens──► arming ──`armed`──► masked ──`disarmed`──► clear
   *                              ▲──────capture opens──┘
   */
  line: 'clear' | 'arming' | 'masked'
  media: NegotiatedMedia | undefined
}

export class Calls {
  readonly #options: CallsOptions
  readonly #calls = new Map<string, LiveCall>()
  readonly #byLeg = new Map<LegId, { call: LiveCall; side: Side }>()
  readonly #counters: Record<string, number> = {}
  readonly #trunks = new Trunks()
  #transport: SipTransport | undefined
  /** Told after every input: something may want to be woken earlier now. */
  onChange: () => void = () => {}

  constructor(options: CallsOptions) {
    this.#options = options
  }

  useTransport(transport: SipTransport): void {
    this.#transport = transport
  }

  /** True for a call that media can be captured on. */
  stateOf(callId: string): 'unknown' | 'not-answered' | 'live' {
    const live = this.#calls.get(callId)
    if (live === undefined) return 'unknown'
    return live.call.state === 'answered' || live.call.state === 'talking' ? 'live' : 'not-answered'
  }

  /** Has the caller's direction masked; `onArmed` says from when on. @param maskPolicy undefined: as the number's settings say */
  captureOpened(callId: string, maskPolicy: MaskPolicy | undefined): void {
    const live = this.#calls.get(callId)
    if (live === undefined) return
    live.line = 'arming'
    const slow = this.#trunks.known(live.number.id, live.callerHost)?.pattern
    live.media?.send({ type: 'arm', maskPolicy: maskPolicy ?? live.number.maskPolicy, slow })
    this.onChange()
  }

  /** The caller was asked for keys of a field, or is not any more. */
  setFieldOpen(callId: string, isOpen: boolean): void {
    this.#calls.get(callId)?.media?.send({ type: 'field', isOpen })
  }

  /** A field that was keyed was wrong, and nothing but pairs of keys. */
  pairsSeen(callId: string): void {
    this.#calls.get(callId)?.media?.send({ type: 'pairs-seen' })
  }

  captureClosed(callId: string): void {
    this.#calls.get(callId)?.media?.send({ type: 'release' })
  }

  hangUp(callId: string, verdict: CallVerdict): void {
    const live = this.#calls.get(callId)
    if (live !== undefined) this.#run(live, live.call.hangUp(verdict))
  }

  hangUpAll(verdict: CallVerdict): void {
    for (const callId of [...this.#calls.keys()]) this.hangUp(callId, verdict)
  }

  legEvent(event: LegEvent): void {
    if (event.type === 'incoming') return this.#incoming(event)
    const found = this.#byLeg.get(event.leg)
    if (found === undefined) return this.#count('call_event_without_call')
    const { call: live, side } = found
    if (event.type === 'info') this.#info(live, side, event)
    else this.#run(live, live.call.legEvent(side, event, this.#nowMs()))
  }

  wake(nowMs: number): void {
    for (const live of [...this.#calls.values()]) {
      this.#run(live, live.call.wake(nowMs))
    }
  }

  nextWakeAtMs(): number | undefined {
    let next = Number.POSITIVE_INFINITY
    for (const { call } of this.#calls.values()) next = Math.min(next, call.nextWakeAtMs() ?? next)
    return next === Number.POSITIVE_INFINITY ? undefined : next
  }

  /** What became of keys, trunk by trunk. */
  trunks(): TrunkReport[] {
    return this.#trunks.reports()
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, calls_live: this.#calls.size }
  }

  #incoming(event: Extract<LegEvent, { type: 'incoming' }>): void {
    const { settings, random } = this.#options
    const number = findNumber(settings.numbers, event.requestUri)
    if (number === undefined) return this.#rejectAtOnce(event.leg, 404, 'call_refused_no_route')
    // RFC 3261 16.3 step 3, SIP-29: this call would be extended by one hop.
    if (event.maxForwards === 0) return this.#rejectAtOnce(event.leg, 483, 'call_refused_max_forwards')
    // A call of ours that comes back to the same number is a loop (RFC 7332 section 5: B2BUAs must detect it themselves).
    const ours = event.headers.find(({ name }) => name.toLowerCase() === CALL_HEADER.toLowerCase())?.value
    if (ours !== undefined && this.#calls.get(ours)?.number === number) {
      return this.#rejectAtOnce(event.leg, 482, 'call_refused_loop')
    }
    if (this.#calls.size >= callLimits.callsMax) return this.#rejectAtOnce(event.leg, 503, 'call_refused_overload')
    if (number.srtp === 'required' && !this.#keysAllowed(this.#agentHost(number))) {
      return this.#rejectAtOnce(event.leg, 503, 'call_refused_clear_keys')
    }
    const callId = newId(random)
    const live: LiveCall = {
      callId,
      number,
      call: new Call({ callId, number: number.id, passHeaders: settings.passHeaders }, event, this.#nowMs()),
      legs: { caller: event.leg, agent: `agent-${callId}` },
      callerFrom: event.from,
      callerHost: event.source.host,
      keyRate: new KeyRate(this.#nowMs()),
      line: 'clear',
      media: undefined,
    }
    this.#calls.set(callId, live)
    this.#byLeg.set(live.legs.caller, { call: live, side: 'caller' })
    this.#byLeg.set(live.legs.agent, { call: live, side: 'agent' })
    this.#count('calls_started')
    this.#run(live, live.call.start())
  }

  #rejectAtOnce(leg: LegId, status: number, counter: string): void {
    this.#count(counter)
    this.#transport?.run(this.#options.userAgent.reject(leg, status, {}, this.#nowMs()))
  }

  /** SIP-21: the user agent has answered already. A key of an armed caller is captured; no other INFO is relayed. */
  #info(live: LiveCall, side: Side, event: Extract<LegEvent, { type: 'info' }>): void {
    const { contentType, body } = event
    const key = parseInfoBody(contentType, body)
    if (typeof key === 'string') return this.#count('info_not_relayed')
    if (side === 'caller' && live.line !== 'clear') return live.media?.sendKey(key)
    this.#run(live, [{ type: 'info', side: side === 'caller' ? 'agent' : 'caller', contentType, body }])
  }

  #run(live: LiveCall, effects: readonly CallEffect[]): void {
    for (const effect of effects) this.#runOne(live, effect)
    if (live.call.state === 'ended') this.#forget(live)
    this.onChange()
  }

  #runOne(live: LiveCall, effect: CallEffect): void {
    const { userAgent } = this.#options
    const nowMs = this.#nowMs()
    const { caller } = live.legs
    const sip = (outputs: ReturnType<UserAgent['wake']>): void => this.#transport?.run(outputs)
    switch (effect.type) {
      case 'open-media':
        return void this.#openMedia(live)
      case 'use-media':
        return live.media?.use(effect.sessions)
      case 'propose-media':
        return live.media?.send({ type: 'propose', side: effect.side, session: effect.session })
      case 'withdraw-media':
        return live.media?.send({ type: 'withdraw', side: effect.side })
      case 'close-media':
        return this.#closeMedia(live)
      case 'invite':
        return this.#invite(live, effect)
      case 'ring':
        return sip(userAgent.ring(caller, effect.status, { headers: effect.headers, body: effect.body }, nowMs))
      case 'answer':
        return sip(userAgent.answer(caller, { headers: effect.headers, body: effect.body }, nowMs))
      case 'reject':
        return sip(userAgent.reject(caller, effect.status, {}, nowMs))
      case 'hang-up':
        return sip(userAgent.hangUp(live.legs[effect.side], nowMs))
      case 'offer':
        return sip(userAgent.offer(live.legs[effect.side], effect.body, 'application/sdp', nowMs))
      case 'answer-offer':
        return sip(userAgent.answerOffer(live.legs[effect.side], effect.answer, nowMs))
      case 'info':
        return sip(userAgent.info(live.legs[effect.side], effect.contentType, effect.body, nowMs))
      case 'report':
        return this.#options.report(effect.report)
    }
  }

  #invite(live: LiveCall, effect: Extract<CallEffect, { type: 'invite' }>): void {
    const { settings, userAgent, resolved } = this.#options
    const target = live.number.destination
    const next = hostAndPort(target)
    if (next === undefined) return this.hangUp(live.callId, { result: 'server', reason: 'no-route' })
    const destination: Address = { host: resolved.get(next.host) ?? next.host, port: next.port }
    const { headers, body, maxForwards } = effect
    const from = ownFrom(live.callerFrom, settings.sip.host)
    const call = { target, destination, from, to: `<${target}>`, headers, body, maxForwards }
    this.#transport?.run(userAgent.invite(live.legs.agent, call, this.#nowMs()))
  }

  async #openMedia(live: LiveCall): Promise<void> {
    const listener: MediaListener = {
      onKey: (key) => this.#key(live, key),
      onEvent: (event) => this.#mediaEvent(live, event),
    }
    const opened = await this.#options.openMedia(listener, {
      caller: this.#wish(live, 'caller', 'mirrored', live.callerHost),
      agent: this.#wish(live, 'agent', live.number.srtp, this.#agentHost(live.number)),
    })
    if (opened === 'failed') this.#count('media_open_failed')
    if (typeof opened === 'string') return this.#run(live, live.call.mediaFailed())
    // The caller may have hung up while the ports were being bound.
    if (live.call.state === 'ended') return opened.close()
    live.media = opened
    this.#run(live, live.call.mediaReady(opened.localSdp))
  }

  /** @param host where the side's signalling is */
  #wish({ number }: LiveCall, side: Side, policy: LegWish['policy'], host: string): LegWish {
    const isBehindNat = number.nat === side || number.nat === 'both'
    return { policy, keysAllowed: this.#keysAllowed(host), ...(isBehindNat && { learnFrom: host }) }
  }

  #agentHost({ destination }: NumberSettings): string {
    const host = hostAndPort(destination)?.host ?? ''
    return this.#options.resolved.get(host) ?? host
  }

  /** RFC 4568 7: keys in SIP without TLS are for whoever can read it. SIP over TLS is not spoken yet. */
  #keysAllowed(host: string): boolean {
    return isLoopback(host) || this.#options.settings.allowClearKeys.includes(host)
  }

  #key(live: LiveCall, key: KeyCode): void {
    const trunk = this.#trunkOf(live)
    if (live.keyRate.allows(this.#nowMs())) {
      trunk.reported()
      this.#options.onKey(live.callId, key)
    } else {
      trunk.tooFast()
      this.#count('keys_too_fast')
    }
    this.onChange()
  }

  #mediaEvent(live: LiveCall, event: MediaEvent): void {
    const { onArmed, onUncertain, onMaskFailed } = this.#options
    switch (event.type) {
      case 'armed':
        live.line = 'masked'
        onArmed(live.callId)
        break
      case 'disarmed':
        // Told before our newest order to mask was read: that one counts.
        if (live.line === 'masked') live.line = 'clear'
        break
      case 'uncertain':
        this.#trunkOf(live).unclear(event.doubt.why)
        if (live.keyRate.allows(this.#nowMs())) onUncertain(live.callId, event.doubt)
        break
      case 'slow':
        this.#slowNews(live, event.news)
        break
      case 'secured':
        this.#options.onSecured?.(live.callId)
        break
      case 'mask-failed':
        onMaskFailed(live.callId)
        break
      case 'caller-sound':
        this.#options.report({ type: 'caller-sound', callId: live.callId, state: event.state })
        break
      case 'quality':
        this.#options.report({ ...event, type: 'call-quality', callId: live.callId })
    }
    this.onChange()
  }

  #slowNews(live: LiveCall, news: SlowNews): void {
    this.#trunkOf(live).slowNews(live.callId, news)
    if (news.type !== 'doubled') {
      this.#options.report({ type: 'slow-mode', callId: live.callId, on: news.type === 'slow' })
    } else if (news.places.length > 0) this.#options.onDoubled(live.callId, news.places)
  }

  #trunkOf({ number, callerHost }: LiveCall): Trunk {
    return this.#trunks.of(number.id, callerHost)
  }

  #closeMedia(live: LiveCall): void {
    live.media?.close()
    live.media = undefined
  }

  #forget(live: LiveCall): void {
    this.#closeMedia(live)
    this.#calls.delete(live.callId)
    this.#byLeg.delete(live.legs.caller)
    this.#byLeg.delete(live.legs.agent)
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs()
  }

  #count(name: string): void {
    this.#counters[name] = (this.#counters[name] ?? 0) + 1
  }
}
