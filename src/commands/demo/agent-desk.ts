/** The agent's side of the demo: what the widget does, by the API alone. Times every event for the key-to-screen figure. */
export interface FieldState {
  readonly field: string
  readonly state: string
  readonly count: number
  readonly brand?: string
  readonly lastFour?: string
  readonly error?: string
}

export interface StreamEvent {
  readonly type: string
  readonly atMs: number
  readonly data: Readonly<Record<string, unknown>>
}

export interface PaymentView {
  readonly paymentId: string
  readonly state: string
  readonly brand?: string
  readonly lastFour?: string
  readonly authCode?: string
  readonly decline?: { readonly code: string }
}

const ANSWER_MS = 10_000

export class AgentDesk {
  readonly #api: string
  readonly #token: string
  readonly #callId: string
  readonly #abort = new AbortController()
  readonly #listeners = new Set<(event: StreamEvent) => void>()

  /** @param token a widget token of this call */
  constructor(api: string, token: string, callId: string) {
    this.#api = api
    this.#token = token
    this.#callId = callId
  }

  /** Opens the event stream; resolves when it is open. */
  async listen(): Promise<void> {
    const response = await fetch(`${this.#api}/v1/calls/${this.#callId}/events`, {
      headers: { authorization: `Bearer ${this.#token}` },
      signal: this.#abort.signal,
    })
    if (!response.ok || response.body === null) throw new Error(`event stream refused: ${response.status}`)
    void this.#read(response.body)
  }

  onEvent(listener: (event: StreamEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The next event that fits. @throws when none comes in time */
  async next(fits: (event: StreamEvent) => boolean, timeoutMs = ANSWER_MS): Promise<StreamEvent> {
    const { promise, resolve, reject } = Promise.withResolvers<StreamEvent>()
    const stop = this.onEvent((event) => fits(event) && resolve(event))
    const late = setTimeout(() => reject(new Error('the expected event did not come in time')), timeoutMs)
    try {
      return await promise
    } finally {
      clearTimeout(late)
      stop()
    }
  }

  async startCapture(mode: 'field' | 'continuous'): Promise<string> {
    const capture = (await this.#post(`/v1/calls/${this.#callId}/captures`, { mode })) as { captureId: string }
    return capture.captureId
  }

  async request(captureId: string, field: string): Promise<void> {
    await this.#post(`/v1/captures/${captureId}/fields/${field}/request`, {})
  }

  /** Charges the captured card and waits for the gateway's answer. */
  async charge(captureId: string, amountMinor: number, orderReference: string): Promise<PaymentView> {
    const decided = this.next((event) => event.type === 'payment.changed' && paymentOf(event).state !== 'submitting')
    const body = { amountMinor, currency: 'GBP', orderReference }
    const ordered = this.#post(`/v1/captures/${captureId}/payments`, body, {
      'idempotency-key': `${captureId}-${orderReference}`,
    })
    const [event] = await Promise.all([decided, ordered])
    return paymentOf(event)
  }

  close(): void {
    this.#abort.abort()
  }

  async #post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
    const response = await fetch(this.#api + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    const answer = (await response.json()) as { error?: { code?: string } }
    if (!response.ok) throw new Error(`the API refused: ${response.status} ${answer.error?.code ?? ''}`)
    return answer
  }

  async #read(stream: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder()
    let text = ''
    try {
      for await (const chunk of stream) {
        text += decoder.decode(chunk, { stream: true })
        const blocks = text.split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) this.#emit(block)
      }
    } catch {
      // Aborted by close(), or the product went away; whoever waits for an event says so.
    }
  }

  #emit(block: string): void {
    const line = (name: string): string | undefined =>
      block
        .split('\n')
        .find((candidate) => candidate.startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim()
    const type = line('event')
    const data = line('data')
    if (type === undefined || data === undefined) return
    const event = { type, atMs: performance.now(), data: JSON.parse(data) as Record<string, unknown> }
    for (const listener of [...this.#listeners]) listener(event)
  }
}

export function fieldOf(event: StreamEvent): FieldState {
  return event.data['field'] as FieldState
}

export function paymentOf(event: StreamEvent): PaymentView {
  return event.data['payment'] as PaymentView
}
