/** One call's media on a simulated phone: the RTP socket, its sender, its receiver and the recordings. The shell around them. */
import type { Carriage, KeyCode } from '../cde/dtmf/key-codes.ts'
import { isG711 } from '../cde/media/audio-formats.ts'
import type { AudioFormat, AudioSession } from '../cde/media/audio-session.ts'
import type { MediaEngine, MediaSocket } from '../cde/media/socket.ts'
import type { Address } from '../lib/address.ts'
import type { Clock } from '../lib/clock.ts'
import { simLimits } from '../lib/limits.ts'
import type { RandomBytes } from '../lib/random.ts'
import { AudioSource, FRAME_MS } from './audio-source.ts'
import { Recorder, type Recording } from './recorder.ts'
import { RtpReceiver } from './rtp-receiver.ts'
import { RtpSender } from './rtp-sender.ts'

export interface PhoneMediaOptions {
  readonly clock: Clock
  readonly random: RandomBytes
  readonly talkOver: boolean
  onPress(carriage: Carriage, atMs: number): void
  onInfo(key: KeyCode, holdMs: number): void
  /** An RFC 4733 packet arrived. */
  onEventPacket(payload: Uint8Array, ssrc: number, timestamp: number): void
  /** Nothing was heard for seconds on a line that should speak: whoever carried it is gone. Once. */
  onLineDead(): void
  /** Every 20 ms while the phone sends. @param heard what it hears, jitter removed */
  onFrame(monitor: Int16Array, heard: Int16Array): void
}

/** What went over one phone, on the clock that all recordings of the process share. */
export interface PhoneRecordings {
  /** The audio exactly as it was sent. */
  readonly sent: Recording | undefined
  /** The same, with the tone mixed in for keys that went as RFC 4733 or INFO. */
  readonly monitor: Recording | undefined
  readonly heard: Recording | undefined
}

export class PhoneMedia {
  readonly #options: PhoneMediaOptions
  readonly #source: AudioSource
  readonly #receiver: RtpReceiver
  readonly #sent = new Recorder()
  readonly #monitor = new Recorder()
  #socket: MediaSocket | undefined
  #sender: RtpSender | undefined
  #sendStartedAtMs: number | undefined
  #remote: Address | undefined
  #mayHear = true
  /** The peer said that it sends: silence then means that it is gone. */
  #expectsAudio = false
  #heardAtMs: number | undefined
  #timer: NodeJS.Timeout | undefined
  #waiting: ((done: boolean) => void)[] = []
  #closed = false

  private constructor(options: PhoneMediaOptions) {
    this.#options = options
    this.#source = new AudioSource(options.random)
    this.#receiver = new RtpReceiver((payload, ssrc, timestamp) => options.onEventPacket(payload, ssrc, timestamp))
  }

  /** Binds the RTP socket. @param local port 0 takes a free one. Rejects when the address cannot be bound */
  static async open(engine: MediaEngine, local: Address, options: PhoneMediaOptions): Promise<PhoneMedia> {
    const media = new PhoneMedia(options)
    media.#socket = await engine.open(local, (packet, from) => {
      if (from.host !== media.#remote?.host) return
      media.#heardAtMs = options.clock.monotonicMs()
      media.#receiver.receive(packet, media.#heardAtMs)
    })
    return media
  }

  get local(): Address {
    if (this.#socket === undefined) throw new Error('the phone has no socket')
    return this.#socket.local
  }

  /** Takes over what offer and answer agreed on. May be called again for a re-INVITE. @param own payload types we receive */
  connect(remote: AudioSession, own: readonly AudioFormat[]): void {
    this.#remote = remote.remote
    this.#mayHear = remote.direction === 'sendrecv' || remote.direction === 'recvonly'
    this.#expectsAudio = remote.direction === 'sendrecv' || remote.direction === 'sendonly'
    this.#heardAtMs = this.#options.clock.monotonicMs()
    this.#receiver.setFormats(own)
  }

  /** Starts sending what `connect` agreed on. Does nothing when it sends already. */
  startSending(remote: AudioSession): void {
    const audio = remote.formats.find(isG711)
    if (this.#sender !== undefined || this.#closed || audio === undefined) return
    const startMs = this.#options.clock.monotonicMs()
    this.#sendStartedAtMs = startMs - FRAME_MS
    this.#sender = new RtpSender({
      codec: audio.codec,
      payloadType: audio.payloadType,
      eventPayloadType: remote.formats.find(({ codec }) => codec === 'telephone-event')?.payloadType,
      source: this.#source,
      random: this.#options.random,
      startMs,
      talkOver: this.#options.talkOver,
      onFrame: (position, sent, monitor) => this.#frame(position, sent, monitor),
      onPress: (carriage, atMs) => this.#options.onPress(carriage, atMs),
      onPressOver: () => this.#waiting.shift()?.(true),
      onInfo: (key, holdMs) => this.#options.onInfo(key, holdMs),
    })
    this.#run()
  }

  speak(clip: Int16Array): void {
    this.#source.speak(clip)
  }

  get speaking(): boolean {
    return this.#source.speaking
  }

  /**
   * @returns undefined when the press is refused: nothing is sent yet, or too many presses wait; otherwise a promise of true
   *   when the press is over, its pause included, and of false when the call ended before
   */
  press(key: KeyCode, carriage: Carriage, holdMs: number): Promise<boolean> | undefined {
    if (this.#sender?.press(key, carriage, holdMs) !== true) return undefined
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  recordings(): PhoneRecordings {
    const startedAtMs = this.#sendStartedAtMs
    return {
      sent: startedAtMs === undefined ? undefined : this.#sent.recording(startedAtMs),
      monitor: startedAtMs === undefined ? undefined : this.#monitor.recording(startedAtMs),
      heard: this.#receiver.recording(),
    }
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#receiver.counters(), skippedPackets: this.#sender?.skippedPackets ?? 0 }
  }

  /** Stops sending and listening. The recordings stay. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    this.#socket?.close()
    this.#sender?.dropPresses()
    for (const resolve of this.#waiting.splice(0)) resolve(false)
  }

  #run(): void {
    const sender = this.#sender
    if (this.#closed || sender === undefined) return
    for (const packet of sender.wake(this.#options.clock.monotonicMs())) {
      if (this.#mayHear && this.#remote !== undefined) this.#socket?.send(packet, this.#remote)
    }
    const silentMs = this.#options.clock.monotonicMs() - (this.#heardAtMs ?? Number.POSITIVE_INFINITY)
    if (this.#expectsAudio && silentMs > simLimits.deadLineMs) {
      this.#options.onLineDead()
      return
    }
    const waitMs = sender.nextWakeAtMs() - this.#options.clock.monotonicMs()
    this.#timer = setTimeout(() => this.#run(), Math.max(0, Math.ceil(waitMs)))
  }

  #frame(position: number, sent: Int16Array, monitor: Int16Array): void {
    this.#sent.write(position, sent)
    this.#monitor.write(position, monitor)
    this.#options.onFrame(monitor, this.#receiver.nextLiveFrame())
  }
}
