/**
 * What a newcomer does: start Tonewall with its simulators, open the page, start the call, click a card on the keypad, charge
 * it. Real Chromium, real processes, real sockets. Every request of the page is watched: keys go to the simulators' origin only.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { missing } from '../support/have.ts'
import { type StartedProgram, startProgram } from '../support/processes.ts'
import { temporaryFolder } from '../support/temp-folder.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/tonewall.mjs', import.meta.url))
const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const STEP_MS = 20_000

const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: '/usr/bin/chromium', args: CHROMIUM_FLAGS })

async function startTonewall(folder: string): Promise<{ program: StartedProgram; address: string }> {
  const args = [LAUNCHER, 'start', '--with-simulators', '--data', folder]
  const program = startProgram(process.execPath, args, { lifeMs: 180_000 })
  const [, address = ''] = await program.waitFor(/Open\s+(http:\/\/\S+)/, 60_000)
  return { program, address }
}

async function openPage(browser: Browser, address: string, width: number, height: number): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height } })
  page.setDefaultTimeout(STEP_MS)
  await page.goto(address)
  return page
}

async function startCall(page: Page): Promise<void> {
  await page.getByTestId('start-call').click()
  await page.locator('body[data-call="answered"]').waitFor()
  await page.getByTestId('request-cardNumber').waitFor()
}

/** One key after the other, as a person would: the next when the page shows the last one's dot. */
async function keyField(page: Page, field: string, keys: string, press: (key: string) => Promise<void>): Promise<void> {
  await page.getByTestId(`request-${field}`).click()
  await page.locator(`[data-testid="field-${field}"][data-state="requested"]`).waitFor()
  for (const [i, key] of [...keys].entries()) {
    await press(key)
    const done = `[data-testid="field-${field}"][data-count="${i + 1}"]`
    await page.locator(done).waitFor()
  }
  await page.locator(`[data-testid="field-${field}"][data-state="valid"]`).waitFor()
}

test('a card keyed by clicks leads to "approved", and no key passes through control', {
  skip: missing('chromium'),
  timeout: 150_000,
}, async () => {
  await using folder = await temporaryFolder('page')
  const { program, address } = await startTonewall(folder.path)
  await using _tonewall = program
  const browser = await launchBrowser()
  try {
    const page = await openPage(browser, address, 1440, 900)
    const problems: string[] = []
    const keyOrigins = new Set<string>()
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('request', (request) => {
      if (/"key"/.test(request.postData() ?? '')) keyOrigins.add(new URL(request.url()).origin)
    })
    await startCall(page)
    const click = (key: string): Promise<void> => page.getByTestId(`key-${key}`).click()
    await keyField(page, 'cardNumber', '4242424242424242', click)
    assert.match(await page.getByTestId('last-four').innerText(), /4242/)
    await keyField(page, 'expiry', '1231', click)
    await keyField(page, 'securityCode', '904', click)
    await page.getByTestId('charge').click()
    await page.locator('[data-testid="result"][data-state="approved"]').waitFor()
    assert.match(await page.getByTestId('result-title').innerText(), /approved/i)
    assert.deepEqual([...keyOrigins], [address])
    assert.deepEqual(problems, [])
  } finally {
    await browser.close()
  }
})

test('the keyboard alone is enough, at phone width too, and a declined card says what to do', {
  skip: missing('chromium'),
  timeout: 150_000,
}, async () => {
  await using folder = await temporaryFolder('page')
  const { program, address } = await startTonewall(folder.path)
  await using _tonewall = program
  const browser = await launchBrowser()
  try {
    const page = await openPage(browser, address, 390, 844)
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    assert.equal(overflow, 0, 'the page scrolls sideways at phone width')
    await page.getByTestId('start-call').focus()
    await page.keyboard.press('Enter')
    await page.locator('body[data-call="answered"]').waitFor()
    await page.getByTestId('request-cardNumber').waitFor()
    const type = (key: string): Promise<void> => page.keyboard.press(key)
    const ask = async (field: string, keys: string): Promise<void> => {
      await page.getByTestId(`request-${field}`).focus()
      await page.keyboard.press('Enter')
      await page.locator(`[data-testid="field-${field}"][data-state="requested"]`).waitFor()
      for (const [i, key] of [...keys].entries()) {
        await type(key)
        await page.locator(`[data-testid="field-${field}"][data-count="${i + 1}"]`).waitFor()
      }
      await page.locator(`[data-testid="field-${field}"][data-state="valid"]`).waitFor()
    }
    await ask('cardNumber', '4000000000000002')
    await ask('expiry', '1231')
    await ask('securityCode', '904')
    await page.getByTestId('charge').focus()
    await page.keyboard.press('Enter')
    await page.locator('[data-testid="result"][data-state="declined"]').waitFor()
    assert.ok((await page.getByTestId('result-reason').innerText()).length > 10)
  } finally {
    await browser.close()
  }
})
