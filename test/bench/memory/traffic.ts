/**
 * Calls as they come in a working day, on a virtual clock: they ring, are answered, refused or given up; both sides talk, with
 * loss, repeats and new sources, some callers by SRTP; they hold and resume; captures open and keys are pressed in all carriages;
 * someone hangs up.
 */
import { answeringDirection, readPhoneSdp, writePhoneSdp } from '../../../src/sim/phone-sdp.ts'
import { type AudioFormat, readAudio } from '../../../src/cde/media/audio-session.ts'
import { encodeG711 } from '../../../src/cde/media/g711.ts'
import { parseSdp, type Sdp, serializeSdp } from '../../../src/cde/media/sdp.ts'
import { LegSecurity } from '../../../src/cde/media/srtp/leg-security.ts'
import { LegSrtp } from '../../../src/cde/media/srtp/leg-srtp.ts'
import type { LegEvent, UserAgent } from '../../../src/cde/sip/user-agent.ts'
import { synthesizeKeys } from '../../../src/sim/tones.ts'
import { type RandomBytes, randomUnit, seededRandom } from '../../../src/lib/random.ts'
import type { Report } from '../../../src/wall/messages.ts'
import { events, pcma, Speaker } from '../../support/media-call.ts'
import { CALLED, CARRIER, MemoryZone, PBX, ZONE } from '../../support/memory-zone.ts'

const STEP_MS = 20
const FORMATS: readonly AudioFormat[] = [pcma, events]
const SDP = 'application/sdp'

export interface TrafficSettings {
  readonly seed: number
  /** Mean time from one call's beginning to the next one's. */
  readonly everyMs: number
  /** Mean; holds, captures, new sources come about as often in each call, however long it is. */
  readonly talkMs: number
}

interface Talk {
  readonly id: string
  readonly legs: { readonly caller: string; agent: string | undefined }
  /** Of a caller with SRTP. */
  readonly secure: { readonly security: LegSecurity; readonly srtp: LegSrtp } | undefined
  readonly speakers: { readonly caller: Speaker; readonly agent: Speaker }
  /** Our ports, as our SDP names them. */
  readonly ports: { caller: number | undefined; agent: number | undefined }
  readonly endsAtMs: number
  readonly willBe: 'answered' | 'refused' | 'given-up'
  answerAtMs: number
  callId: string | undefined
  isUp: boolean
  isHeld: boolean
  capture: { untilMs: number } | undefined
  version: number
}

export class Traffic {
  readonly zone: MemoryZone
  readonly counts = { calls: 0, secured: 0, packets: 0, sent: 0, captures: 0, keys: 0, offers: 0, reports: 0 }
  /** Called with each call's id; a test plants its leak here. */
  onCall: (callId: string) => void = () => {}
  readonly #settings: TrafficSettings
  readonly #random: RandomBytes
  readonly #voice: readonly Uint8Array[]
  readonly #tone: readonly Uint8Array[]
  readonly #talks = new Map<string, Talk>()
  /** Half a call in packets: what is rare has this for its odds. */
  readonly #rare: number
  #nextAtMs = 0

  constructor(settings: TrafficSettings) {
    this.#settings = settings
    this.#random = seededRandom(settings.seed)
    this.#voice = frames(noise(this.#random, 8_000))
    this.#tone = frames(synthesizeKeys([5], { toneMs: 100, gapMs: 100 }, this.#random).samples)
    this.#rare = Math.max(2, Math.round(settings.talkMs / STEP_MS / 2))
    const expected = Math.ceil(settings.talkMs / settings.everyMs) + 1
    this.zone = new MemoryZone({
      seed: settings.seed,
      pairs: 40 * expected + 100,
      onReport: (report) => this.#report(report),
      onCarrier: (event) => this.#carrier(event),
      onPbx: (event) => this.#pbx(event),
      onKey: () => this.counts.keys++,
    })
    this.zone.network.onSent = () => this.counts.sent++
  }

  /** New calls and all that happens in them, for so long. */
  async run(ms: number): Promise<void> {
    const untilMs = this.zone.nowMs + ms
    while (this.zone.nowMs < untilMs) {
      if (this.zone.nowMs >= this.#nextAtMs) this.#begin()
      await this.#step()
    }
  }

  /** No new calls; those there are end, and everything that they held is let go. */
  async calmDown(): Promise<void> {
    for (const talk of this.#talks.values()) this.#hangUp(talk)
    const untilMs = this.zone.nowMs + 11 * 60_000
    while (this.zone.nowMs < untilMs) await this.zone.step(1_000)
    this.#talks.clear()
  }

  async #step(): Promise<void> {
    for (const talk of this.#talks.values()) this.#live(talk)
    await this.zone.step(STEP_MS)
  }

  #begin(): void {
    const { zone } = this
    const { everyMs, talkMs } = this.#settings
    this.#nextAtMs = zone.nowMs + exponential(this.#random, everyMs)
    const id = String.fromCharCode(...Array.from({ length: 12 }, () => 65 + this.#below(26)))
    const port = 16_384 + 2 * this.#below(8_000)
    const ringMs = 200 + this.#below(5_000)
    const chance = this.#below(20)
    const talk: Talk = {
      id,
      legs: { caller: id, agent: undefined },
      secure: this.#oneIn(4) ? this.#secured() : undefined,
      speakers: {
        caller: new Speaker({ host: CARRIER.host, port }, this.#random),
        agent: new Speaker({ host: PBX.host, port }, this.#random),
      },
      ports: { caller: undefined, agent: undefined },
      willBe: chance === 0 ? 'refused' : chance === 1 ? 'given-up' : 'answered',
      answerAtMs: zone.nowMs + ringMs,
      endsAtMs: zone.nowMs + ringMs + exponential(this.#random, talkMs),
      callId: undefined,
      isUp: false,
      isHeld: false,
      capture: undefined,
      version: 1,
    }
    this.#talks.set(id, talk)
    this.counts.calls++
    const target = `sip:${CALLED}@${ZONE.host}:${ZONE.port}`
    const call = {
      ...{ target, destination: ZONE, from: `<sip:${id}@${CARRIER.host}>`, to: `<${target}>`, maxForwards: 70 },
      // RFC 7433: this is how the PBX's call and the report are known to belong to this one.
      headers: [{ name: 'User-to-User', value: `${Buffer.from(id).toString('hex')};encoding=hex` }],
      ...{ body: this.#sdp(talk, 'caller'), contentType: SDP },
    }
    zone.run(zone.carrier, zone.carrier.invite(id, call, zone.nowMs))
  }

  #live(talk: Talk): void {
    const { zone } = this
    if (zone.nowMs >= talk.endsAtMs) return this.#hangUp(talk)
    if (!talk.isUp) return this.#ringing(talk)
    this.#says(talk, 'caller')
    this.#says(talk, 'agent')
    if (this.#oneIn(2 * this.#rare)) this.#hold(talk)
    if (talk.capture === undefined && this.#oneIn(this.#rare)) this.#openCapture(talk)
    else if (talk.capture !== undefined && zone.nowMs >= talk.capture.untilMs) this.#closeCapture(talk)
    if (talk.capture !== undefined && this.#oneIn(this.#rare)) this.#info(talk)
  }

  #ringing(talk: Talk): void {
    const { zone } = this
    const { agent } = talk.legs
    if (agent === undefined || zone.nowMs < talk.answerAtMs) return
    talk.answerAtMs = Number.POSITIVE_INFINITY
    if (talk.willBe === 'given-up') return this.#hangUp(talk)
    if (talk.willBe === 'refused') return zone.run(zone.pbx, zone.pbx.reject(agent, 486, {}, zone.nowMs))
    const body = this.#sdp(talk, 'agent')
    zone.run(zone.pbx, zone.pbx.answer(agent, { body, contentType: SDP }, zone.nowMs))
  }

  /** The next packet of one side, or what the network makes of it. */
  #says(talk: Talk, side: 'caller' | 'agent'): void {
    const speaker = talk.speakers[side]
    speaker.step()
    if (this.#oneIn(3 * this.#rare)) speaker.ssrc = this.#below(2 ** 31)
    if (this.#oneIn(3 * this.#rare)) speaker.timestamp = (speaker.timestamp + this.#below(100_000)) >>> 0
    const port = talk.ports[side]
    if (port === undefined || this.#oneIn(100)) return
    // While a capture is open, every second of three sounds a key, and some are sent as events.
    const second = Math.floor(this.zone.nowMs / 1_000)
    const isKeying = side === 'caller' && talk.capture !== undefined && second % 3 === 0
    const frameIndex = Math.floor(this.zone.nowMs / STEP_MS)
    const set = isKeying ? this.#tone : this.#voice
    const isEvent = isKeying && second % 2 === 0
    const packet = isEvent
      ? speaker.packet(Uint8Array.of(second % 10, 0x8a, 3, 0x20), events.payloadType)
      : speaker.packet(set[frameIndex % set.length] ?? new Uint8Array(160))
    for (let copies = this.#oneIn(300) ? 2 : 1; copies > 0; copies--) {
      this.counts.packets++
      const datagram = side === 'caller' && talk.secure !== undefined ? talk.secure.srtp.sealRtp(packet) : packet
      if (typeof datagram !== 'string') this.zone.network.arrive(port, datagram, speaker.address)
    }
  }

  #openCapture(talk: Talk): void {
    if (talk.callId === undefined) return
    this.counts.captures++
    talk.capture = { untilMs: this.zone.nowMs + this.#below(this.#settings.talkMs) }
    this.zone.calls.captureOpened(talk.callId, (['adaptive', 'burst', 'full'] as const)[this.#below(3)])
    this.zone.calls.setFieldOpen(talk.callId, true)
  }

  #closeCapture(talk: Talk): void {
    talk.capture = undefined
    if (talk.callId === undefined) return
    this.zone.calls.setFieldOpen(talk.callId, false)
    this.zone.calls.captureClosed(talk.callId)
  }

  #info(talk: Talk): void {
    const { zone } = this
    const body = Buffer.from('Signal=5\r\nDuration=160\r\n')
    zone.run(zone.carrier, zone.carrier.info(talk.legs.caller, 'application/dtmf-relay', body, zone.nowMs))
  }

  /** A re-INVITE of the caller: on hold, and off again. */
  #hold(talk: Talk): void {
    const { zone } = this
    talk.isHeld = !talk.isHeld
    talk.version++
    this.counts.offers++
    const body = this.#sdp(talk, 'caller', talk.isHeld ? 'sendonly' : 'sendrecv')
    zone.run(zone.carrier, zone.carrier.offer(talk.legs.caller, body, SDP, zone.nowMs))
  }

  #hangUp(talk: Talk): void {
    const { zone } = this
    this.#forget(talk)
    const byAgent = talk.isUp && this.#below(2) === 0 && talk.legs.agent !== undefined
    if (byAgent && talk.legs.agent !== undefined) zone.run(zone.pbx, zone.pbx.hangUp(talk.legs.agent, zone.nowMs))
    else zone.run(zone.carrier, zone.carrier.hangUp(talk.legs.caller, zone.nowMs))
  }

  #report(report: Report): void {
    this.counts.reports++
    if (report.type !== 'call-started') return
    const talk = this.#talks.get(idIn(report.headers))
    if (talk !== undefined) talk.callId = report.callId
    this.onCall(report.callId)
  }

  #carrier(event: LegEvent): void {
    const talk = this.#talks.get(event.leg)
    if (talk === undefined) return
    if (event.type === 'answered') {
      talk.ports.caller = portIn(event.body)
      talk.isUp = true
      this.#agreed(talk, event.body)
    } else if (event.type === 'offer-answered') this.#agreed(talk, event.body)
    else if (event.type === 'offered') this.#answer(this.zone.carrier, talk, 'caller', event)
    else if (event.type === 'failed' || event.type === 'ended') this.#forget(talk)
  }

  #pbx(event: LegEvent): void {
    const { zone } = this
    if (event.type === 'incoming') {
      const talk = this.#talks.get(idIn(event.headers))
      if (talk === undefined) return zone.run(zone.pbx, zone.pbx.reject(event.leg, 480, {}, zone.nowMs))
      talk.legs.agent = event.leg
      talk.ports.agent = portIn(event.body)
      return zone.run(zone.pbx, zone.pbx.ring(event.leg, 180, {}, zone.nowMs))
    }
    const talk = [...this.#talks.values()].find(({ legs }) => legs.agent === event.leg)
    if (talk !== undefined && event.type === 'offered') this.#answer(zone.pbx, talk, 'agent', event)
  }

  #answer(
    ua: UserAgent,
    talk: Talk,
    side: 'caller' | 'agent',
    { leg, body }: Extract<LegEvent, { type: 'offered' }>,
  ): void {
    const offered = readPhoneSdp(body, FORMATS)?.direction ?? 'sendrecv'
    const answer = { body: this.#sdp(talk, side, answeringDirection(offered)), contentType: SDP }
    this.zone.run(ua, ua.answerOffer(leg, answer, this.zone.nowMs))
  }

  #sdp(
    talk: Talk,
    side: 'caller' | 'agent',
    direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive' = 'sendrecv',
  ) {
    const body = writePhoneSdp(talk.speakers[side].address, FORMATS, direction, talk.version)
    const { secure } = talk
    return secure === undefined || side === 'agent' ? body : serializeSdp(secure.security.ownOffer(sdpIn(body)))
  }

  #secured(): NonNullable<Talk['secure']> {
    const security = new LegSecurity({ policy: 'required', keysAllowed: true, random: this.#random })
    return { security, srtp: new LegSrtp() }
  }

  /** The answer to an offer of the caller's, with our keys in it. */
  #agreed({ secure }: Talk, answer: Uint8Array): void {
    if (secure === undefined) return
    secure.security.theirAnswer(sdpIn(answer))
    secure.srtp.agree(secure.security.agreement, this.zone.nowMs)
    this.counts.secured++
  }

  #forget(talk: Talk): void {
    this.#talks.delete(talk.id)
    talk.secure?.srtp.close()
    talk.secure?.security.wipe()
  }

  #below(count: number): number {
    return Math.floor(randomUnit(this.#random) * count)
  }

  #oneIn(count: number): boolean {
    return this.#below(count) === 0
  }
}

function idIn(headers: readonly { readonly name: string; readonly value: string }[]): string {
  const value = headers.find(({ name }) => name.toLowerCase() === 'user-to-user')?.value ?? ''
  return Buffer.from(value.split(';')[0] ?? '', 'hex').toString()
}

function portIn(body: Uint8Array): number | undefined {
  const audio = readAudio(sdpIn(body))
  return typeof audio === 'string' ? undefined : audio.remote.port
}

function sdpIn(body: Uint8Array): Sdp {
  const sdp = parseSdp(body)
  if (typeof sdp === 'string') throw new Error(`not SDP: ${sdp}`)
  return sdp
}

function exponential(random: RandomBytes, meanMs: number): number {
  return -Math.log(1 - randomUnit(random)) * meanMs
}

/** Soft enough to be taken for no key. */
function noise(random: RandomBytes, samples: number): Int16Array {
  return Int16Array.from({ length: samples }, () => (randomUnit(random) - 0.5) * 800)
}

function frames(samples: Int16Array): Uint8Array[] {
  const whole = Math.floor(samples.length / 160)
  return Array.from({ length: whole }, (_, i) => encodeG711('PCMA', samples.subarray(i * 160, i * 160 + 160)))
}
