/** A link that stays within this app, or null: what a text of the server names is never followed elsewhere. */
export function ownPath(link: string | null): string | null {
  return link !== null && /^\/(?![/\\])/.test(link) ? link : null
}
