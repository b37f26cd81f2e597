import { useKeys } from '../shell/useKeys'

function move(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')]
  const at = rows.findIndex((row) => row === document.activeElement)
  if (at === 0 && step === -1) {
    document.querySelector<HTMLElement>('.search__input')?.focus()
    return
  }
  rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.focus()
}

/** j, k and the arrows walk through the rows of the page. */
export function useRowKeys(): void {
  const down = (): void => move(1)
  const up = (): void => move(-1)
  useKeys({ j: down, k: up, ArrowDown: down, ArrowUp: up })
}
