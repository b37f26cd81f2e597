import { useEffect } from 'react'
import type { Mapping } from './useMapping'

/** Ctrl+Z and Ctrl+Shift+Z or Ctrl+Y, outside of text being typed. */
export function useMapKeys({ undo, redo }: Pick<Mapping, 'undo' | 'redo'>): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || typing(event.target)) return
      const key = event.key.toLowerCase()
      const action = key === 'y' || (key === 'z' && event.shiftKey) ? redo : key === 'z' ? undo : undefined
      if (!action) return
      event.preventDefault()
      action()
    }
    document.addEventListener('keydown', pressed)
    return () => document.removeEventListener('keydown', pressed)
  }, [undo, redo])
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && target.value !== '' && target.type !== 'checkbox'
}
