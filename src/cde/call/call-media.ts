/**
 * The media of one call: two legs with a pair of ports each, the masked direction (caller → agent) and the passed one
 * (agent → caller). RTCP ends at each leg (MED-09). Masking belongs to this pair of legs: whatever SDP says, only `disarm`
 * ends it.
 */
import type { Address } from '../../lib/address.ts'
import { mediaLimits } from '../../lib/limits.ts'
import type { RandomBytes } from '../../lib/random.ts'
import type { MaskPolicy, ReplacementKind } from '../../wall/settings.ts'
import { CallerDirection, type CallerDirectionOptions } from '../dtmf/caller-direction.ts'
import type { KeyCode } from '../dtmf/key-codes.ts'
import type { AudioSession } from '../media/audio-session.ts'
import type { FlowForwarder } from '../media/flow-forwarder.ts'
import type { Associate } from '../media/dtls/open.ts'
import { PassingDirection } from '../media/passing-direction.ts'
import { readPlainRtp, rtpNumbers } from '../media/rtp.ts'
import type { Frame } from '../media/socket.ts'
import { SourceSilence } from '../media/source-silence.ts'
import { KernelSide } from './kernel-side.ts'
import { accepted, closeLeg, destinationOf, type Leg, legCounters, openLeg, takeRtcp, wakeLeg } from './media-leg.ts'
import type { MediaListener, MediaOrder, MediaTerms } from './media-orders.ts'
import type { MediaPorts, PortPair } from './media-ports.ts'
import { sumCounters } from './sum-counters.ts'
import type { Side } from './negotiation.ts'
import { SecureMode } from './secure-mode.ts'
import { qualityReport } from './quality-report.ts'

export interface CallMediaOptions {
  readonly ports: MediaPorts
  readonly replacement: ReplacementKind
  readonly jitterMs: number
  readonly random: RandomBytes
  readonly nowMs: () => number
  /** Given where calls that are not armed may cross unseen: in the kernel, or in the engine. */
  readonly kernel?: FlowForwarder | undefined
  /** Given where legs may be keyed by DTLS. */
  readonly associate?: Associate | undefined
  /** Another judge of windows, to try what happens when it fails. */
  readonly newMasker?: CallerDirectionOptions['newMasker']
}

/** Binds both legs' ports, or none. @returns the media of a new call, or `no-ports`. @throws as `MediaPorts.open` */
export async function openCallMedia(
  options: CallMediaOptions,
  listener: MediaListener,
): Promise<CallMedia | 'no-ports'> {
  const nowMs = options.nowMs()
  const caller = await options.ports.open()
  if (caller === undefined) return 'no-ports'
  let agent: PortPair | undefined
  try {
    agent = await options.ports.open()
  } finally {
    if (agent === undefined) caller.release(nowMs)
  }
  return agent === undefined ? 'no-ports' : new CallMedia(options, listener, { caller, agent })
}

export class CallMedia {
  /** Where each leg's RTP is received. */
  readonly addresses: Readonly<Record<Side, Address>>
  readonly #nowMs: () => number
  readonly #listener: MediaListener
  readonly #legs: Readonly<Record<Side, Leg>>
  readonly #masked: CallerDirection
  readonly #passing: PassingDirection
  readonly #silence = new SourceSilence()
  readonly #secure = new SecureMode()
  /** The masker failed: the agent hears silence until the next wake makes a fresh one. */
  #maskFailed = false
  readonly #kernel: KernelSide | undefined
  #qualityAtMs: number
  /** Of the frame at hand. */
  readonly #rtp = rtpNumbers()

  constructor(options: CallMediaOptions, listener: MediaListener, pairs: Readonly<Record<Side, PortPair>>) {
    const { random, replacement, jitterMs, nowMs, associate } = options
    this.#nowMs = nowMs
    this.#qualityAtMs = nowMs() + mediaLimits.qualityEveryMs
    this.#listener = listener
    this.#masked = new CallerDirection({
      replacement,
      jitterMs,
      random,
      onKey: (key) => {
        this.#secure.keyMasked(nowMs())
        listener.onKey(key)
      },
      onUncertain: (doubt) => listener.onEvent({ type: 'uncertain', doubt }),
      onSlow: (news) => listener.onEvent({ type: 'slow', news }),
      onMaskFailed: () => {
        this.#maskFailed = true
        listener.onEvent({ type: 'mask-failed' })
      },
      onMasked: () => this.#secure.keyMasked(nowMs()),
      ...(options.newMasker !== undefined && { newMasker: options.newMasker }),
    })
    this.#passing = new PassingDirection({ random })
    const leg = (side: Side): Leg => openLeg(side, pairs[side], random, associate)
    this.#legs = { caller: leg('caller'), agent: leg('agent') }
    this.addresses = { caller: pairs.caller.address, agent: pairs.agent.address }
    const { kernel: forwarder } = options
    const onSecured = (): void => listener.onEvent({ type: 'secured' })
    if (forwarder !== undefined) this.#kernel = new KernelSide({ forwarder, legs: this.#legs, onSecured })
    this.#listen()
  }

  execute(order: MediaOrder, nowMs: number): void {
    switch (order.type) {
      case 'use':
        return this.use(order.terms, nowMs)
      case 'propose':
        return this.propose(order.side, order.session)
      case 'withdraw':
        return this.withdraw(order.side)
      case 'arm':
        if (order.slow !== undefined) this.#masked.expectSlow(order.slow)
        return this.arm(nowMs, order.maskPolicy)
      case 'pairs-seen':
        return this.#masked.suspectSlow()
      case 'field':
        return this.setFieldOpen(order.isOpen, nowMs)
      case 'release':
        return this.release(nowMs)
      case 'close':
        return this.close(nowMs)
    }
  }

  /** After each complete offer and answer: where each side is and what it speaks. */
  use({ sessions, ownFormats, keys, dtls, learnFrom }: MediaTerms, nowMs: number): void {
    this.#kernel?.leave(nowMs)
    for (const side of ['caller', 'agent'] as const) {
      const session = sessions[side]
      if (session === undefined) continue
      const leg = this.#legs[side]
      leg.session = session
      leg.srtp.agree(keys[side], nowMs)
      if (dtls?.[side] !== undefined) leg.srtp.awaitKeys()
      const payloadTypes = new Set(session.formats.map(({ payloadType }) => payloadType))
      // sip.md 6.1 rule 6: with SRTP the keys say who speaks, and nothing is learned.
      const learned = leg.srtp.secure ? undefined : learnFrom?.[side]
      leg.rtpLock.agree({ remote: session.remote, payloadTypes, learnFrom: learned })
      leg.rtcpLock.agree({ remote: session.remoteRtcp, learnFrom: learned })
      leg.dtls.agree(dtls?.[side], session.remote, nowMs)
    }
    const callerFormats = this.#legs.caller.session?.formats ?? []
    const agentFormats = this.#legs.agent.session?.formats ?? []
    // RFC 3264 5.1: what a side sends carries our payload type numbers; its own are taken where ours say nothing.
    const fromCaller = [...ownFormats.caller, ...callerFormats]
    const fromAgent = [...ownFormats.agent, ...agentFormats]
    this.#masked.setFormats(fromCaller, agentFormats, nowMs)
    this.#passing.setFormats(fromAgent, callerFormats)
    this.#legs.caller.rtcp.setFormats(fromCaller, callerFormats)
    this.#legs.agent.rtcp.setFormats(fromAgent, agentFormats)
    this.#watchCaller(nowMs)
    this.#kernel?.agreed()
  }

  /** MED-13: an offer of this side is open; both its sources are heard, the agreed one is served. */
  propose(side: Side, session: AudioSession): void {
    this.#kernel?.leave(this.#nowMs())
    this.#legs[side].rtpLock.propose(session.remote)
    this.#legs[side].rtcpLock.propose(session.remoteRtcp)
  }

  withdraw(side: Side): void {
    this.#legs[side].rtpLock.withdraw()
    this.#legs[side].rtcpLock.withdraw()
  }

  /** Once more while armed: another capture has begun, perhaps with another policy. */
  arm(nowMs: number, maskPolicy: MaskPolicy = 'burst'): void {
    this.#kernel?.leave(nowMs)
    this.#secure.captureOpened()
    this.#setArmed(nowMs)
    this.#toAgent(this.#masked.arm(nowMs, maskPolicy))
    this.#listener.onEvent({ type: 'armed' })
    if (this.#kernel === undefined) this.#listener.onEvent({ type: 'secured' })
    else this.#kernel.arm(nowMs)
  }

  /** The caller was asked for keys, or is not any more. */
  setFieldOpen(isOpen: boolean, nowMs: number): void {
    this.#masked.setFieldOpen(isOpen, nowMs)
  }

  /** The capture is over; `wake` lets the line go when it is safe to. */
  release(nowMs: number): void {
    this.setFieldOpen(false, nowMs)
    this.#secure.captureClosed(nowMs)
  }

  /** A key that came in a SIP INFO from the caller. */
  infoKey(key: KeyCode, nowMs: number): void {
    this.#masked.infoKey(key, nowMs)
  }

  wake(nowMs: number): void {
    if (this.#maskFailed) this.#maskAnew(nowMs)
    if (this.#secure.wake(nowMs) === 'disarm') this.#disarm(nowMs)
    this.#toAgent(this.#masked.tick(nowMs))
    this.#tellOfCaller(nowMs)
    this.#kernel?.wake(nowMs)
    if (nowMs >= this.#qualityAtMs) this.#tellQuality(false, nowMs)
    const keepAlive = this.#passing.wake(nowMs)
    if (keepAlive !== undefined) this.#send(this.#legs.caller, keepAlive)
    for (const side of ['caller', 'agent'] as const) wakeLeg(this.#legs[side], nowMs)
  }

  nextWakeAtMs(): number | undefined {
    if (this.#maskFailed) return this.#nowMs()
    const times = [
      this.#secure.nextWakeAtMs(),
      this.#masked.nextTickAtMs(),
      this.#passing.nextWakeAtMs(),
      this.#legs.caller.rtcp.nextWakeAtMs(),
      this.#legs.agent.rtcp.nextWakeAtMs(),
    ]
    const due = times.filter((atMs) => atMs !== undefined)
    return due.length === 0 ? undefined : Math.min(...due)
  }

  /** Whether the caller's direction is masked. */
  get isMasked(): boolean {
    return this.#secure.state !== 'clear'
  }

  /** Whether sound of our own is due every 20 ms: the masked line's, what it still drains, or noise in a pause. */
  get hasTick(): boolean {
    return this.isMasked || this.#masked.nextTickAtMs() !== undefined || this.#passing.isFilling
  }

  counters(): Readonly<Record<string, number>> {
    const { caller, agent } = this.#legs
    return sumCounters([
      this.#masked.counters(),
      this.#passing.counters(),
      ...legCounters(caller),
      ...legCounters(agent),
      this.#kernel?.counters() ?? {},
    ])
  }

  /** Gives the ports back and wipes the keys of both legs. */
  close(nowMs: number): void {
    this.#kernel?.leave(nowMs)
    this.#tellQuality(true, nowMs)
    this.#masked.close()
    this.#passing.close()
    for (const side of ['caller', 'agent'] as const) closeLeg(this.#legs[side], nowMs)
  }

  #disarm(nowMs: number): void {
    this.#setArmed(nowMs)
    this.#toAgent(this.#masked.disarm(nowMs))
    this.#listener.onEvent({ type: 'disarmed' })
  }

  /** In doubt, mask: a line whose masker failed is not let go in clear while the caller may still be keying. */
  #maskAnew(nowMs: number): void {
    this.#maskFailed = false
    this.#secure.keyMasked(nowMs)
    if (!this.isMasked) return
    this.#toAgent(this.#masked.disarm(nowMs))
    this.#toAgent(this.#masked.arm(nowMs))
  }

  #setArmed(nowMs: number): void {
    this.#legs.caller.rtpLock.setArmed(this.isMasked)
    this.#legs.caller.rtcpLock.setArmed(this.isMasked)
    this.#watchCaller(nowMs)
  }

  #watchCaller(nowMs: number): void {
    const direction = this.#legs.caller.session?.direction
    this.#silence.setWatched(this.isMasked && (direction === 'sendrecv' || direction === 'sendonly'), nowMs)
  }

  #tellOfCaller(nowMs: number): void {
    const state = this.#silence.wake(this.#legs.caller.rtcp.receivedAtMs, nowMs)
    if (state !== undefined) this.#listener.onEvent({ type: 'caller-sound', state })
  }

  #tellQuality(isFinal: boolean, nowMs: number): void {
    this.#qualityAtMs = nowMs + mediaLimits.qualityEveryMs
    const quality = qualityReport(this.#legs.caller.rtcp.quality(), this.#legs.agent.rtcp.quality())
    this.#listener.onEvent({ type: 'quality', isFinal, quality })
  }

  #listen(): void {
    const { caller, agent } = this.#legs
    caller.pair.listen(
      (packet, from) => this.#fromCaller(packet, from),
      (packet, from) => takeRtcp(caller, packet, from, this.#nowMs()),
      (frame) => this.#frameFromCaller(frame),
    )
    agent.pair.listen(
      (packet, from) => this.#fromAgent(packet, from),
      (packet, from) => takeRtcp(agent, packet, from, this.#nowMs()),
      (frame) => this.#frameFromAgent(frame),
    )
  }

  #fromCaller(datagram: Uint8Array, from: Address): void {
    const nowMs = this.#nowMs()
    const leg = this.#legs.caller
    if (leg.rtpLock.hears(from)) this.#kernel?.strange(nowMs)
    const packet = accepted(leg, datagram, from, nowMs)
    if (packet === undefined) return
    leg.rtcp.received(packet, nowMs)
    this.#kernel?.came('caller', packet, nowMs)
    for (const relayed of this.#masked.receive(packet, nowMs)) this.#send(this.#legs.agent, relayed, packet)
  }

  #fromAgent(datagram: Uint8Array, from: Address): void {
    const nowMs = this.#nowMs()
    const leg = this.#legs.agent
    if (leg.rtpLock.hears(from)) this.#kernel?.strange(nowMs)
    const packet = accepted(leg, datagram, from, nowMs)
    if (packet === undefined) return
    leg.rtcp.received(packet, nowMs)
    this.#kernel?.came('agent', packet, nowMs)
    const passed = this.#passing.receive(packet, nowMs)
    if (passed !== undefined) this.#send(this.#legs.caller, passed, packet)
  }

  /** The common packet of a call that is not armed crosses without a copy; whatever is unusual takes the way of `#fromCaller`. */
  #frameFromCaller(frame: Frame): boolean {
    const rtp = this.#rtp
    const { caller, agent } = this.#legs
    if (caller.srtp.secure || agent.srtp.secure) return false
    if (!readPlainRtp(frame.octets, frame.start, frame.length, rtp)) return false
    if (!caller.rtpLock.isSettledOn(frame.from, rtp)) return false
    const nowMs = this.#nowMs()
    if (!this.#masked.relayInPlace(frame.octets, frame.start, rtp, nowMs)) return false
    this.#forward(caller, agent, frame, nowMs)
    return true
  }

  #frameFromAgent(frame: Frame): boolean {
    const rtp = this.#rtp
    const { caller, agent } = this.#legs
    if (caller.srtp.secure || agent.srtp.secure) return false
    if (!readPlainRtp(frame.octets, frame.start, frame.length, rtp)) return false
    if (!agent.rtpLock.isSettledOn(frame.from, rtp)) return false
    const nowMs = this.#nowMs()
    if (!this.#passing.passInPlace(frame.octets, frame.start, rtp, nowMs)) return false
    this.#forward(agent, caller, frame, nowMs)
    return true
  }

  /** Books the packet in `#rtp`, which came in on one leg and has been re-written, and sends it on the other. */
  #forward(from: Leg, to: Leg, frame: Frame, nowMs: number): void {
    const rtp = this.#rtp
    from.rtpLock.take(rtp, nowMs)
    this.#kernel?.sampled(from.side, nowMs)
    from.rtcp.receivedRtp(rtp, nowMs)
    const destination = destinationOf(to)
    if (destination === undefined) return
    this.#kernel?.relayedInPlace(from.side, frame.octets, frame.start, rtp, nowMs)
    if (!readPlainRtp(frame.octets, frame.start, frame.length, rtp)) return
    to.rtcp.sentRtp(rtp.ssrc, rtp.timestamp, rtp.payloadOctets, nowMs)
    to.pair.forwardRtp(frame, destination)
  }

  #toAgent(packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.#send(this.#legs.agent, packet)
  }

  /** @param source the packet that it relays; undefined for one of our own */
  #send(leg: Leg, packet: Uint8Array, source?: Uint8Array): void {
    const destination = destinationOf(leg)
    if (destination === undefined) return
    if (this.#kernel?.numbered(leg.side, packet, source, this.#nowMs()) === false) return
    const sealed = leg.srtp.sealRtp(packet)
    if (typeof sealed === 'string') return
    leg.rtcp.sent(packet, this.#nowMs())
    leg.pair.sendRtp(sealed, destination)
  }
}
