/**
 * Loudness → colour, made from the page's one accent colour. Steps of loudness look alike because the map walks in
 * OKLab
 * (Björn Ottosson, 2020): lightness goes evenly from the ground to the brightest, the hue stays the accent's.
 */
export type Rgb = readonly [red: number, green: number, blue: number]

interface Lch {
  readonly l: number
  readonly c: number
  readonly h: number
}

/**
 * @param ground the colour of silence (the page's surface)
 * @param accent the colour of middle loudness
 * @param peak the colour of the loudest: near white on a dark ground, near black on a light one
 * @returns 256 colours as octets red, green, blue, alpha
 */
export function colourMap(ground: Rgb, accent: Rgb, peak: Rgb): Uint8ClampedArray<ArrayBuffer> {
  const from = toLch(ground)
  const middle = toLch(accent)
  const to = toLch(peak)
  const map = new Uint8ClampedArray(256 * 4)
  for (let i = 0; i < 256; i++) {
    const t = i / 255
    const l = from.l + (to.l - from.l) * t
    // Chroma is the accent's where the lightness is the accent's, and fades to both ends.
    const accentAt = Math.min(0.95, Math.max(0.05, (middle.l - from.l) / (to.l - from.l)))
    const near = t < accentAt ? t / accentAt : (1 - t) / (1 - accentAt)
    const c = middle.c * Math.sin((Math.PI / 2) * near) ** 0.9
    map.set([...toRgb({ l, c, h: middle.h }), 255], i * 4)
  }
  map.set([...ground, 255], 0)
  return map
}

/** Reads what getComputedStyle gives for a colour: `rgb(r, g, b)`, also with alpha. Black when it is anything else. */
export function parseRgb(css: string): Rgb {
  const match = /^rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)/.exec(css)
  return match === null ? [0, 0, 0] : [Number(match[1]), Number(match[2]), Number(match[3])]
}

export function toLch(rgb: Rgb): Lch {
  const [r, g, b] = [toLinear(rgb[0]), toLinear(rgb[1]), toLinear(rgb[2])]
  const long = Math.cbrt(0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b)
  const medium = Math.cbrt(0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b)
  const short = Math.cbrt(0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b)
  const l = 0.210_454_255_3 * long + 0.793_617_785 * medium - 0.004_072_046_8 * short
  const a = 1.977_998_495_1 * long - 2.428_592_205 * medium + 0.450_593_709_9 * short
  const bb = 0.025_904_037_1 * long + 0.782_771_766_2 * medium - 0.808_675_766 * short
  return { l, c: Math.hypot(a, bb), h: Math.atan2(bb, a) }
}

export function toRgb(colour: Lch): Rgb {
  const a = colour.c * Math.cos(colour.h)
  const b = colour.c * Math.sin(colour.h)
  const long = (colour.l + 0.396_337_777_4 * a + 0.215_803_757_3 * b) ** 3
  const medium = (colour.l - 0.105_561_345_8 * a - 0.063_854_172_8 * b) ** 3
  const short = (colour.l - 0.089_484_177_5 * a - 1.291_485_548 * b) ** 3
  return [
    fromLinear(4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short),
    fromLinear(-1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short),
    fromLinear(-0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701 * short),
  ]
}

function toLinear(octet: number): number {
  const unit = octet / 255
  return unit <= 0.040_45 ? unit / 12.92 : ((unit + 0.055) / 1.055) ** 2.4
}

function fromLinear(linear: number): number {
  const unit = linear <= 0.003_130_8 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055
  return Math.round(Math.min(1, Math.max(0, unit)) * 255)
}
