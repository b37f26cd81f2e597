import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Select } from 'antd'
import { answer, api } from '../api/client'
import { useEvery } from '../api/useLive'
import { useLanguage } from '../i18n'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Pager } from '../parts/Pager'
import { Waiting } from '../parts/Waiting'
import { RunTable } from './RunTable'
import { useAddressFilter } from './useAddressFilter'
import { useSourceChoices } from './useSources'
import '../orders/OrderList.css'
import './Sources.css'

const EVERY = 5_000
const STATES = ['running', 'succeeded', 'partial', 'cancelled', 'failed', 'interrupted'] as const

/** Every sync run; those that changed nothing are left out unless asked for. */
export default function RunsPage() {
  const { t } = useLanguage()
  const { get, set, page, turn } = useAddressFilter()
  const choices = useSourceChoices()
  const source = get('source')
  const state = STATES.find((one) => one === get('state'))
  const changed = get('changed') !== 'false'
  const runs = useQuery({
    queryKey: ['runs', source, state, changed, page],
    queryFn: () =>
      answer(
        api.GET('/api/runs', {
          params: { query: { source, state, page, ...(changed && !state && { changed: true }) } },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: useEvery(EVERY),
  })
  return (
    <Page title={t('menu.runs')} hint={t('runs.hint')}>
      <div className="orders__filters">
        <Select
          allowClear
          className="orders__stage"
          aria-label={t('menu.sources')}
          placeholder={t('menu.sources')}
          value={source}
          options={choices}
          onChange={(value?: string) => set('source', value)}
        />
        <Select
          allowClear
          className="orders__stage"
          aria-label={t('runs.state')}
          placeholder={t('runs.state')}
          value={state}
          options={STATES.map((one) => ({ value: one, label: t(`runs.state.${one}`) }))}
          onChange={(value?: string) => set('state', value)}
        />
        <button
          type="button"
          className={`bare chip${changed ? '' : ' chip--on'}`}
          aria-pressed={!changed}
          onClick={() => set('changed', changed ? 'false' : undefined)}
        >
          {t('runs.all')}
        </button>
      </div>
      {!runs.data &&
        (runs.error ? <FailureNote error={runs.error} retry={() => void runs.refetch()} /> : <Waiting rows={10} />)}
      {runs.data?.rows.length === 0 && (
        <div className="card">
          <Empty title={t('runs.none')}>{t('runs.none_hint')}</Empty>
        </div>
      )}
      {runs.data && runs.data.rows.length > 0 && (
        <>
          <RunTable rows={runs.data.rows} />
          <Pager of={runs.data} turn={turn} />
        </>
      )}
    </Page>
  )
}
