/**
 * Plays both directions of the call: the caller in the left ear, the agent's side in the right, or one of them in
 * both.
 */
import { RATE_HZ } from '../spectrogram/columns.ts'
import type { Direction } from '../spectrogram/timeline.ts'
import type { PlaybackMessage } from './playback-worklet.ts'

const directions: readonly Direction[] = ['caller', 'agent']
const FADE_S = 0.03

interface Voice {
  readonly gain: GainNode
  readonly pan: StereoPannerNode
}

export class LiveSound {
  readonly heard: Record<Direction, boolean> = { caller: true, agent: true }
  #context: AudioContext | undefined
  #node: AudioWorkletNode | undefined
  #voices: Partial<Record<Direction, Voice>> = {}

  /** Browsers allow sound only after a click or key: call it from there; more calls do nothing. */
  async start(): Promise<void> {
    if (this.#context !== undefined) {
      if (this.#context.state === 'suspended') await this.#context.resume()
      return
    }
    // The browser resamples from the telephone's rate to the loudspeaker's.
    const context = new AudioContext({ sampleRate: RATE_HZ, latencyHint: 'interactive' })
    this.#context = context
    await context.audioWorklet.addModule(new URL('playback-worklet.js', document.baseURI))
    const node = new AudioWorkletNode(context, 'tonewall-playback', {
      numberOfInputs: 0,
      numberOfOutputs: 2,
      outputChannelCount: [1, 1],
    })
    for (const [output, direction] of directions.entries()) {
      const gain = new GainNode(context, { gain: 0 })
      const pan = new StereoPannerNode(context)
      node.connect(gain, output).connect(pan).connect(context.destination)
      this.#voices[direction] = { gain, pan }
    }
    this.#node = node
    this.#balance()
  }

  play(direction: Direction, samples: Int16Array): void {
    if (this.#node === undefined || this.#context?.state !== 'running') return
    const message: PlaybackMessage = [
      directions.indexOf(direction),
      Float32Array.from(samples, (sample) => sample / 32_768),
    ]
    this.#node.port.postMessage(message, [message[1].buffer])
  }

  hear(direction: Direction, on: boolean): void {
    this.heard[direction] = on
    this.#balance()
  }

  #balance(): void {
    const nowS = this.#context?.currentTime ?? 0
    const both = this.heard.caller && this.heard.agent
    for (const direction of directions) {
      const voice = this.#voices[direction]
      voice?.gain.gain.setTargetAtTime(this.heard[direction] ? 1 : 0, nowS, FADE_S)
      voice?.pan.pan.setTargetAtTime(both ? (direction === 'caller' ? -0.9 : 0.9) : 0, nowS, FADE_S)
    }
  }
}
