/** The page's elements by their data-testid: the same names serve the code, the styles' author and the tests. */

/** Throws when the page does not hold it: page and code are built together. */
export function element<T extends HTMLElement>(testId: string, type: new () => T): T {
  const found = document.querySelector(`[data-testid="${testId}"]`)
  if (!(found instanceof type)) throw new Error(`the page has no ${testId}`)
  return found
}
