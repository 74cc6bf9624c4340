import process from 'node:process'

/** Of Node's permission model; its types do not know `drop` yet. */
interface Permission {
  has(scope: string): boolean
  drop(scope: string): void
}

/**
 * Gives up, for good, what only the start of a thread needs: to start threads, and to load an addon. To be called once in each
 * thread; where the permission model is off it does nothing.
 */
export function dropStartRights(): void {
  const permission = (process as unknown as { readonly permission?: Permission }).permission
  for (const scope of ['worker', 'addon']) if (permission?.has(scope) === true) permission.drop(scope)
}
