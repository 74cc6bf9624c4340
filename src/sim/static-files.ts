/** Serves the built demo page: plain files of one folder, nothing above it, nothing hidden. */
import { readFile, realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { simLimits } from '../lib/limits.ts'

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.map': 'application/json; charset=utf-8',
  '.wasm': 'application/wasm',
}

export interface StaticFile {
  readonly contentType: string
  readonly body: Uint8Array
}

/**
 * @param root folder of the built page
 * @param path of the URL, as sent, without query
 * @returns undefined for anything that is not a plain, known file below the root
 */
export async function readStaticFile(root: string, path: string): Promise<StaticFile | undefined> {
  // Each segment begins with a letter, digit, hyphen or underscore: no "..", no hidden file, no escape to decode.
  if (!/^(\/[\w-][\w.-]{0,120}){1,8}$|^\/$/.test(path)) return undefined
  const name = path === '/' ? '/index.html' : path
  const contentType = contentTypes[extname(name)]
  if (contentType === undefined) return undefined
  try {
    const file = await realpath(join(root, name))
    // A link that leads out of the folder is not followed.
    if (!file.startsWith((await realpath(root)) + sep)) return undefined
    const { size } = await stat(file)
    return size > simLimits.staticFileOctetsMax ? undefined : { contentType, body: await readFile(file) }
  } catch {
    return undefined
  }
}
