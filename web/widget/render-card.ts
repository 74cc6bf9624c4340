/** The panel's first face: amount, style, the three rows and the charge. */
import { html, nothing, type TemplateResult } from 'lit'
import type { CaptureMode, Field } from './contract.ts'
import { lockClosed, lockOpen, mark, tick } from './icons.ts'
import { rowAction } from './row-action.ts'
import { allValid, canOrder, isTaking, type Panel, rows } from './state.ts'
import {
  brandNames,
  callerSilentSentence,
  fieldErrorSentence,
  labelOf,
  linkWords,
  noticeOf,
  promptOf,
  uncertainSentence,
} from './words.ts'

export interface CardView {
  readonly panel: Panel
  readonly amountLabel: string
  /** What stands in the input when the agent may change the amount. */
  readonly amountText: string
  readonly amountEditable: boolean
  readonly amountSign: string
  readonly amountValid: boolean
  /** For instance `42.50`, in the places of the currency. */
  readonly amountExample: string
  /** What the page has set up wrongly: then nothing is asked of the caller and nothing is charged. */
  readonly setupSentence: string | undefined
  readonly onAmount: (text: string) => void
  readonly onMode: (mode: CaptureMode) => void
  readonly onRow: (verb: 'request' | 'request-all' | 'reset', field: string) => void
  readonly onCharge: () => void
  readonly onCancel: (step: 'ask' | 'keep' | 'cancel') => void
}

export function renderCard(view: CardView): TemplateResult {
  const { panel } = view
  const fields = rows(panel)
  const notice = noticeIn(view)
  const chargeable = allValid(panel) && canOrder(panel) && !isHeld(view) && panel.busy === 'none'
  return html`
    <div class="top">${renderAmount(view)} ${renderModes(view)}</div>
    <ol class="rows">
      ${fields.map((field, index) => renderRow(view, field, index === 0))}
    </ol>
    <p class="notice" id="notice" data-testid="notice" ?hidden=${notice === undefined}>
      ${notice ?? nothing}
    </p>
    <div class="bottom">
      ${panel.confirmingCancel ? renderConfirm(view) : renderButtons(view, chargeable)}
    </div>
  `
}

const isHeld = ({ setupSentence, amountValid }: CardView): boolean => setupSentence !== undefined || !amountValid

/** The most lasting trouble first. */
function noticeIn({ panel, setupSentence, amountValid, amountExample }: CardView): string | undefined {
  if (setupSentence !== undefined) return setupSentence
  const cutOff = linkWords[panel.link]
  if (cutOff !== undefined) return cutOff
  if (!amountValid) return `Enter an amount such as ${amountExample}.`
  if (panel.notice !== undefined) return noticeOf(panel.notice)
  return panel.callerSilent && isTaking(panel) ? callerSilentSentence : undefined
}

function renderAmount(view: CardView): TemplateResult {
  if (!view.amountEditable) return html`<p class="amount" data-testid="amount">${view.amountLabel}</p>`
  return html`<label class="amount editable">
    <span class="hidden">Amount</span><span aria-hidden="true">${view.amountSign}</span>
    <input
      data-testid="amount" inputmode="decimal" autocomplete="off" maxlength="16"
      size=${Math.max(4, view.amountText.length)}
      .value=${view.amountText} aria-invalid=${view.amountValid ? 'false' : 'true'} aria-describedby="notice"
      @input=${(event: InputEvent) => view.onAmount((event.target as HTMLInputElement).value)}
    />
  </label>`
}

function renderModes(view: CardView): TemplateResult {
  const choice = (mode: CaptureMode, label: string): TemplateResult => html`<label>
    <input type="radio" name="mode" data-testid="mode-${mode}" .checked=${view.panel.mode === mode}
      ?disabled=${isTaking(view.panel)} @change=${() => view.onMode(mode)} /><span>${label}</span>
  </label>`
  return html`<fieldset class="modes">
    <legend class="hidden">How the caller keys the card</legend>
    ${choice('field', 'Field by field')} ${choice('continuous', 'All in one go')}
  </fieldset>`
}

function renderRow(view: CardView, field: Field, isFirst: boolean): TemplateResult {
  const action = rowAction(view.panel, field, isFirst)
  const resets = action?.verb === 'reset'
  const enabled = action?.enabled === true && (resets || !isHeld(view))
  return html`<li class="row ${field.state}" data-testid="field-${field.field}"
    data-state=${field.state} data-count=${field.count}>
    <span class="marker" aria-hidden="true">${markerOf(field)}</span>
    <span class="label">${labelOf(field.field)}</span>
    <span class="value">${renderValue(field)}</span>
    ${
      action === undefined
        ? html`<span class="no-action"></span>`
        : html`<button
          class=${resets ? 'quiet' : 'ask'} data-testid="${resets ? 'reset' : 'request'}-${field.field}"
          aria-disabled=${enabled ? 'false' : 'true'}
          aria-label="${action.label}: ${labelOf(field.field)}"
          @click=${() => enabled && view.onRow(action.verb, field.field)}
        >${action.label}</button>`
    }
  </li>`
}

function markerOf(field: Field): unknown {
  if (field.state === 'valid') return tick
  return field.state === 'error' ? mark : nothing
}

function renderValue(field: Field): TemplateResult {
  if (field.state === 'error' || (field.state === 'requested' && field.error !== undefined)) {
    return html`<span class="wrong" data-testid="error-${field.field}">${fieldErrorSentence(field)}</span>`
  }
  if (field.state === 'collecting' && field.uncertain !== undefined)
    return html`<span class="wrong" data-testid="uncertain-${field.field}">${uncertainSentence}</span>`
  if (field.state === 'requested' && field.count === 0)
    return html`<span class="prompt">${promptOf(field.field)}</span>`
  if (field.state === 'valid' && field.brand !== undefined && field.lastFour !== undefined) {
    return html`<span class="brand" data-testid="brand">${brandNames[field.brand]}</span
      ><span class="last-four" data-testid="last-four"><span class="hidden">ending in </span
        ><span aria-hidden="true">••••</span> ${field.lastFour}</span>`
  }
  return renderDots(field)
}

/**
 * One dot per key; the keys still to come as faint dots when the brand has fixed the length. Grouped as printed on
 * cards.
 */
function renderDots(field: Field): TemplateResult {
  const total = Math.max(field.expected ?? 0, field.count)
  const dots = Array.from({ length: total }, (_, index) => {
    const groupEnd = field.field === 'cardNumber' ? endsGroup(index, total) : field.field === 'expiry' && index === 1
    return html`<i class="dot ${index < field.count ? 'on' : ''} ${groupEnd ? 'gap' : ''}"></i>`
  })
  const words = field.expected === undefined ? `${field.count} keyed` : `${field.count} of ${field.expected}`
  return html`<span class="dots" aria-hidden="true">${dots}</span
    ><span class=${field.state === 'collecting' ? 'count' : 'hidden'}>${field.count > 0 ? words : ''}</span>`
}

/** 4-4-4-4, and 4-6-5 for fifteen digits. */
function endsGroup(index: number, total: number): boolean {
  if (index === total - 1) return false
  return total === 15 ? index === 3 || index === 9 : index % 4 === 3
}

function renderButtons(view: CardView, chargeable: boolean): TemplateResult {
  return html`<button class="charge" data-testid="charge" aria-disabled=${chargeable ? 'false' : 'true'}
      @click=${() => chargeable && view.onCharge()}>Charge ${view.amountLabel}</button>
    <button class="quiet cancel" data-testid="cancel" ?hidden=${!isTaking(view.panel)}
      @click=${() => view.onCancel('ask')}>Cancel</button>`
}

function renderConfirm(view: CardView): TemplateResult {
  return html`<p class="question" id="question">Forget this card?</p>
    <button class="quiet" data-testid="cancel-keep" @click=${() => view.onCancel('keep')}>Keep it</button>
    <button class="ask" data-testid="cancel-confirm" aria-describedby="question"
      @click=${() => view.onCancel('cancel')}>Forget it</button>`
}

/** The line above the panel: is what the caller keys hidden from the agent now? Unknown when the call is not followed. */
export function renderLine(panel: Panel, followed: boolean): TemplateResult {
  const isClosed = panel.capture?.open === true
  const [state, words] = followed ? lineWords(panel) : ['quiet', 'Not connected']
  return html`<p class="line ${state}" data-testid="line" data-state=${state}>
    <span class="lock" aria-hidden="true">${isClosed ? lockClosed : lockOpen}</span>${words}
  </p>`
}

function lineWords(panel: Panel): readonly [state: string, words: string] {
  if (linkWords[panel.link] !== undefined) return ['quiet', 'Not connected']
  if (panel.link === 'lost') return ['waiting', 'Reconnecting…']
  if (panel.cardZone === 'down') return ['waiting', 'Cards cannot be taken for a moment…']
  if (panel.call === 'ended') return ['quiet', 'The call has ended']
  if (panel.call !== 'answered') return ['quiet', 'Waiting for the call']
  if (panel.capture?.open !== true) return ['quiet', 'Line open']
  return panel.capture.secured ? ['secured', 'Line secured'] : ['waiting', 'Securing the line…']
}
