import { useEffect, useState } from 'react'

/** A value once it has rested. */
export function useDebounced<T>(value: T, pause = 220): T {
  const [rested, setRested] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), pause)
    return () => clearTimeout(timer)
  }, [value, pause])
  return rested
}
