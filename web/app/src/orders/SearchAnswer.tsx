import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { answer, api } from '../api/client'
import { useLanguage } from '../i18n'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Waiting } from '../parts/Waiting'
import { SearchHitRow } from './SearchHitRow'
import { useRowKeys } from './useRowKeys'
import './SearchAnswer.css'

/** What the search found, best first. */
export function SearchAnswer({ query }: { query: string }) {
  const { t } = useLanguage()
  useRowKeys()
  const found = useQuery({
    queryKey: ['search', query],
    queryFn: ({ signal }) =>
      answer(api.GET('/api/orders/search', { params: { query: { q: query } }, signal })),
    placeholderData: keepPreviousData,
  })
  if (found.error) return <FailureNote error={found.error} retry={() => void found.refetch()} />
  if (!found.data) return <Waiting rows={5} />
  const { hits, more } = found.data
  if (hits.length === 0)
    return (
      <div className="card">
        <Empty title={t('search.none', { q: found.data.query })}>{t('search.what')}</Empty>
      </div>
    )
  return (
    <section aria-label={t('search.found', { n: hits.length })}>
      <p className="muted small hits__count" role="status">
        {more ? t('search.more', { n: hits.length }) : t('search.found', { n: hits.length })}
      </p>
      <ul className={`hits${found.isPlaceholderData ? ' hits--old' : ''}`}>
        {hits.map((hit) => (
          <li key={`${hit.line_id} ${hit.matched} ${hit.matched_text}`}>
            <SearchHitRow hit={hit} query={query} />
          </li>
        ))}
      </ul>
    </section>
  )
}
