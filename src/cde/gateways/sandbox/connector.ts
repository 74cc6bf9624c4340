import { currencyPlaces } from '../../../lib/money.ts'
import type { Outcome, QueryOutcome, ReverseOutcome } from '../../../wall/messages.ts'
import { type CardData, wipeCard } from '../../capture/card-data.ts'
import type { ChargeContext, GatewayConnector, GatewayDescription } from '../connector.ts'
import { declined } from '../declines.ts'
import { gatewayUrl, headerSecret } from '../endpoint.ts'
import { type SecretNames, scrubWire } from '../scrub.ts'
import { type Exchange, exchange } from './client.ts'
import { buildCharge, buildReverse, CHARGE_PATH, queryPath, REVERSE_PATH } from './request.ts'
import { parseCharge, parseQuery, parseReverse } from './response.ts'

export interface SandboxOptions {
  /** Where the sandbox gateway listens, for instance `http://127.0.0.1:9090`. */
  readonly url: string
  /** The gateway's key as it stands in its file. */
  readonly credential: Uint8Array
  /** Limit of each whole exchange. */
  readonly exchangeMs: number
}

const description: GatewayDescription = {
  id: 'sandbox',
  modes: { idempotentCharge: true, queryByReference: true, reverseByReference: true },
  // The sandbox writes a charge down before it does anything else; this covers the way there.
  queryLagMs: 2_000,
  placesOverrides: {},
}

const secrets: SecretNames = { jsonMembers: ['number', 'expiry', 'securityCode'], headers: ['authorization'] }

/**
 * The connector of the simulated gateway (docs/reference/sandbox-cards.md).
 * @throws TonewallError CONFIG_INVALID when the address or the credential cannot be used; its methods never throw
 */
export function createSandboxConnector(options: SandboxOptions): GatewayConnector {
  const base = gatewayUrl(options.url)
  const headers = { authorization: `Bearer ${headerSecret(options.credential)}`, 'content-type': 'application/json' }
  const get = (path: string): Promise<Exchange> =>
    exchange({ url: new URL(path, base), method: 'GET', headers, exchangeMs: options.exchangeMs })
  const post = (path: string, body: Uint8Array<ArrayBuffer>, exchangeMs = options.exchangeMs): Promise<Exchange> =>
    exchange({ url: new URL(path, base), method: 'POST', headers, body, exchangeMs })

  return {
    describe: () => description,
    scrub: (wire) => scrubWire(wire, secrets),

    async charge(card: CardData, context: ChargeContext): Promise<Outcome> {
      const body = chargeBody(card, context)
      if (!(body instanceof Uint8Array)) return body
      const limitMs = Math.min(options.exchangeMs, context.deadlineMs ?? options.exchangeMs)
      const answer = await post(CHARGE_PATH, body, limitMs)
      return answer.kind === 'answered' ? parseCharge(answer.status, scrubbed(answer.body), context) : answer
    },

    async query(reference: string): Promise<QueryOutcome> {
      const answer = await get(queryPath(reference))
      if (answer.kind !== 'answered') return { kind: 'unavailable' }
      return parseQuery(answer.status, scrubbed(answer.body), reference)
    },

    async reverse(reference: string): Promise<ReverseOutcome> {
      const body = buildReverse(reference)
      if (body === 'too-long') return 'unavailable'
      const answer = await post(REVERSE_PATH, body)
      if (answer.kind !== 'answered') return 'unavailable'
      return parseReverse(answer.status, scrubbed(answer.body), reference)
    },
  }
}

/** An answer before anything of it becomes a string: a gateway that echoes the number does not bring it back in. */
function scrubbed(body: Uint8Array): Uint8Array {
  const clean = scrubWire(body, secrets)
  body.fill(0)
  return clean
}

/** Renders the request and wipes the card at once; or says why nothing is sent. */
function chargeBody(card: CardData, context: ChargeContext): Uint8Array<ArrayBuffer> | Outcome {
  try {
    if (currencyPlaces(context.currency) === undefined) return declined('currency_unsupported')
    const body = buildCharge(card, context)
    if (body === 'no-card') return declined('processing_error')
    return body === 'too-long' ? declined('config_error') : body
  } finally {
    wipeCard(card)
  }
}
