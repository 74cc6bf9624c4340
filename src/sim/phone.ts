/**
 * A simulated telephone on real sockets: SIP by the same user agent as Tonewall, RTP by `phone-media.ts`. One call at a time.
 *
 *           call()             180              200
 *   idle ──────────▶ calling ──────▶ ringing ──────────▶ answered ──BYE──▶ ended
 *     └──── incoming INVITE ────────────▶ ringing ──ringMs──▶ answered        └── call() or INVITE ──▶ …
 */
import { setImmediate } from 'node:timers/promises'
import type { Carriage, KeyCode } from '../cde/dtmf/key-codes.ts'
import type { AudioFormat, AudioSession } from '../cde/media/audio-session.ts'
import type { G711Codec } from '../cde/media/g711.ts'
import type { MediaEngine } from '../cde/media/socket.ts'
import type { Header } from '../cde/sip/message.ts'
import { openUdpTransport, type SipTransport } from '../cde/sip/transport-udp.ts'
import { type LegEvent, type LegId, type OutgoingCall, type Output, UserAgent } from '../cde/sip/user-agent.ts'
import type { Address } from '../lib/address.ts'
import type { Clock } from '../lib/clock.ts'
import { newId } from '../lib/ids.ts'
import type { RandomBytes } from '../lib/random.ts'
import { PhoneMedia, type PhoneRecordings } from './phone-media.ts'
import { answeringDirection, ownFormats, readPhoneSdp, writePhoneSdp } from './phone-sdp.ts'
import { infoBody } from './press.ts'

export type PhoneState = 'idle' | 'calling' | 'ringing' | 'answered' | 'ended'

/** What a phone reports. Which key was pressed is never in it. */
export type PhoneEvent =
  | { readonly type: 'state'; readonly state: PhoneState; readonly atMs: number }
  /** Somebody calls this phone. */
  | { readonly type: 'incoming'; readonly headers: readonly Header[] }
  /** Why the state became `ended`: a SIP status of a failed call, or a word. */
  | { readonly type: 'call-over'; readonly cause: number | 'hung-up' | 'cancelled' | 'bye' | 'lost' | 'no-codec' }
  | { readonly type: 'key-down'; readonly carriage: Carriage; readonly atMs: number }
  /** A SIP INFO or an RFC 4733 packet arrived at this phone. */
  | { readonly type: 'key-arrived'; readonly carriage: 'event' | 'info' }

export interface PhoneOptions {
  /** Shown in the User-Agent header. */
  readonly name: string
  readonly host: string
  /** 0 takes a free port. */
  readonly sipPort: number
  readonly clock: Clock
  readonly random: RandomBytes
  readonly media: MediaEngine
  readonly codecs: readonly G711Codec[]
  /** False: telephone-event is not in this phone's SDP. */
  readonly withEvents: boolean
  readonly talkOver: boolean
  /** How long it rings before it answers an incoming call. */
  readonly ringMs: number
  onEvent(event: PhoneEvent): void
  /** Every 20 ms of an answered call; see PhoneMediaOptions. */
  onFrame(monitor: Int16Array, heard: Int16Array): void
  /** Arriving keys, for a phone that wants to know which: payloads of RFC 4733 packets and bodies of INFO requests. */
  onEventPacket?(payload: Uint8Array, ssrc: number, timestamp: number): void
  onInfoBody?(contentType: string, body: Uint8Array): void
}

const NO_RECORDINGS: PhoneRecordings = { sent: undefined, monitor: undefined, heard: undefined }

export class Phone {
  readonly #options: PhoneOptions
  readonly #ua: UserAgent
  #transport: SipTransport | undefined
  #state: PhoneState = 'idle'
  #leg: LegId | undefined
  #media: PhoneMedia | undefined
  /** What this phone can speak, and the payload types under which the present call has it. */
  readonly #spoken: readonly AudioFormat[]
  #own: readonly AudioFormat[] = []
  #remote: AudioSession | undefined
  #sdpVersion = 1
  #ringTimer: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  private constructor(options: PhoneOptions) {
    this.#options = options
    this.#spoken = ownFormats(options.codecs, options.withEvents)
    const local = { host: options.host, port: options.sipPort }
    this.#ua = new UserAgent({ local, userAgent: options.name, random: options.random })
  }

  /** Binds the SIP socket. Rejects when the address is taken. */
  static async open(options: PhoneOptions): Promise<Phone> {
    const phone = new Phone(options)
    const bind = { host: options.host, port: options.sipPort }
    phone.#transport = await openUdpTransport(phone.#ua, bind, options.clock, (event) => phone.#sipEvent(event))
    return phone
  }

  /** Where this phone takes SIP, with the real port. */
  get sip(): Address {
    if (this.#transport === undefined) throw new Error('the phone is not open')
    return this.#transport.local
  }

  get state(): PhoneState {
    return this.#state
  }

  /** True from the first digit dialled or the first ring until the end. */
  get busy(): boolean {
    return this.#leg !== undefined
  }

  /** Places a call. @returns false when this phone is in a call */
  async call(to: Omit<OutgoingCall, 'body' | 'contentType' | 'maxForwards'>): Promise<boolean> {
    if (this.busy) return false
    // The leg stands before the socket does, so that a second call() in between is refused.
    const leg = this.#begin(newId(this.#options.random))
    this.#enter('calling')
    const media = await this.#openMedia(leg)
    if (media === undefined) return true
    this.#own = this.#spoken
    const body = writePhoneSdp(media.local, this.#own, 'sendrecv', this.#sdpVersion)
    this.#run(this.#ua.invite(leg, { ...to, body, contentType: 'application/sdp', maxForwards: 70 }, this.#nowMs))
    return true
  }

  /** Ends the call, or the attempt. @returns false when there is none */
  hangUp(): boolean {
    if (this.#leg === undefined) return false
    this.#run(this.#ua.hangUp(this.#leg, this.#nowMs))
    this.#over('hung-up')
    return true
  }

  /**
   * Presses a key: presses queue up, with a pause after each.
   * @param key 0–9, 10 for the star, 11 for the square, 12–15 for A–D
   * @returns undefined when it is refused: no answered call, or too many presses wait; otherwise a promise of true when the
   *   press is over, its pause included, and of false when the call ended before
   */
  press(key: KeyCode, carriage: Carriage, holdMs: number): Promise<boolean> | undefined {
    return this.#state === 'answered' ? this.#media?.press(key, carriage, holdMs) : undefined
  }

  /** Says a clip. @returns false when there is no answered call */
  speak(clip: Int16Array): boolean {
    if (this.#state !== 'answered' || this.#media === undefined) return false
    this.#media.speak(clip)
    return true
  }

  get speaking(): boolean {
    return this.#media?.speaking ?? false
  }

  /** Of the present or the last call. */
  recordings(): PhoneRecordings {
    return this.#media?.recordings() ?? NO_RECORDINGS
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#ua.counters(), ...this.#media?.counters() }
  }

  /** Hangs up and frees the sockets. May be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    // A datagram is handed to the system in the next turn of the event loop; a BYE must not be lost with its socket.
    if (this.hangUp()) await setImmediate()
    await this.#transport?.close()
  }

  get #nowMs(): number {
    return this.#options.clock.monotonicMs()
  }

  #run(outputs: readonly Output[]): void {
    this.#transport?.run(outputs)
  }

  #enter(state: PhoneState): void {
    if (state === this.#state) return
    this.#state = state
    this.#options.onEvent({ type: 'state', state, atMs: this.#nowMs })
  }

  #begin(leg: LegId): LegId {
    this.#leg = leg
    this.#remote = undefined
    this.#sdpVersion = 1
    return leg
  }

  /** @returns undefined when no socket could be had or the call ended meanwhile */
  async #openMedia(leg: LegId): Promise<PhoneMedia | undefined> {
    const options = this.#options
    const { clock, random, host, talkOver } = options
    const opening = PhoneMedia.open(
      options.media,
      { host, port: 0 },
      {
        clock,
        random,
        talkOver,
        onFrame: (monitor, heard) => options.onFrame(monitor, heard),
        onLineDead: () => this.#lineDead(leg),
        onPress: (carriage, atMs) => options.onEvent({ type: 'key-down', carriage, atMs }),
        onInfo: (key, holdMs) =>
          this.#run(this.#ua.info(leg, 'application/dtmf-relay', infoBody(key, holdMs), this.#nowMs)),
        onEventPacket: (payload, ssrc, timestamp) => {
          options.onEvent({ type: 'key-arrived', carriage: 'event' })
          options.onEventPacket?.(payload, ssrc, timestamp)
        },
      },
    )
    const media = await opening.catch(() => undefined)
    if (this.#leg !== leg) media?.close()
    else if (media === undefined) this.#over('lost')
    else return (this.#media = media)
    return undefined
  }

  /** A person hangs up on a dead line; otherwise the phone would be busy for ever after a crash on the way. */
  #lineDead(leg: LegId): void {
    if (this.#leg !== leg) return
    this.#run(this.#ua.hangUp(leg, this.#nowMs))
    this.#over('lost')
  }

  #over(cause: Extract<PhoneEvent, { type: 'call-over' }>['cause']): void {
    clearTimeout(this.#ringTimer)
    this.#leg = undefined
    this.#media?.close()
    this.#options.onEvent({ type: 'call-over', cause })
    this.#enter('ended')
  }

  #sipEvent(event: LegEvent): void {
    if (event.type === 'incoming') {
      void this.#incoming(event)
      return
    }
    if (event.leg !== this.#leg) return
    switch (event.type) {
      case 'provisional':
        if (event.status >= 180) this.#enter('ringing')
        // Early media is listened to; the phone itself is silent until the answer.
        if (event.body.length > 0) this.#agree(event.body)
        return
      case 'answered':
        if (event.body.length > 0) this.#agree(event.body)
        if (this.#remote === undefined) this.#giveUp()
        else this.#answered(this.#remote)
        return
      case 'offered':
        this.#offered(event.leg, event.body)
        return
      case 'info':
        this.#options.onEvent({ type: 'key-arrived', carriage: 'info' })
        this.#options.onInfoBody?.(event.contentType, event.body)
        return
      case 'failed':
        this.#over(event.status)
        return
      case 'cancelled':
        this.#over('cancelled')
        return
      case 'ended':
        this.#over(event.cause === 'bye' ? 'bye' : 'lost')
        return
      case 'confirmed':
      case 'offer-answered':
      case 'offer-failed':
      case 'offer-withdrawn':
        // The phone offers once, in its INVITE, and answers every other offer at once.
        return
    }
  }

  async #incoming(event: Extract<LegEvent, { type: 'incoming' }>): Promise<void> {
    const { leg } = event
    const remote = readPhoneSdp(event.body, this.#spoken)
    if (this.busy || remote === undefined) {
      this.#run(this.#ua.reject(leg, this.busy ? 486 : 488, {}, this.#nowMs))
      return
    }
    this.#begin(leg)
    this.#options.onEvent({ type: 'incoming', headers: event.headers })
    this.#enter('ringing')
    this.#run(this.#ua.ring(leg, 180, {}, this.#nowMs))
    const media = await this.#openMedia(leg)
    if (media === undefined) {
      this.#run(this.#ua.reject(leg, 480, {}, this.#nowMs))
      return
    }
    // RFC 3264 6.1: an answer keeps the offer's order and payload type numbers.
    this.#own = remote.formats
    this.#ringTimer = setTimeout(() => this.#pickUp(leg, media, remote), this.#options.ringMs)
  }

  #pickUp(leg: LegId, media: PhoneMedia, remote: AudioSession): void {
    if (this.#leg !== leg) return
    const direction = answeringDirection(remote.direction)
    const body = writePhoneSdp(media.local, this.#own, direction, this.#sdpVersion)
    this.#connect(remote)
    this.#run(this.#ua.answer(leg, { body, contentType: 'application/sdp' }, this.#nowMs))
    this.#answered(remote)
  }

  #agree(answer: Uint8Array): void {
    const remote = readPhoneSdp(answer, this.#own)
    if (remote !== undefined) this.#connect(remote)
  }

  #connect(remote: AudioSession): void {
    this.#remote = remote
    this.#media?.connect(remote, this.#own)
  }

  #answered(remote: AudioSession): void {
    this.#enter('answered')
    this.#media?.startSending(remote)
  }

  #giveUp(): void {
    if (this.#leg !== undefined) this.#run(this.#ua.hangUp(this.#leg, this.#nowMs))
    this.#over('no-codec')
  }

  /** A re-INVITE: the same audio again, at the peer's new address or direction. */
  #offered(leg: LegId, offer: Uint8Array): void {
    const remote = readPhoneSdp(offer, this.#spoken)
    const media = this.#media
    if (media === undefined || (offer.length > 0 && remote === undefined)) {
      this.#run(this.#ua.answerOffer(leg, { status: 488 }, this.#nowMs))
      return
    }
    if (remote !== undefined) {
      this.#own = remote.formats
      this.#connect(remote)
    }
    this.#sdpVersion++
    const direction = remote === undefined ? 'sendrecv' : answeringDirection(remote.direction)
    const body = writePhoneSdp(media.local, this.#own, direction, this.#sdpVersion)
    this.#run(this.#ua.answerOffer(leg, { body, contentType: 'application/sdp' }, this.#nowMs))
  }
}
