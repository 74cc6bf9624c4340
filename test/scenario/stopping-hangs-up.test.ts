/** Who stops the product, or loses its control, hangs up on both people; neither is left listening to a dead line. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { freePorts } from '../support/free-ports.ts'
import { startPhones } from '../support/phones.ts'
import { startProduct } from '../support/product.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

for (const [how, signal] of [
  ['stopped by its operator', 'SIGTERM'],
  ['whose control is killed', 'SIGKILL'],
] as const) {
  test(`a product ${how} says BYE to the caller and to the agent`, async () => {
    await using folder = await temporaryFolder('stopping')
    const agentPort = await freePorts(2)
    const destination = `sip:agent@127.0.0.1:${agentPort}`
    await using product = await startProduct({ folder, destination, lifeMs: 60_000 })
    await using phones = await startPhones(product, agentPort)
    await phones.call()
    const { caller, agent } = phones.simulators
    process.kill(product.controlPid, signal)
    // A phone gives a dead line up by itself, but only after 5 s.
    await eventually('both phones hung up', 3_000, async () =>
      caller.state === 'ended' && agent.state === 'ended' ? true : undefined,
    )
    assert.equal(caller.state, 'ended')
  })
}
