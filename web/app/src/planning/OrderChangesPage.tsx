import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Segmented } from 'antd'
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
import { ChangeTable } from './ChangeTable'
import { DecideDrawer } from './DecideDrawer'
import { useKept } from './useKept'
import '../orders/OrderList.css'
import './Planning.css'

const EVERY = 10_000
const DECISIONS = ['pending', 'accepted', 'rejected', 'none'] as const
const ALL = 'all'

/** What customers changed, and what a planner decided of it. */
export default function OrderChangesPage() {
  const { t } = useLanguage()
  const { get, set, open, page, turn } = useAddressFilter()
  useRowKeys()
  const shown = get('decision') === ALL ? ALL : (DECISIONS.find((one) => one === get('decision')) ?? 'pending')
  const decision = shown === ALL ? undefined : shown
  const list = useQuery({
    queryKey: ['order-changes', decision, page],
    queryFn: () => answer(api.GET('/api/order-changes', { params: { query: { decision, page } } })),
    placeholderData: keepPreviousData,
    refetchInterval: useEvery(EVERY),
  })
  const { data } = list
  const chosen = get('change')
  const { row, gone } = useKept(data?.rows.find((one) => one.id === chosen), chosen)
  return (
    <Page title={t('menu.order_changes')} hint={t('changes.hint')}>
      <div className="orders__filters">
        <Segmented
          className="changes__filter"
          aria-label={t('changes.decision')}
          value={shown}
          options={[...DECISIONS, ALL].map((one) => ({
            value: one,
            label: one === ALL ? t('changes.all') : t(`decision.${one as (typeof DECISIONS)[number]}`),
          }))}
          onChange={(value) => set('decision', value === 'pending' ? undefined : value)}
        />
        <span className="orders__total muted num" role="status">
          {data && t('changes.total', { n: count(data.total) })}
        </span>
      </div>
      {!data &&
        (list.error ? <FailureNote error={list.error} retry={() => void list.refetch()} /> : <Waiting rows={8} />)}
      {data?.rows.length === 0 && (
        <div className="card">
          <Empty title={t(shown === 'pending' ? 'changes.none_pending' : 'changes.none')}>
            {shown === 'pending' && t('changes.none_hint')}
          </Empty>
        </div>
      )}
      {data && data.rows.length > 0 && (
        <>
          <ChangeTable rows={data.rows} onOpen={(id) => open('change', id)} />
          <Pager of={data} turn={turn} />
        </>
      )}
      <DecideDrawer change={row} gone={gone} onClose={() => open('change', undefined)} />
    </Page>
  )
}
