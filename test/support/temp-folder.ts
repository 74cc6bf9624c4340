import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string
  /** The path of a file in the folder; nothing is created. */
  file(name: string): string
}

/**
 * A folder of one test, gone when the test is over: `await using folder = await temporaryFolder('capture')`.
 * With TONEWALL_TEST_KEEP=yes it stays, and its path is in the test's diagnostics, so that recordings can be listened to.
 */
export async function temporaryFolder(purpose: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `tonewall-${purpose}-`))
  return {
    path,
    file: (name) => join(path, name),
    async [Symbol.asyncDispose]() {
      if (process.env['TONEWALL_TEST_KEEP'] === 'yes') process.stderr.write(`kept: ${path}\n`)
      else await rm(path, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
