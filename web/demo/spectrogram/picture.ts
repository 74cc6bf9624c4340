/**
 * One scrolling spectrogram on a canvas. Columns are painted once into a ring; each frame copies the ring to its
 * place.
 */
import { dtmfHz, heightOf, hzAt } from './axis.ts'
import { BIN_HZ, BINS } from './columns.ts'
import { colourMap, parseRgb } from './colour-map.ts'

/** Columns kept: more than the widest pane shows. */
const RING_COLUMNS = 2_048
const RING_ROWS = 288
/** CSS pixels per column of 10 ms. */
const COLUMN_PX = 1.1
const FADE_PX = 130
/** Digits of 10 px are 7 px high: nearer than this they touch. */
const LABEL_GAP_PX = 9

/** The bin and its share for each row of the ring, top row first. */
const rowBins = Float32Array.from({ length: RING_ROWS }, (_, row) => hzAt(1 - (row + 0.5) / RING_ROWS) / BIN_HZ)

export class Picture {
  readonly #canvas: HTMLCanvasElement
  readonly #context: CanvasRenderingContext2D
  readonly #ring = new OffscreenCanvas(RING_COLUMNS, RING_ROWS)
  readonly #ringContext: OffscreenCanvasRenderingContext2D
  readonly #column = new ImageData(1, RING_ROWS)
  #colours = new Uint8ClampedArray(256 * 4)
  #lineColour = ''
  #labelColour = ''
  #font = ''
  #drawn = -1
  #next = 0
  #widthPx = 0
  #heightPx = 0

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas
    this.#context = contextOf(canvas.getContext('2d', { alpha: false }))
    this.#ringContext = contextOf(this.#ring.getContext('2d', { alpha: false }))
    this.restyle()
    new ResizeObserver(() => this.#resize()).observe(canvas)
    this.#resize()
  }

  /**
   * Takes the colours from the page anew, after a change between dark and light. What is painted already is forgotten.
   */
  restyle(): void {
    const style = getComputedStyle(this.#canvas)
    const ground = style.backgroundColor
    this.#colours = colourMap(parseRgb(ground), parseRgb(style.color), parseRgb(style.outlineColor))
    this.#lineColour = style.borderTopColor
    this.#labelColour = style.caretColor
    this.#font = `500 10px ${style.fontFamily}`
    this.#drawn = -1
    this.#ringContext.fillStyle = ground
    this.#ringContext.fillRect(0, 0, RING_COLUMNS, RING_ROWS)
  }

  /** @param index of the column on the common timeline; columns between the last one and this are left empty */
  paint(index: number, loudness: Float64Array): void {
    for (let gap = Math.max(this.#next, index - RING_COLUMNS); gap < index; gap++) this.#blank(gap)
    const { data } = this.#column
    for (let row = 0; row < RING_ROWS; row++) {
      const at = rowBins[row] ?? 0
      const bin = Math.min(BINS - 2, Math.floor(at))
      const share = at - bin
      const loud = (loudness[bin] ?? 0) * (1 - share) + (loudness[bin + 1] ?? 0) * share
      const colour = Math.round(loud * 255) * 4
      for (let channel = 0; channel < 4; channel++) data[row * 4 + channel] = this.#colours[colour + channel] ?? 0
    }
    this.#ringContext.putImageData(this.#column, index % RING_COLUMNS, 0)
    this.#next = index + 1
  }

  /**
   * Draws the ring with its young edge at one side; does nothing while time stands still.
   * @param shown fractional column at the young edge
   * @param youngEdge the side at which sound enters
   */
  draw(shown: number, youngEdge: 'left' | 'right'): void {
    if (shown === this.#drawn) return
    this.#drawn = shown
    const context = this.#context
    const scale = this.#canvas.width / Math.max(1, this.#widthPx)
    const columnPx = COLUMN_PX * scale
    const { width, height } = this.#canvas
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.fillStyle = getGround(this.#colours)
    context.fillRect(0, 0, width, height)
    // In the mirrored picture time runs to the right.
    if (youngEdge === 'left') context.setTransform(-1, 0, 0, 1, width, 0)
    const first = Math.max(0, Math.floor(shown - width / columnPx) - 1)
    const end = Math.min(Math.ceil(shown), this.#next)
    for (let from = first; from < end; ) {
      const inRing = from % RING_COLUMNS
      const count = Math.min(end - from, RING_COLUMNS - inRing)
      const x = width - (shown - from) * columnPx
      context.drawImage(this.#ring, inRing, 0, count, RING_ROWS, x, 0, count * columnPx, height)
      from += count
    }
    context.setTransform(scale, 0, 0, scale, 0, 0)
    this.#fadeOldEdge(youngEdge)
    this.#drawFrequencies(youngEdge)
  }

  /** The past fades into the ground, and the labels stay readable. */
  #fadeOldEdge(youngEdge: 'left' | 'right'): void {
    const old = youngEdge === 'right' ? 0 : this.#widthPx
    const inner = youngEdge === 'right' ? FADE_PX : this.#widthPx - FADE_PX
    const fade = this.#context.createLinearGradient(old, 0, inner, 0)
    fade.addColorStop(0.25, getGround(this.#colours))
    fade.addColorStop(1, getGround(this.#colours, 0))
    this.#context.fillStyle = fade
    this.#context.fillRect(Math.min(old, inner), 0, FADE_PX, this.#heightPx)
  }

  /** Faint lines where a keypad sounds, labelled at the old edge. */
  #drawFrequencies(youngEdge: 'left' | 'right'): void {
    const context = this.#context
    context.font = this.#font
    context.textAlign = youngEdge === 'right' ? 'left' : 'right'
    context.textBaseline = 'middle'
    const x = youngEdge === 'right' ? 14 : this.#widthPx - 14
    let labelledY = Number.POSITIVE_INFINITY
    for (const hz of dtmfHz) {
      const y = Math.round((1 - heightOf(hz)) * this.#heightPx) + 0.5
      context.strokeStyle = this.#lineColour
      context.lineWidth = 1
      context.beginPath()
      const labelled = labelledY - y >= LABEL_GAP_PX
      const inset = labelled ? 46 : 14
      context.moveTo(youngEdge === 'right' ? inset : 0, y)
      context.lineTo(youngEdge === 'right' ? this.#widthPx : this.#widthPx - inset, y)
      context.stroke()
      if (!labelled) continue
      labelledY = y
      context.fillStyle = this.#labelColour
      context.fillText(String(hz), x, y)
    }
  }

  #blank(index: number): void {
    this.#ringContext.fillStyle = getGround(this.#colours)
    this.#ringContext.fillRect(index % RING_COLUMNS, 0, 1, RING_ROWS)
  }

  #resize(): void {
    const scale = Math.min(2, devicePixelRatio)
    this.#widthPx = this.#canvas.clientWidth
    this.#heightPx = this.#canvas.clientHeight
    this.#canvas.width = Math.round(this.#widthPx * scale)
    this.#canvas.height = Math.round(this.#heightPx * scale)
    this.#drawn = -1
  }
}

function getGround(colours: Uint8ClampedArray, opacity = 1): string {
  return `rgb(${colours[0]} ${colours[1]} ${colours[2]} / ${opacity})`
}

function contextOf<T>(context: T | null): T {
  if (context === null) throw new Error('this browser has no 2D canvas')
  return context
}
