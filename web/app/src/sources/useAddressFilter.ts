import { useSearchParams } from 'react-router'

type AddressFilter = {
  get: (name: string) => string | undefined
  /** A filter: the list begins at its first page again. */
  set: (name: string, value: string | undefined) => void
  /** What is open beside the list, which stays as it is. */
  open: (name: string, value: string | undefined) => void
  page: number
  turn: (page: number) => void
}

/** Filters and the page number of a list, kept in the address. */
export function useAddressFilter(): AddressFilter {
  const [params, setParams] = useSearchParams()
  const change = (name: string, value: string | undefined, ...drop: string[]): void => {
    const next = new URLSearchParams(params)
    for (const one of [name, ...drop]) next.delete(one)
    if (value) next.set(name, value)
    setParams(next, { replace: true })
  }
  return {
    get: (name) => params.get(name) ?? undefined,
    set: (name, value) => change(name, value, 'page'),
    open: (name, value) => change(name, value),
    page: Math.max(1, Math.trunc(Number(params.get('page'))) || 1),
    turn: (page) => {
      const next = new URLSearchParams(params)
      next.set('page', String(page))
      setParams(next)
      window.scrollTo({ top: 0 })
    },
  }
}
