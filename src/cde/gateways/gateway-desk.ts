/** The configured gateway accounts, each with its connector. A new kind of gateway is one line in `connectorOf`. */
import type { Outcome, QueryOutcome, ReverseOutcome } from '../../wall/messages.ts'
import type { GatewaySettings } from '../../wall/settings.ts'
import { wipeCard } from '../capture/card-data.ts'
import type { CardData, ChargeContext, GatewayConnector } from './connector.ts'
import { createSandboxConnector } from './sandbox/connector.ts'

export class GatewayDesk {
  readonly #connectors: ReadonlyMap<string, GatewayConnector>

  private constructor(connectors: ReadonlyMap<string, GatewayConnector>) {
    this.#connectors = connectors
  }

  /** @param readFile reads a credential file; its octets stay in this zone */
  static open(
    accounts: readonly GatewaySettings[],
    readFile: (file: string) => Uint8Array,
  ): GatewayDesk | 'credential-unreadable' {
    try {
      const connectors = accounts.map((settings) => [settings.account, connectorOf(settings, readFile)] as const)
      return new GatewayDesk(new Map(connectors))
    } catch {
      return 'credential-unreadable'
    }
  }

  has(account: string): boolean {
    return this.#connectors.has(account)
  }

  /** Takes the card over: it is wiped whatever happens. */
  async charge(account: string, card: CardData, context: ChargeContext): Promise<Outcome> {
    const connector = this.#connectors.get(account)
    if (connector !== undefined) return connector.charge(card, context)
    wipeCard(card)
    return { kind: 'declined', code: 'config_error', advice: 'never' }
  }

  async query(account: string, reference: string): Promise<QueryOutcome> {
    return (await this.#connectors.get(account)?.query(reference)) ?? { kind: 'unavailable' }
  }

  async reverse(account: string, reference: string): Promise<ReverseOutcome> {
    return (await this.#connectors.get(account)?.reverse(reference)) ?? 'unavailable'
  }
}

function connectorOf(settings: GatewaySettings, readFile: (file: string) => Uint8Array): GatewayConnector {
  const credential = trimmed(readFile(settings.credentialFile))
  switch (settings.kind) {
    case 'sandbox':
      return createSandboxConnector({ url: settings.url, exchangeMs: settings.exchangeMs, credential })
  }
}

/** The secret without the line end that editors leave. */
function trimmed(octets: Uint8Array): Uint8Array {
  let end = octets.length
  while (end > 0 && (octets[end - 1] ?? 0) <= 0x20) end--
  return octets.slice(0, end)
}
