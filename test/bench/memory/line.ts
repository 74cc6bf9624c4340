/** A straight line through points: least squares, and how sure its slope is. */
export interface Line {
  readonly slope: number
  /** Half the width of the slope's interval of about 95 %: two standard errors. */
  readonly slopeError: number
  readonly at0: number
}

export function lineThrough(points: readonly { readonly x: number; readonly y: number }[]): Line {
  const n = points.length
  const mean = (of: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / n
  const [x0, y0] = [mean(({ x }) => x), mean(({ y }) => y)]
  const xx = points.reduce((sum, { x }) => sum + (x - x0) ** 2, 0)
  const slope = points.reduce((sum, { x, y }) => sum + (x - x0) * (y - y0), 0) / xx
  const at0 = y0 - slope * x0
  const residual = points.reduce((sum, { x, y }) => sum + (y - at0 - slope * x) ** 2, 0)
  return { slope, slopeError: 2 * Math.sqrt(residual / Math.max(1, n - 2) / xx), at0 }
}
