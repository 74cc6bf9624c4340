/** The agent's desk: loads the panel from control, exactly as a customer's page would, and hands it the call. */
import { element } from './dom.ts'
import type { SimState } from './simulators.ts'

export interface PanelListener {
  onField(field: string, state: string): void
  onSecured(secured: boolean): void
}

export class AgentPane {
  readonly #pane = element('agent-pane', HTMLElement)
  readonly #resting = element('agent-resting', HTMLElement)
  readonly #loaded = new Map<string, Promise<void>>()
  #shownCallId: string | undefined

  constructor(listener: PanelListener) {
    this.#pane.addEventListener('tonewall-field', (event) => {
      const { field, state } = (event as CustomEvent<{ field: string; state: string }>).detail
      listener.onField(field, state)
    })
    this.#pane.addEventListener('tonewall-secured', () => listener.onSecured(true))
    this.#pane.addEventListener('tonewall-unsecured', () => listener.onSecured(false))
  }

  async show(widget: NonNullable<SimState['widget']>): Promise<void> {
    if (this.#shownCallId === widget.callId) return
    this.#shownCallId = widget.callId
    try {
      await this.#load(new URL('/widget.js', widget.api).href)
    } catch {
      this.#shownCallId = undefined
      this.#resting.textContent = 'The panel cannot be loaded from control.'
      return
    }
    const panel = document.createElement('tonewall-pay')
    const attributes: Record<string, string> = {
      api: widget.api,
      token: widget.token,
      call: widget.callId,
      'amount-minor': '4250',
      'amount-editable': '',
      currency: 'GBP',
      // The same after a reload, so that the result of this call is shown again.
      'order-reference': `demo-${widget.callId}`,
    }
    for (const [name, value] of Object.entries(attributes)) panel.setAttribute(name, value)
    this.#pane.querySelector('tonewall-pay')?.remove()
    this.#pane.append(panel)
    this.#resting.hidden = true
  }

  #load(url: string): Promise<void> {
    const known = this.#loaded.get(url)
    if (known !== undefined) return known
    const loading = new Promise<void>((resolve, reject) => {
      const script = document.createElement('script')
      script.type = 'module'
      script.src = url
      script.addEventListener('load', () => resolve())
      script.addEventListener('error', () => {
        script.remove()
        this.#loaded.delete(url)
        reject(new Error('not loaded'))
      })
      document.head.append(script)
    })
    this.#loaded.set(url, loading)
    return loading
  }
}
