import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Input } from 'antd'
import { useParams } from 'react-router'
import { answer, api } from '../api/client'
import { count } from '../format/quantity'
import { useLanguage } from '../i18n'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Pager } from '../parts/Pager'
import { Waiting } from '../parts/Waiting'
import { NotFound } from '../shell/NotFound'
import { useAddressFilter } from '../sources/useAddressFilter'
import { EntityTabs } from './EntityTabs'
import { MasterTable } from './MasterTable'
import { entityFrom } from './entities'
import { useDebounced } from './useDebounced'
import '../orders/OrderList.css'

/** Golden records of one kind, where the systems' codes meet. */
export default function MastersPage() {
  const { t } = useLanguage()
  const entity = entityFrom(useParams().entity)
  const { get, set, page, turn } = useAddressFilter()
  const q = get('q') ?? ''
  const wanted = useDebounced(q.trim())
  const list = useQuery({
    queryKey: ['masters', entity, wanted, page],
    enabled: entity !== null,
    queryFn: () =>
      answer(
        api.GET('/api/masters/{entity}', {
          params: { path: { entity: entity ?? 'customer' }, query: { page, ...(wanted && { q: wanted }) } },
        }),
      ),
    placeholderData: keepPreviousData,
  })
  if (entity === null) return <NotFound />
  return (
    <Page title={t('menu.masters')} hint={t('masters.hint')}>
      <EntityTabs />
      <div className="orders__filters">
        <Input
          allowClear
          className="masters__search"
          aria-label={t('masters.search')}
          placeholder={t('masters.search')}
          value={q}
          maxLength={100}
          onChange={(event) => set('q', event.target.value)}
        />
        <span className="orders__total muted num">{list.data && t('masters.total', { n: count(list.data.total) })}</span>
      </div>
      {!list.data &&
        (list.error ? <FailureNote error={list.error} retry={() => void list.refetch()} /> : <Waiting rows={10} />)}
      {list.data?.rows.length === 0 && (
        <div className="card">
          <Empty title={wanted ? t('search.none', { q: wanted }) : t('masters.none')}>{t('masters.none_hint')}</Empty>
        </div>
      )}
      {list.data && list.data.rows.length > 0 && (
        <>
          <MasterTable rows={list.data.rows} />
          <Pager of={list.data} turn={turn} />
        </>
      )}
    </Page>
  )
}
