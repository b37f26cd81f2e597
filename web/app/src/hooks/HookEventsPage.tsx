import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Select } from 'antd'
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
import { HookEventDrawer } from './HookEventDrawer'
import { HookEventTable } from './HookEventTable'
import { Refusals } from './Refusals'
import '../orders/OrderList.css'
import './Hooks.css'

const EVERY = 10_000
const STATES = ['received', 'done', 'stale', 'failed'] as const

/** What other systems told by webhook, what became of it, and who was refused. */
export default function HookEventsPage() {
  const { t } = useLanguage()
  const { get, set, open, page, turn } = useAddressFilter()
  useRowKeys()
  const state = STATES.find((one) => one === get('state'))
  const list = useQuery({
    queryKey: ['hook-events', state, page],
    queryFn: () => answer(api.GET('/api/hook-events', { params: { query: { state, page } } })),
    placeholderData: keepPreviousData,
    refetchInterval: useEvery(EVERY),
  })
  const { data } = list
  return (
    <Page title={t('menu.hooks')} hint={t('hooks.hint')}>
      <div className="orders__filters">
        <Select
          allowClear
          className="orders__stage"
          aria-label={t('runs.state')}
          placeholder={t('runs.state')}
          value={state}
          options={STATES.map((one) => ({ value: one, label: t(`hooks.state.${one}`) }))}
          onChange={(value?: string) => set('state', value)}
        />
        <span className="orders__total muted num" role="status">
          {data && t('hooks.total', { n: count(data.total) })}
        </span>
      </div>
      {!data &&
        (list.error ? <FailureNote error={list.error} retry={() => void list.refetch()} /> : <Waiting rows={8} />)}
      {data?.rows.length === 0 && (
        <div className="card">
          <Empty title={t(state ? 'hooks.none_match' : 'hooks.none')}>{t(state ? 'flow_runs.match_hint' : 'hooks.none_hint')}</Empty>
        </div>
      )}
      {data && data.rows.length > 0 && (
        <>
          <HookEventTable rows={data.rows} onOpen={(id) => open('event', id)} />
          <Pager of={data} turn={turn} />
        </>
      )}
      {data && <Refusals rows={data.refusals} />}
      <HookEventDrawer id={get('event')} onClose={() => open('event', undefined)} />
    </Page>
  )
}
