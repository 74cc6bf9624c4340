/**
 * Where the parts of Tonewall lie. In a clone Node runs `src/`; an installed package brings the same tree compiled, as
 * `dist/`, because Node strips no types under node_modules. Both have the same shape, so every path is found from here.
 */
import { readFileSync, realpathSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ownFile = fileURLToPath(import.meta.url)
const codeFolder = dirname(dirname(ownFile))

/** Holds `package.json`, `assets/`, `web/dist/` and the code. */
export const projectRoot = dirname(codeFolder)

/** The file to start for one of Tonewall's processes. */
export function programFile(program: 'main' | 'cde/main' | 'sim/main'): string {
  return join(codeFolder, program) + extname(ownFile)
}

/** The packages that the card zone loads; a test starts it with leave to read these only. */
const cdePackages = ['zod', 'opusscript', 'koffi']

/** The code that the card zone may read, for Node's permission model: `*` stands for all that lies in a folder. */
export function cdeCode(): string[] {
  const packages = packageFolders(cdePackages, ownFile).map((folder) => join(folder, '*'))
  return [join(codeFolder, '*'), join(projectRoot, 'package.json'), ...new Set(packages)]
}

/**
 * The folders of packages and of all that they need, wherever the package manager has put them: below Tonewall, beside it
 * or elsewhere with a link, which Node reads as well as what it stands for. What is not installed is left out: most
 * optional packages are for other machines.
 */
function packageFolders(names: readonly string[], wantedBy: string): string[] {
  return names.flatMap((name) => {
    const found = manifestOf(name, wantedBy)
    if (found === undefined) return []
    const manifest = realpathSync(found)
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest
    const needed = Object.keys({ ...dependencies, ...optionalDependencies })
    return [dirname(found), dirname(manifest), ...packageFolders(needed, manifest)]
  })
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

function manifestOf(name: string, wantedBy: string): string | undefined {
  try {
    return findPackageJSON(name, wantedBy)
  } catch {
    return undefined
  }
}
