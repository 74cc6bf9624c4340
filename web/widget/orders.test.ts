import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { test } from 'node:test'
import { ControlApi } from './api.ts'
import { cancelCapture, charge, type Desk, newChargeKey, requestField, resetField } from './orders.ts'
import { emptyPanel, type Panel, reduce } from './state.ts'

const capture = {
  captureId: 'A',
  callId: 'C',
  state: 'open',
  mode: 'field',
  fields: [{ field: 'cardNumber', state: 'valid', count: 16 }],
}
const payment = {
  paymentId: 'P',
  captureId: 'A',
  orderReference: 'O',
  amountMinor: 100,
  currency: 'GBP',
  state: 'submitting',
  message: 'Sending the payment.',
  reference: 'R',
}
const order = { amountMinor: 100, currency: 'GBP', orderReference: 'O' }

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** A control that answers as the test says, and the desk that orders from it. */
async function withControl(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  use: (desk: Desk) => Promise<void>,
): Promise<void> {
  const server: Server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  let panel: Panel = emptyPanel('O')
  const api = new ControlApi(`http://127.0.0.1:${port}/`, 'token')
  try {
    await use({
      api,
      callId: 'C',
      panel: () => panel,
      apply: (action) => {
        panel = reduce(panel, action)
      },
    })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('a reset asks at once for a field that the caller is being asked for, and only forgets a valid one', async () => {
  for (const [state, verb] of [
    ['requested', 'request'],
    ['collecting', 'request'],
    ['valid', 'reset'],
  ] as const) {
    const paths: unknown[] = []
    const opened = {
      ...capture,
      mode: 'field',
      state: 'open',
      fields: [{ field: 'cardNumber', state, count: 2 }],
    } as const
    await withControl(
      (request, response) => {
        paths.push(request.url)
        reply(response, 202, opened)
      },
      async (desk) => {
        desk.apply({ type: 'opened', capture: opened })
        await resetField(desk, 'cardNumber')
      },
    )
    assert.deepEqual(paths, [`/v1/captures/A/fields/cardNumber/${verb}`])
  }
})

test('a charge whose answer was lost is asked for again with the same key', async () => {
  const keys: unknown[] = []
  await withControl(
    (request, response) => {
      if (!request.url?.endsWith('/payments')) return reply(response, 201, capture)
      keys.push(request.headers['idempotency-key'])
      if (keys.length < 3) request.socket.destroy()
      else reply(response, 202, payment)
    },
    async (desk) => {
      await requestField(desk, 'cardNumber', 'field')
      await charge(desk, order, 'KEYKEYKEY')
      assert.deepEqual(keys, ['KEYKEYKEY', 'KEYKEYKEY', 'KEYKEYKEY'])
      assert.equal(desk.panel().payment?.state, 'submitting')
      assert.equal(desk.panel().busy, 'none')
    },
  )
})

test('a charge that is never answered says so and can be repeated', async () => {
  await withControl(
    (request, response) => {
      if (request.url?.endsWith('/payments')) request.socket.destroy()
      else reply(response, 201, capture)
    },
    async (desk) => {
      await requestField(desk, 'cardNumber', 'field')
      await charge(desk, order, newChargeKey())
      assert.equal(desk.panel().notice, 'charge-unanswered')
      assert.equal(desk.panel().busy, 'none')
    },
  )
})

test('a refused charge is not repeated', async () => {
  let asked = 0
  await withControl(
    (request, response) => {
      if (!request.url?.endsWith('/payments')) return reply(response, 201, capture)
      asked++
      reply(response, 409, { error: { code: 'PAYMENT_IN_DOUBT', message: '', requestId: 'X' } })
    },
    async (desk) => {
      await requestField(desk, 'cardNumber', 'field')
      await charge(desk, order, newChargeKey())
      assert.equal(asked, 1)
      assert.equal(desk.panel().notice, 'PAYMENT_IN_DOUBT')
    },
  )
})

test('a capture that another program has opened is taken over', async () => {
  const asked: string[] = []
  await withControl(
    (request, response) => {
      asked.push(`${request.method} ${request.url}`)
      if (request.url === '/v1/calls/C/captures') {
        reply(response, 409, {
          error: { code: 'CAPTURE_EXISTS', message: '', requestId: 'X', details: { captureId: 'A' } },
        })
      } else reply(response, 200, capture)
    },
    async (desk) => {
      await requestField(desk, 'cardNumber', 'field')
      assert.deepEqual(asked, [
        'POST /v1/calls/C/captures',
        'GET /v1/captures/A',
        'POST /v1/captures/A/fields/cardNumber/request',
      ])
      assert.equal(desk.panel().capture?.captureId, 'A')
    },
  )
})

test('what is no JSON, or not what was asked for, is named and changes nothing', async () => {
  for (const body of ['<html>', '{}', '{"captureId":"A","mode":"field","fields":[{}]}', 'null']) {
    await withControl(
      (_request, response) => response.writeHead(200).end(body),
      async (desk) => {
        await requestField(desk, 'cardNumber', 'field')
        assert.equal(desk.panel().notice, 'UNEXPECTED', body)
        assert.equal(desk.panel().capture, undefined)
      },
    )
  }
})

test('in one go, only the capture is started: the card zone asks for the fields', async () => {
  const asked: string[] = []
  await withControl(
    (request, response) => {
      asked.push(request.url ?? '')
      reply(response, 201, capture)
    },
    async (desk) => {
      await requestField(desk, 'cardNumber', 'continuous')
      assert.deepEqual(asked, ['/v1/calls/C/captures'])
      await cancelCapture(desk)
      assert.equal(asked.at(-1), '/v1/captures/A/cancel')
    },
  )
})
