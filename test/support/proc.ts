import { readdir, readFile } from 'node:fs/promises'

/** The processes whose parent is `pid`, from /proc (Linux). */
export async function childrenOf(pid: number): Promise<number[]> {
  const entries = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const parents = await Promise.all(entries.map(async (name) => [Number(name), await parentOf(name)] as const))
  return parents.filter(([, parent]) => parent === pid).map(([child]) => child)
}

async function parentOf(pid: string): Promise<number | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    return Number(status.match(/^PPid:\t(\d+)$/m)?.[1])
  } catch {
    // It ended while we were looking.
    return undefined
  }
}
