/** Fast Fourier transform, radix 2, decimation in time (Cooley and Tukey 1965), for real input. */

export class Fft {
  readonly size: number
  readonly #reversed: Uint16Array
  readonly #cos: Float64Array
  readonly #sin: Float64Array
  readonly #real: Float64Array
  readonly #imaginary: Float64Array

  /** @param size a power of two, 2 to 65,536 */
  constructor(size: number) {
    const bits = Math.log2(size)
    if (!Number.isInteger(bits) || bits < 1 || bits > 16) throw new RangeError('size must be a power of two')
    this.size = size
    this.#reversed = Uint16Array.from({ length: size }, (_, index) => reverseBits(index, bits))
    this.#cos = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size))
    this.#sin = Float64Array.from({ length: size / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / size))
    this.#real = new Float64Array(size)
    this.#imaginary = new Float64Array(size)
  }

  /**
   * @param input at most `size` samples; what is missing counts as zero
   * @param power receives |X[k]|² for k = 0 … size/2 − 1 (or as many as it holds)
   */
  powers(input: Float64Array, power: Float64Array): void {
    const { size } = this
    for (let i = 0; i < size; i++) this.#real[this.#reversed[i] ?? 0] = input[i] ?? 0
    this.#imaginary.fill(0)
    for (let half = 1; half < size; half *= 2) this.#combine(half)
    const count = Math.min(power.length, size / 2)
    for (let k = 0; k < count; k++) power[k] = (this.#real[k] ?? 0) ** 2 + (this.#imaginary[k] ?? 0) ** 2
  }

  /** One stage: pairs of transforms of length `half` become transforms of twice that. */
  #combine(half: number): void {
    const re = this.#real
    const im = this.#imaginary
    const step = this.size / (2 * half)
    for (let start = 0; start < this.size; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const cos = this.#cos[k * step] ?? 0
        const sin = this.#sin[k * step] ?? 0
        const low = start + k
        const high = low + half
        const turnedRe = (re[high] ?? 0) * cos - (im[high] ?? 0) * sin
        const turnedIm = (re[high] ?? 0) * sin + (im[high] ?? 0) * cos
        re[high] = (re[low] ?? 0) - turnedRe
        im[high] = (im[low] ?? 0) - turnedIm
        re[low] = (re[low] ?? 0) + turnedRe
        im[low] = (im[low] ?? 0) + turnedIm
      }
    }
  }
}

function reverseBits(value: number, bits: number): number {
  let reversed = 0
  for (let bit = 0; bit < bits; bit++) reversed |= ((value >> bit) & 1) << (bits - 1 - bit)
  return reversed
}
