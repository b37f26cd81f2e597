/** The nonce the server gave this page; its security policy lets no style tag in without it. */
export const NONCE = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce

/**
 * Gives the nonce to every style tag that scripts of this page make.
 *
 * antd passes it on to most of its own, but not to the tags that lock scrolling behind a dialog
 * or measure a scrollbar. Only scripts of this server run here, so nothing else gains by it.
 */
export function giveStylesTheNonce(): void {
  if (!NONCE) return
  const create = document.createElement.bind(document)
  document.createElement = (name: string, options?: ElementCreationOptions) => {
    const element = create(name, options)
    if (element instanceof HTMLStyleElement) element.nonce = NONCE
    return element
  }
}
