import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { test } from 'node:test'
import { Harness } from '../testing/harness.test-kit.ts'

const committed = new URL('../../../docs/reference/openapi.json', import.meta.url)

test('the committed OpenAPI document is the one that the API serves; after a wanted change run this with TONEWALL_UPDATE=1', async () => {
  await using control = await Harness.start()
  const { body } = await control.call('GET', '/openapi.json', { key: '' })
  if (process.env['TONEWALL_UPDATE'] === '1') writeFileSync(committed, `${JSON.stringify(body, null, 2)}\n`)
  assert.deepEqual(JSON.parse(readFileSync(committed, 'utf8')), body)
})

test('the document names every endpoint of the API and is OpenAPI 3.1', async () => {
  await using control = await Harness.start()
  const { body } = await control.call('GET', '/openapi.json', { key: '' })
  const { openapi, paths } = body as unknown as { openapi: string; paths: Record<string, Record<string, unknown>> }
  assert.equal(openapi, '3.1.0')
  const endpoints = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual(endpoints.sort(), [
    'GET /healthz',
    'GET /v1/calls',
    'GET /v1/calls/{callId}',
    'GET /v1/calls/{callId}/events',
    'GET /v1/captures/{captureId}',
    'GET /v1/events',
    'GET /v1/payments',
    'GET /v1/payments/{paymentId}',
    'POST /v1/calls/{callId}/captures',
    'POST /v1/calls/{callId}/hang-up',
    'POST /v1/calls/{callId}/widget-tokens',
    'POST /v1/captures/{captureId}/cancel',
    'POST /v1/captures/{captureId}/fields/{field}/request',
    'POST /v1/captures/{captureId}/fields/{field}/reset',
    'POST /v1/captures/{captureId}/payments',
    'POST /v1/captures/{captureId}/reset',
  ])
})
