/** One header field. `name` as received, `value` unfolded and trimmed; both are octet strings (one char = one octet). */
export interface Header {
  readonly name: string
  readonly value: string
}

export interface SipRequest {
  readonly kind: 'request'
  readonly method: string
  readonly uri: string
  readonly headers: readonly Header[]
  readonly body: Uint8Array
}

export interface SipResponse {
  readonly kind: 'response'
  readonly status: number
  readonly reason: string
  readonly headers: readonly Header[]
  readonly body: Uint8Array
}

export type SipMessage = SipRequest | SipResponse
