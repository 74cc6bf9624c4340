/** `<tonewall-pay>`: the agent's panel. It knows how many digits were keyed, never which. */
import { html, LitElement, type PropertyValues, type TemplateResult } from 'lit'
import { announce } from './announce.ts'
import { type ChargeOrder, ControlApi } from './api.ts'
import type { CallEvent } from './contract.ts'
import { formatAmount, currencySign, parseAmount, plainAmount } from './money.ts'
import { cancelCapture, charge, type Desk, newChargeKey, requestField, resetField } from './orders.ts'
import { domEvents } from './dom-events.ts'
import { ownDesk } from './own-desk.ts'
import { readEvent } from './read-event.ts'
import { renderCard, renderLine } from './render-card.ts'
import { renderResult } from './render-result.ts'
import { type SetupProblem, setupProblem } from './setup.ts'
import { type Action, emptyPanel, isTaking, type Panel, reduce, rows, screenOf } from './state.ts'
import { base, resultStyles, rowStyles } from './styles.ts'
import { pause, subscribe } from './subscription.ts'

/** How long a screen reader may find what was said last; older than this it is no longer true. */
const SPOKEN_MS = 8_000

export class TonewallPay extends LitElement {
  static override readonly styles = [base, rowStyles, resultStyles]
  static override readonly properties = {
    api: { type: String },
    token: { type: String },
    call: { type: String },
    amountMinor: { type: Number, attribute: 'amount-minor' },
    currency: { type: String },
    orderReference: { type: String, attribute: 'order-reference' },
    gatewayAccount: { type: String, attribute: 'gateway-account' },
    amountEditable: { type: Boolean, attribute: 'amount-editable' },
    panel: { state: true },
    amountText: { state: true },
    spoken: { state: true },
  }

  /** Origin of control's API. */
  declare api: string
  /** A widget token for this call (POST /v1/calls/:callId/widget-tokens), never an API key. */
  declare token: string
  declare call: string
  declare amountMinor: number
  declare currency: string
  declare orderReference: string
  declare gatewayAccount: string
  declare amountEditable: boolean
  declare private panel: Panel
  declare private amountText: string
  declare private spoken: string

  #connection: AbortController | undefined
  #client: ControlApi | undefined
  /** A charge whose answer is not known: it is repeated as it was, whatever the agent changes meanwhile. */
  #unanswered: { readonly captureId: string; readonly order: ChargeOrder; readonly key: string } | undefined
  /** Another one for each call and order: what was ordered in an earlier one is not told to this one's panel. */
  #sitting = {}
  #focusNext = false
  #spokenTimer: ReturnType<typeof setTimeout> | undefined
  /** Told to the page's developer once. */
  #reported = ''

  constructor() {
    super()
    this.api = ''
    this.token = ''
    this.call = ''
    this.amountMinor = 0
    this.currency = 'GBP'
    this.orderReference = ''
    this.gatewayAccount = ''
    this.amountEditable = false
    this.panel = emptyPanel('')
    this.amountText = ''
    this.spoken = ''
    this.addEventListener('keydown', (event) => this.#onKeyDown(event))
  }

  override connectedCallback(): void {
    super.connectedCallback()
    if (this.hasUpdated) this.#connect()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#connection?.abort()
    clearTimeout(this.#spokenTimer)
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('amountMinor') || changed.has('currency')) {
      const known = Number.isInteger(this.amountMinor) && this.amountMinor > 0
      this.amountText = known ? plainAmount(this.amountMinor, this.currency) : ''
    }
    if (changed.has('call') || changed.has('orderReference')) {
      this.panel = emptyPanel(this.orderReference)
      this.#sitting = {}
      this.spoken = ''
    }
    if (['api', 'token', 'call', 'orderReference'].some((name) => changed.has(name))) this.#connect()
  }

  protected override updated(changed: PropertyValues): void {
    this.#reportOnce(this.#setupProblem()?.sentence)
    if (!changed.has('panel') || !this.#focusNext) return
    this.#focusNext = false
    this.renderRoot.querySelector<HTMLElement>(focusTarget(this.panel))?.focus()
  }

  protected override render(): TemplateResult {
    const amountMinor = this.#amount()
    const problem = this.#setupProblem()
    const amountLabel = amountMinor === undefined ? '' : formatAmount(amountMinor, this.currency)
    const { panel } = this
    const paid = panel.payment
    return html`<section class="panel" aria-label="Card payment" data-testid="panel" data-screen=${screenOf(panel)}>
      ${renderLine(panel, problem?.blind !== true)}
      ${
        screenOf(panel) === 'card'
          ? renderCard({
              panel,
              amountLabel,
              amountText: this.amountText,
              amountEditable: this.amountEditable,
              amountSign: currencySign(this.currency),
              amountValid: amountMinor !== undefined,
              amountExample: plainAmount(4250, this.currency),
              setupSentence: problem?.sentence,
              onAmount: (text) => {
                this.amountText = text
              },
              onMode: (mode) => this.#apply({ type: 'mode', mode }),
              onRow: (verb, field) => void this.#onRow(verb, field),
              onCharge: () => void this.#onCharge(),
              onCancel: (step) => this.#onCancel(step),
            })
          : renderResult({
              panel,
              amountLabel: paid === undefined ? amountLabel : formatAmount(paid.amountMinor, paid.currency),
              onAgain: () => this.#moveFocus({ type: 'again' }),
            })
      }
      <p class="hidden" role="status" aria-live="polite" data-testid="spoken">${this.spoken}</p>
    </section>`
  }

  #amount(): number | undefined {
    if (this.#setupProblem() !== undefined) return undefined
    return this.amountEditable ? parseAmount(this.amountText, this.currency) : this.amountMinor
  }

  #setupProblem(): SetupProblem | undefined {
    return setupProblem(this)
  }

  #reportOnce(sentence = ''): void {
    if (sentence !== '' && sentence !== this.#reported) console.error(`<tonewall-pay> ${sentence}`)
    this.#reported = sentence
  }

  #connect(): void {
    this.#connection?.abort()
    this.#client = undefined
    if (this.#setupProblem()?.blind === true) return
    const connection = new AbortController()
    this.#connection = connection
    const client = new ControlApi(this.api, this.token)
    this.#client = client
    const apply = (action: Action): void => {
      if (!connection.signal.aborted) this.#apply(action)
    }
    apply({ type: 'link', link: 'connecting' })
    const options = {
      url: client.eventsUrl(this.call),
      authorization: client.authorization,
      onEvent: (event: Parameters<typeof readEvent>[0]) => {
        const heard = readEvent(event)
        if (heard !== undefined) apply({ type: 'event', event: heard satisfies CallEvent })
      },
      onLink: (link: Panel['link']) => apply({ type: 'link', link }),
      pause,
    }
    void subscribe(options, connection.signal)
    void askCallState(client, this.call, apply)
  }

  #apply(action: Action): void {
    const before = this.panel
    this.panel = reduce(before, action)
    if (this.panel === before) return
    const words = announce(before, this.panel)
    if (words !== '') this.#say(words)
    if (this.#rowWithFocusIsDone(before) || screenOf(before) !== screenOf(this.panel))
      this.#focusNext ||= this.#hasFocus()
    for (const [name, detail] of domEvents(before, this.panel)) {
      this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }))
    }
  }

  #say(words: string): void {
    this.spoken = words
    clearTimeout(this.#spokenTimer)
    this.#spokenTimer = setTimeout(() => {
      this.spoken = ''
    }, SPOKEN_MS)
  }

  #moveFocus(action: Action): void {
    this.#focusNext = this.#hasFocus()
    this.#apply(action)
  }

  #hasFocus(): boolean {
    return this.shadowRoot?.activeElement instanceof HTMLElement
  }

  /**
   * The caller has finished the field whose button has the focus: Enter should now do the next thing, not reset this.
   */
  #rowWithFocusIsDone(before: Panel): boolean {
    const row = this.shadowRoot?.activeElement?.closest<HTMLElement>('.row')
    const name = row?.dataset['testid']?.replace('field-', '')
    const state = (panel: Panel): string | undefined => rows(panel).find((field) => field.field === name)?.state
    return name !== undefined && state(before) !== 'valid' && state(this.panel) === 'valid'
  }

  #desk(): Desk | undefined {
    const api = this.#client
    if (api === undefined) return undefined
    const sitting = this.#sitting
    const desk = { api, callId: this.call, panel: () => this.panel, apply: (action: Action) => this.#apply(action) }
    return ownDesk(desk, () => this.#sitting === sitting)
  }

  async #onRow(verb: 'request' | 'request-all' | 'reset', field: string): Promise<void> {
    const desk = this.#desk()
    if (desk === undefined || (verb !== 'reset' && this.#amount() === undefined)) return
    await (verb === 'reset' ? resetField(desk, field) : requestField(desk, field, this.panel.mode))
  }

  async #onCharge(): Promise<void> {
    const desk = this.#desk()
    const captureId = this.panel.capture?.captureId
    const amountMinor = this.#amount()
    if (desk === undefined || captureId === undefined || amountMinor === undefined) return
    const account = this.gatewayAccount === '' ? {} : { gatewayAccount: this.gatewayAccount }
    const order = { amountMinor, currency: this.currency, orderReference: this.orderReference, ...account }
    if (this.#unanswered?.captureId !== captureId) this.#unanswered = { captureId, order, key: newChargeKey() }
    const unanswered = this.#unanswered
    await charge(desk, unanswered.order, unanswered.key)
    if (desk.panel().notice !== 'charge-unanswered' && this.#unanswered === unanswered) this.#unanswered = undefined
  }

  #onCancel(step: 'ask' | 'keep' | 'cancel'): void {
    this.#moveFocus({ type: 'confirm-cancel', open: step === 'ask' })
    const desk = this.#desk()
    if (step === 'cancel' && desk !== undefined) void cancelCapture(desk)
  }

  #onKeyDown(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !isTaking(this.panel)) return
    event.preventDefault()
    this.#onCancel(this.panel.confirmingCancel ? 'keep' : 'ask')
  }
}

/** The stream tells it too, but only to panels that hear the call from its beginning. */
async function askCallState(client: ControlApi, callId: string, apply: (action: Action) => void): Promise<void> {
  const answer = await client.call(callId)
  if (answer.ok) apply({ type: 'call', call: callState(answer.value['state']) })
}

function callState(state: unknown): Panel['call'] {
  return state === 'answered' || state === 'ended' || state === 'ringing' ? state : 'unknown'
}

/** Where Enter is most useful next. */
function focusTarget(panel: Panel): string {
  if (screenOf(panel) !== 'card') return '[data-testid=again], h2'
  if (panel.confirmingCancel) return '[data-testid=cancel-confirm]'
  const next = rows(panel).find((field) => field.state !== 'valid')
  return next === undefined ? '.charge' : `[data-testid=field-${next.field}] button`
}

declare global {
  interface HTMLElementTagNameMap {
    'tonewall-pay': TonewallPay
  }
}

// A page that loads the script twice keeps the first.
if (customElements.get('tonewall-pay') === undefined) customElements.define('tonewall-pay', TonewallPay)
