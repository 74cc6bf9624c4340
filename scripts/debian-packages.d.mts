/** Types of debian-packages.mjs, which has to stay plain JavaScript. */
export interface DebianPackage {
  readonly name: string
  readonly proof: { readonly program: string } | { readonly file: string; readonly multiarch?: boolean }
  readonly reason: string
  readonly tests: string
}
export const debianPackages: readonly DebianPackage[]
export const benchPackages: readonly DebianPackage[]
export function isPresent(entry: Pick<DebianPackage, 'proof'>): boolean
export function installDebianPackages(say?: (line: string) => void): DebianPackage[]
