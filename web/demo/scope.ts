/** The hero: what the caller sends and what the agent hears, drawn side by side on one timeline, and its sound. */
import { element } from './dom.ts'
import type { LiveFrame } from './live-frame.ts'
import { LiveSound } from './sound/live-sound.ts'
import { ColumnMaker, HOP_SAMPLES } from './spectrogram/columns.ts'
import { Picture } from './spectrogram/picture.ts'
import { type Direction, Timeline } from './spectrogram/timeline.ts'

const STILL_STEP_COLUMNS = 100

export class Scope {
  readonly #timeline = new Timeline()
  readonly #sound = new LiveSound()
  readonly #makers: Record<Direction, ColumnMaker> = { caller: new ColumnMaker(), agent: new ColumnMaker() }
  readonly #pictures: Record<Direction, Picture>
  readonly #stacked = matchMedia('(max-width: 760px)')
  readonly #still = matchMedia('(prefers-reduced-motion: reduce)')

  constructor() {
    this.#pictures = {
      caller: new Picture(element('spectrogram-caller', HTMLCanvasElement)),
      agent: new Picture(element('spectrogram-agent', HTMLCanvasElement)),
    }
    for (const direction of ['caller', 'agent'] as const) this.#wireListening(direction)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const picture of Object.values(this.#pictures)) picture.restyle()
    })
    // The first click or key anywhere may start sound; browsers forbid it before.
    for (const gesture of ['pointerdown', 'keydown']) addEventListener(gesture, () => void this.#sound.start(), true)
    requestAnimationFrame(() => this.#draw())
  }

  frame({ direction, samples }: LiveFrame): void {
    this.#sound.play(direction, samples)
    const picture = this.#pictures[direction]
    let index = this.#timeline.place(direction, Math.round(samples.length / HOP_SAMPLES), performance.now())
    this.#makers[direction].push(samples, (loudness) => picture.paint(index++, loudness))
  }

  #wireListening(direction: Direction): void {
    const button = element(`listen-${direction}`, HTMLButtonElement)
    button.addEventListener('click', () => {
      const on = !this.#sound.heard[direction]
      this.#sound.hear(direction, on)
      button.setAttribute('aria-pressed', String(on))
    })
  }

  #draw(): void {
    const gliding = this.#timeline.shownAt(performance.now())
    // Whoever asked for less motion gets a picture that turns over once a second.
    const shown = this.#still.matches ? Math.floor(gliding / STILL_STEP_COLUMNS) * STILL_STEP_COLUMNS : gliding
    this.#pictures.caller.draw(shown, 'right')
    // Side by side, sound leaves the wall on both sides; one above the other, both run the same way.
    this.#pictures.agent.draw(shown, this.#stacked.matches ? 'right' : 'left')
    requestAnimationFrame(() => this.#draw())
  }
}
