/** The panel's second face: what became of the payment, large enough to read while talking. */
import { html, nothing, type TemplateResult } from 'lit'
import type { Payment } from './contract.ts'
import { back, clock, cross, mark, tick } from './icons.ts'
import { canTakeAgain, type Panel, type Screen, screenOf } from './state.ts'
import { brandNames } from './words.ts'

export interface ResultView {
  readonly panel: Panel
  readonly amountLabel: string
  readonly onAgain: () => void
}

const titles: Readonly<Record<Exclude<Screen, 'card'>, string>> = {
  charging: 'Charging…',
  approved: 'Approved',
  declined: 'Declined',
  checking: 'Checking with the bank',
  'not-sent': 'Not sent',
  reversed: 'Taken back',
  'needs-review': 'Needs a look',
}

/** Before control has said a word about the payment. */
const firstSentences: Partial<Readonly<Record<Screen, string>>> = {
  charging: 'The bank is being asked. This takes a few seconds.',
  checking: 'Do not take the card again. The answer appears here.',
}

export function renderResult(view: ResultView): TemplateResult {
  const screen = screenOf(view.panel)
  if (screen === 'card') return html``
  const payment = view.panel.payment
  return html`<div class="result ${screen}" data-testid="result" data-state=${screen}>
    <span class="seal" aria-hidden="true">${sealOf(screen)}</span>
    <h2 tabindex="-1" data-testid="result-title">${titles[screen]}</h2>
    <p class="paid">${view.amountLabel}${cardWords(payment)}</p>
    ${renderSentence(screen, payment)}
    ${
      screen === 'approved' && payment?.authCode !== undefined
        ? html`<p class="code"><span>Authorisation code</span><b data-testid="auth-code">${payment.authCode}</b></p>`
        : nothing
    }
    ${
      canTakeAgain(view.panel)
        ? html`<button class="ask" data-testid="again" @click=${view.onAgain}>${againLabel(payment)}</button>`
        : nothing
    }
  </div>`
}

function renderSentence(screen: Screen, payment: Payment | undefined): TemplateResult | typeof nothing {
  const sentence = firstSentences[screen] ?? (screen === 'approved' ? undefined : payment?.message)
  return sentence === undefined ? nothing : html`<p class="reason" data-testid="result-reason">${sentence}</p>`
}

function againLabel(payment: Payment | undefined): string {
  if (payment?.state === 'not-sent') return 'Try again'
  const other = payment?.decline !== undefined && payment.decline.advice !== 'same_card'
  return other ? 'Take another card' : 'Take the card again'
}

function cardWords(payment: Payment | undefined): string {
  if (payment?.brand === undefined) return ''
  return ` · ${brandNames[payment.brand]}${payment.lastFour === undefined ? '' : ` •••• ${payment.lastFour}`}`
}

function sealOf(screen: Screen): unknown {
  switch (screen) {
    case 'approved':
      return tick
    case 'declined':
      return cross
    case 'needs-review':
    case 'not-sent':
      return mark
    case 'reversed':
      return back
    case 'checking':
      return clock
    case 'charging':
    case 'card':
      return nothing
  }
}
