/** Elements in a line: `el('p', { class: 'soft' }, 'text', child)`. Text is always text. */

type Given = Record<string, string | boolean | ((event: Event) => void)>

export function el(tag: string, given: Given = {}, ...children: (Node | string | null)[]): HTMLElement {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'function') made.addEventListener(name, value)
    else if (typeof value === 'boolean') made.toggleAttribute(name, value)
    else made.setAttribute(name, value)
  }
  made.append(...children.filter((child) => child !== null))
  return made
}
