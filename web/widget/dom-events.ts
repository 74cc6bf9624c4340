/** The events that the element dispatches to the page around it (`tonewall-…`, bubbling and composed). */
import type { Field } from './contract.ts'
import { type Panel, rows, screenOf } from './state.ts'

export type DomEvent = readonly [name: string, detail: object]

/** What a change of the panel tells the page; details are digit-free like the panel itself. */
export function domEvents(before: Panel, now: Panel): DomEvent[] {
  const events: DomEvent[] = []
  const wasOpen = before.capture?.open === true ? before.capture.captureId : undefined
  const isOpen = now.capture?.open === true ? now.capture.captureId : undefined
  if (wasOpen !== isOpen) {
    if (wasOpen !== undefined) events.push(['tonewall-unsecured', { captureId: wasOpen }])
    if (isOpen !== undefined) events.push(['tonewall-secured', { captureId: isOpen, mode: now.mode }])
  }
  if (isOpen !== undefined) {
    const old = new Map<string, Field>(rows(before).map((field) => [field.field, field]))
    for (const field of rows(now)) {
      if (old.get(field.field) !== field && (field.state !== 'idle' || old.get(field.field)?.state !== 'idle')) {
        events.push(['tonewall-field', field])
      }
    }
  }
  const screen = screenOf(now)
  if (screen !== screenOf(before) && screen !== 'card') events.push([`tonewall-${screen}`, now.payment ?? {}])
  if (now.link === 'token-expired' && before.link !== 'token-expired') events.push(['tonewall-token-expired', {}])
  if (now.notice !== undefined && now.notice !== before.notice) events.push(['tonewall-notice', { notice: now.notice }])
  return events
}
