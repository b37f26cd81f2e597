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
import { useKept } from '../planning/useKept'
import { useAddressFilter } from '../sources/useAddressFilter'
import { ReviewDrawer } from './ReviewDrawer'
import { ReviewTable } from './ReviewTable'
import '../orders/OrderList.css'
import '../planning/Planning.css'

const EVERY = 15_000
const STATES = ['review', 'recorded', 'rejected', 'undone'] as const

/** 报工复核: workers' reports that nobody could take as they were, and what was decided of them. */
export default function ReviewsPage() {
  const { t } = useLanguage()
  const { get, set, open, page, turn } = useAddressFilter()
  useRowKeys()
  const state = STATES.find((one) => one === get('state')) ?? 'review'
  const list = useQuery({
    queryKey: ['report-reviews', state, page],
    queryFn: () => answer(api.GET('/api/report-reviews', { params: { query: { state, page } } })),
    placeholderData: keepPreviousData,
    refetchInterval: useEvery(EVERY),
  })
  const { data } = list
  const chosen = get('report')
  const { row, gone } = useKept(data?.rows.find((one) => one.report_id === chosen), chosen)
  return (
    <Page title={t('menu.reviews')} hint={t('reviews.hint')}>
      <div className="orders__filters">
        <Segmented
          className="changes__filter"
          aria-label={t('runs.state')}
          value={state}
          options={STATES.map((one) => ({ value: one, label: t(`reviews.state.${one}`) }))}
          onChange={(value) => set('state', value === 'review' ? undefined : value)}
        />
        <span className="orders__total muted num" role="status">
          {data && t('reviews.total', { n: count(data.total) })}
        </span>
      </div>
      {!data &&
        (list.error ? <FailureNote error={list.error} retry={() => void list.refetch()} /> : <Waiting rows={6} />)}
      {data?.rows.length === 0 && (
        <div className="card">
          <Empty title={t(state === 'review' ? 'reviews.none' : 'reviews.none_of_state')}>
            {state === 'review' && t('reviews.none_hint')}
          </Empty>
        </div>
      )}
      {data && data.rows.length > 0 && (
        <>
          <ReviewTable rows={data.rows} onOpen={(id) => open('report', id)} />
          <Pager of={data} turn={turn} />
        </>
      )}
      <ReviewDrawer review={row} gone={gone} onClose={() => open('report', undefined)} />
    </Page>
  )
}
