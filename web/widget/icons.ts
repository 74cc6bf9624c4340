/**
 * The few drawings of the panel, inline, so that nothing is fetched. They are decoration: the words beside them say it
 * all.
 */
import { svg, type SVGTemplateResult } from 'lit'

const drawing = (body: SVGTemplateResult): SVGTemplateResult =>
  svg`<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2"
    stroke-linecap="round" stroke-linejoin="round">${body}</svg>`

export const lockOpen = drawing(
  svg`<rect x="5" y="11" width="14" height="9" rx="2.5"/><path d="M8 11V8a4 4 0 0 1 7.5-2"/>`,
)
export const lockClosed = drawing(
  svg`<rect x="5" y="11" width="14" height="9" rx="2.5" fill="currentColor"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/>`,
)
export const tick = drawing(svg`<path d="M5.5 12.5l4.2 4.2 8.8-9.2"/>`)
export const cross = drawing(svg`<path d="M7 7l10 10M17 7L7 17"/>`)
export const mark = drawing(svg`<path d="M12 6.5v7"/><path d="M12 17.4v.1"/>`)
export const clock = drawing(svg`<path d="M12 7v5.2l3.2 2"/>`)
export const back = drawing(svg`<path d="M8 8H5V5"/><path d="M5.4 8A8 8 0 1 1 4 12"/>`)
