import { useSearchParams } from 'react-router'

type AddressFilter = {
  get: (name: string) => string | undefined
  set: (name: string, value: string | undefined) => void
  page: number
  turn: (page: number) => void
}

/** Filters and the page number of a list, kept in the address. */
export function useAddressFilter(): AddressFilter {
  const [params, setParams] = useSearchParams()
  return {
    get: (name) => params.get(name) ?? undefined,
    set: (name, value) => {
      const next = new URLSearchParams(params)
      if (value) next.set(name, value)
      else next.delete(name)
      next.delete('page')
      setParams(next, { replace: true })
    },
    page: Math.max(1, Math.trunc(Number(params.get('page'))) || 1),
    turn: (page) => {
      const next = new URLSearchParams(params)
      next.set('page', String(page))
      setParams(next)
      window.scrollTo({ top: 0 })
    },
  }
}
