// The contract fails a connector that answers with defaults: a template that claims to do its duty is worse than none.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ContractBench, contract } from './contract.test-suite.ts'
import type { GatewayConnector } from './connector.ts'
import { openSandboxBench } from './sandbox/sandbox.test-kit.ts'

const approvesEverything: GatewayConnector = {
  describe: () => ({
    id: 'template',
    modes: { idempotentCharge: true, queryByReference: true, reverseByReference: true },
    queryLagMs: 0,
    placesOverrides: {},
  }),
  charge: async (_card, { amountMinor }) => ({ kind: 'approved', gatewayId: 'x', captured: true, amountMinor }),
  query: async () => ({ kind: 'not-found' }),
  reverse: async () => 'reversed',
  scrub: (wire) => wire,
}

/** Declines without asking and, at least, wipes nothing. */
const declinesEverything: GatewayConnector = {
  ...approvesEverything,
  charge: async () => ({ kind: 'declined', code: 'card_declined', advice: 'other_card' }),
  query: async () => ({ kind: 'unavailable' }),
  reverse: async () => 'unavailable',
}

for (const [name, template] of Object.entries({ approvesEverything, declinesEverything })) {
  for (const [duty, check] of Object.entries(contract)) {
    // That a decline is a decline, the one duty that declining everything fulfils.
    if (name === 'declinesEverything' && duty.startsWith('a decline is')) continue
    void test(`a connector that ${name} does not pass: ${duty}`, async (t: TestContext) => {
      const bench: ContractBench = { ...(await openSandboxBench()), connector: () => template }
      try {
        await assert.rejects(check(bench, t), assert.AssertionError)
      } finally {
        await bench.close()
      }
    })
  }
}
