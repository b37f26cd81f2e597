import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Input, Select, type InputRef } from 'antd'
import { useRef } from 'react'
import { answer, api } from '../api/client'
import { useEvery } from '../api/useLive'
import { count } from '../format/quantity'
import { useLanguage } from '../i18n'
import { useDebounced } from '../masters/useDebounced'
import { useRowKeys } from '../orders/useRowKeys'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Pager } from '../parts/Pager'
import { Waiting } from '../parts/Waiting'
import { useKeys } from '../shell/useKeys'
import { useAddressFilter } from '../sources/useAddressFilter'
import { FlowRunTable } from './FlowRunTable'
import { FlowTabs } from './FlowTabs'
import '../orders/OrderList.css'
import './Flows.css'

const EVERY = 5_000
const STATES = ['running', 'waiting', 'failed', 'done', 'cancelled'] as const

/** What the flows did, newest first. */
export default function FlowRunsPage() {
  const { t, say } = useLanguage()
  const { get, set, page, turn } = useAddressFilter()
  const search = useRef<InputRef>(null)
  useRowKeys()
  useKeys({ '/': () => search.current?.focus({ cursor: 'all' }) })
  const flows = useQuery({ queryKey: ['flows'], queryFn: () => answer(api.GET('/api/flows')) })
  const flow = get('flow')
  const state = STATES.find((one) => one === get('state'))
  const text = get('q') ?? ''
  const q = useDebounced(text.trim()) || undefined
  const runs = useQuery({
    queryKey: ['flow-runs', flow, state, q, page],
    queryFn: () => answer(api.GET('/api/flow-runs', { params: { query: { flow, state, q, page } } })),
    placeholderData: keepPreviousData,
    refetchInterval: useEvery(EVERY),
  })
  const filtered = Boolean(flow ?? state ?? q)
  return (
    <Page title={t('menu.flows')} hint={t('flow_runs.hint')}>
      <FlowTabs />
      <div className="orders__filters">
        <Input
          ref={search}
          allowClear
          className="orders__customer"
          aria-label={t('flow_runs.search')}
          placeholder={t('flow_runs.search')}
          value={text}
          maxLength={100}
          onChange={(event) => set('q', event.target.value)}
        />
        <Select
          allowClear
          className="flow-runs__flow"
          aria-label={t('flow_runs.flow')}
          placeholder={t('flow_runs.flow')}
          value={flow}
          options={(flows.data ?? []).map((one) => ({ value: one.code, label: say(one.label) }))}
          onChange={(value?: string) => set('flow', value)}
        />
        <Select
          allowClear
          className="orders__stage"
          aria-label={t('runs.state')}
          placeholder={t('runs.state')}
          value={state}
          options={STATES.map((one) => ({ value: one, label: t(`flow.state.${one}`) }))}
          onChange={(value?: string) => set('state', value)}
        />
        <span className="orders__total muted num" role="status">
          {runs.data && t('flow_runs.total', { n: count(runs.data.total) })}
        </span>
      </div>
      {!runs.data &&
        (runs.error ? <FailureNote error={runs.error} retry={() => void runs.refetch()} /> : <Waiting rows={10} />)}
      {runs.data?.rows.length === 0 && (
        <div className="card">
          <Empty title={t(filtered ? 'flow_runs.none_match' : 'flow_runs.none')}>
            {t(filtered ? 'flow_runs.match_hint' : 'flow_runs.none_hint')}
          </Empty>
        </div>
      )}
      {runs.data && runs.data.rows.length > 0 && (
        <>
          <FlowRunTable rows={runs.data.rows} />
          <Pager of={runs.data} turn={turn} />
        </>
      )}
    </Page>
  )
}
