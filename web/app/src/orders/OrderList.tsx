import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useSearchParams } from 'react-router'
import { answer, api } from '../api/client'
import { useEvery } from '../api/useLive'
import { count } from '../format/quantity'
import { useLanguage } from '../i18n'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Pager } from '../parts/Pager'
import { Waiting } from '../parts/Waiting'
import { OrderFilters } from './OrderFilters'
import { OrderTable } from './OrderTable'
import { filtersFrom, type Filters } from './filters'
import { useRowKeys } from './useRowKeys'
import './OrderList.css'

const EVERY = 15_000
const PAGE_SIZE = 50

function load(filters: Filters, page: number) {
  return answer(
    api.GET('/api/orders', { params: { query: { ...filters, page, page_size: PAGE_SIZE } } }),
  )
}

/** The order lines that match the filters kept in the address. */
export function OrderList() {
  const { t } = useLanguage()
  const [params, setParams] = useSearchParams()
  useRowKeys()
  const filters = filtersFrom(params)
  const page = Math.max(1, Number(params.get('page')) || 1)
  const list = useQuery({
    queryKey: ['orders', filters, page],
    queryFn: () => load(filters, page),
    placeholderData: keepPreviousData,
    refetchInterval: useEvery(EVERY),
  })
  const turn = (next: number): void => {
    const rest = new URLSearchParams(params)
    rest.set('page', String(next))
    setParams(rest)
    window.scrollTo({ top: 0 })
  }
  return (
    <section className="orders" aria-label={t('orders.list')}>
      <OrderFilters total={list.data ? count(list.data.total) : null} />
      {list.error && !list.data && <FailureNote error={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <Waiting rows={10} />}
      {list.data?.rows.length === 0 && (
        <div className="card">
          <Empty title={t('orders.none')}>{t('orders.none_hint')}</Empty>
        </div>
      )}
      {list.data && list.data.rows.length > 0 && (
        <>
          <OrderTable rows={list.data.rows} />
          <Pager of={list.data} turn={turn} />
        </>
      )}
    </section>
  )
}
