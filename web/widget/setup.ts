/**
 * Is the element set up? Its attributes are checked against what the API takes before anything is asked, so that a
 * mistake of the page is named here and not met by an agent with a caller on the line.
 */
import { ID_PATTERN } from '../../src/lib/ids.ts'
import { widgetLimits } from '../../src/lib/limits.ts'
import { findCardNumber } from '../../src/lib/luhn-scan.ts'
import { currencyPlaces } from '../../src/lib/money.ts'

export interface Setup {
  readonly api: string
  readonly token: string
  readonly call: string
  readonly orderReference: string
  /** NaN for what is no number. */
  readonly amountMinor: number
  readonly currency: string
  readonly gatewayAccount: string
  /** Then the amount may be left out: the agent enters it. */
  readonly amountEditable: boolean
}

type Attribute = 'api' | 'token' | 'call' | 'order-reference' | 'currency' | 'amount-minor' | 'gateway-account'

export interface SetupProblem {
  readonly attribute: Attribute
  /** One sentence for the panel and the console. */
  readonly sentence: string
  /** The call cannot be followed: neither its state nor a result may be shown. */
  readonly blind: boolean
}

// RFC 6750 section 2.1, bounded as the API bounds it.
const TOKEN = /^[\x21-\x7e]{1,512}$/
const ORDER_REFERENCE = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/
const CONFIGURED_NAME = /^[a-z][a-zA-Z0-9-]{0,39}$/

/** @returns the first thing that is wrong; what the panel cannot be without comes first */
export function setupProblem(setup: Setup): SetupProblem | undefined {
  return connectionProblem(setup) ?? paymentProblem(setup)
}

function connectionProblem({ api, token, call, orderReference }: Setup): SetupProblem | undefined {
  if (api === '') return missing('api')
  if (!isOrigin(api)) return wrong('api', 'must be the address of Tonewall, such as https://tonewall.example')
  if (token === '') return missing('token')
  if (!TOKEN.test(token)) return wrong('token', 'must be a widget token of this call')
  if (call === '') return missing('call')
  if (!ID_PATTERN.test(call)) return wrong('call', 'must be a call id, 18 capital letters')
  if (orderReference === '') return missing('order-reference')
  if (!ORDER_REFERENCE.test(orderReference)) {
    return wrong('order-reference', 'may hold letters, digits and . _ / - only, 64 at most, a letter or digit first')
  }
  if (findCardNumber(orderReference) !== -1) return wrong('order-reference', 'looks like a card number')
  return undefined
}

function paymentProblem({ currency, amountMinor, amountEditable, gatewayAccount }: Setup): SetupProblem | undefined {
  if (currencyPlaces(currency) === undefined) {
    return wrong('currency', 'must be a currency of ISO 4217 in capitals, such as GBP', false)
  }
  const leftToTheAgent = amountEditable && amountMinor === 0
  if (!leftToTheAgent && amountMinor === 0) return missing('amount-minor', false)
  const fits = Number.isInteger(amountMinor) && amountMinor > 0 && amountMinor <= widgetLimits.amountMinorMax
  if (!leftToTheAgent && !fits) {
    return wrong('amount-minor', 'must be a whole number of minor units, such as 4250 for 42.50', false)
  }
  if (gatewayAccount !== '' && !CONFIGURED_NAME.test(gatewayAccount)) {
    return wrong('gateway-account', 'must be the name of an account in the configuration', false)
  }
  return undefined
}

const missing = (attribute: Attribute, blind = true): SetupProblem => wrong(attribute, 'is missing', blind)

function wrong(attribute: Attribute, what: string, blind = true): SetupProblem {
  return { attribute, sentence: `This panel is not set up: ${attribute} ${what}`, blind }
}

function isOrigin(api: string): boolean {
  if (!URL.canParse(api)) return false
  const { protocol, username, search, hash } = new URL(api)
  return (protocol === 'https:' || protocol === 'http:') && username === '' && search === '' && hash === ''
}
