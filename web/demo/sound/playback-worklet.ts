/** Runs on the browser's audio thread: two outputs of one channel, the caller's sound and the agent's. */
import { JitterBuffer } from './jitter-buffer.ts'

// TypeScript's DOM library does not describe the audio thread.
declare class AudioWorkletProcessor {
  readonly port: MessagePort
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void

/** Index of the output, and its samples in -1 … 1. */
export type PlaybackMessage = readonly [output: number, samples: Float32Array]

class Playback extends AudioWorkletProcessor {
  readonly #buffers = [new JitterBuffer(), new JitterBuffer()]

  constructor() {
    super()
    this.port.addEventListener('message', (event: MessageEvent<PlaybackMessage>) => {
      this.#buffers[event.data[0]]?.push(event.data[1])
    })
    this.port.start()
  }

  process(_inputs: readonly Float32Array[][], outputs: readonly Float32Array[][]): boolean {
    for (const [index, buffer] of this.#buffers.entries()) {
      const out = outputs[index]?.[0]
      if (out !== undefined) buffer.pull(out)
    }
    return true
  }
}

registerProcessor('tonewall-playback', Playback)
