/** What a simulated phone says: a voice clip over a very low comfort noise, and keypad tones on top. Sans-I/O. */
import { simLimits } from '../lib/limits.ts'
import { type RandomBytes, randomUnit } from '../lib/random.ts'

/** One packet of 20 ms at 8 kHz. */
export const FRAME_SAMPLES = 160
export const FRAME_MS = 20
export const RATE_HZ = 8_000

// About -65 dBm0 rms, uniform: a quiet room. Line silence of exact zeros would be unlike any telephone.
const NOISE_PEAK = 16
const NOISE_SAMPLES = 4_093

export class AudioSource {
  readonly #noise: Int16Array
  #noiseAt = 0
  #clip: Int16Array = new Int16Array(0)
  #clipAt = 0

  constructor(random: RandomBytes) {
    // A prime length keeps the repetition from lining up with packets.
    this.#noise = Int16Array.from({ length: NOISE_SAMPLES }, () =>
      Math.round((randomUnit(random) * 2 - 1) * NOISE_PEAK),
    )
  }

  /** Plays a clip from its start, in place of the one that is playing. Anything after the clip limit is not played. */
  speak(clip: Int16Array): void {
    this.#clip = clip.subarray(0, (simLimits.clipMs * RATE_HZ) / 1_000)
    this.#clipAt = 0
  }

  get speaking(): boolean {
    return this.#clipAt < this.#clip.length
  }

  /** The next 20 ms without a keypad tone. */
  next(): Int16Array {
    const frame = this.#comfortNoise()
    if (this.speaking) {
      addTo(frame, this.#clip.subarray(this.#clipAt, this.#clipAt + FRAME_SAMPLES))
      this.#clipAt += FRAME_SAMPLES
    }
    return frame
  }

  /**
   * The next 20 ms with a keypad tone in them.
   * @param tone up to 160 samples
   * @param talkOver true mixes the voice in; false mutes the microphone as telephones do: the voice waits and goes on afterwards
   */
  nextWithTone(tone: Int16Array, talkOver: boolean): Int16Array {
    const frame = talkOver ? this.next() : this.#comfortNoise()
    addTo(frame, tone)
    return frame
  }

  #comfortNoise(): Int16Array {
    const frame = new Int16Array(FRAME_SAMPLES)
    for (let i = 0; i < FRAME_SAMPLES; i++) frame[i] = this.#noise[(this.#noiseAt + i) % NOISE_SAMPLES] ?? 0
    this.#noiseAt = (this.#noiseAt + FRAME_SAMPLES) % NOISE_SAMPLES
    return frame
  }
}

/** Adds `samples` to the start of `frame`, clipped to 16 bits. */
export function addTo(frame: Int16Array, samples: Int16Array): void {
  const length = Math.min(frame.length, samples.length)
  for (let i = 0; i < length; i++) {
    frame[i] = Math.max(-32_768, Math.min(32_767, (frame[i] ?? 0) + (samples[i] ?? 0)))
  }
}
