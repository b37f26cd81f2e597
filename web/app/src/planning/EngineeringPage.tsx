import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { answer, api } from '../api/client'
import { useEvery } from '../api/useLive'
import { count } from '../format/quantity'
import { useLanguage } from '../i18n'
import { useRowKeys } from '../orders/useRowKeys'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Pager } from '../parts/Pager'
import { Waiting } from '../parts/Waiting'
import { useAddressFilter } from '../sources/useAddressFilter'
import { EngineeringTable } from './EngineeringTable'
import { RoutingDrawer } from './RoutingDrawer'
import { useKept } from './useKept'
import '../orders/OrderList.css'
import './Planning.css'

const EVERY = 15_000

/** 待工艺: work orders without a routing, and which routing may serve. */
export default function EngineeringPage() {
  const { t } = useLanguage()
  const { get, open, page, turn } = useAddressFilter()
  useRowKeys()
  const list = useQuery({
    queryKey: ['engineering', page],
    queryFn: () => answer(api.GET('/api/engineering', { params: { query: { page } } })),
    placeholderData: keepPreviousData,
    refetchInterval: useEvery(EVERY),
  })
  const { data } = list
  const chosen = get('work_order')
  const { row, gone } = useKept(data?.rows.find((one) => one.work_order_id === chosen), chosen)
  return (
    <Page
      title={t('menu.engineering')}
      hint={t('engineering.hint')}
      actions={
        <span className="muted num" role="status">
          {data && t('engineering.total', { n: count(data.total) })}
        </span>
      }
    >
      {!data &&
        (list.error ? <FailureNote error={list.error} retry={() => void list.refetch()} /> : <Waiting rows={8} />)}
      {data?.rows.length === 0 && (
        <div className="card">
          <Empty title={t('engineering.none')}>{t('engineering.none_hint')}</Empty>
        </div>
      )}
      {data && data.rows.length > 0 && (
        <>
          <EngineeringTable rows={data.rows} onOpen={(id) => open('work_order', id)} />
          <Pager of={data} turn={turn} />
        </>
      )}
      <RoutingDrawer row={row} gone={gone} onClose={() => open('work_order', undefined)} />
    </Page>
  )
}
