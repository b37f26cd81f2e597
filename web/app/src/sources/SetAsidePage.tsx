import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Select } from 'antd'
import { answer, api } from '../api/client'
import { useEvery } from '../api/useLive'
import { count, quantity } from '../format/quantity'
import { useLanguage } from '../i18n'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Pager } from '../parts/Pager'
import { Waiting } from '../parts/Waiting'
import { RetryButton } from './RetryButton'
import { SetAsideTable } from './SetAsideTable'
import { WaitedFor } from './WaitedFor'
import { useAddressFilter } from './useAddressFilter'
import { useSourceChoices } from './useSources'
import '../orders/OrderList.css'
import './Sources.css'

const EVERY = 15_000

/** Rows that could not be applied: nothing is lost, each says why. */
export default function SetAsidePage() {
  const { t, say } = useLanguage()
  const { get, set, page, turn } = useAddressFilter()
  const choices = useSourceChoices()
  const source = get('source')
  const reason = get('reason')
  const list = useQuery({
    queryKey: ['set-aside', source, reason, page],
    queryFn: () => answer(api.GET('/api/set-aside', { params: { query: { source, reason, page } } })),
    placeholderData: keepPreviousData,
    refetchInterval: useEvery(EVERY),
  })
  const data = list.data
  return (
    <Page title={t('menu.set_aside')} hint={t('aside.hint')} actions={<RetryButton source={source} reason={reason} total={data?.total} />}>
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
        {data?.reasons.map((one) => {
          const pressed = one.key === reason
          return (
            <button
              type="button"
              key={one.key}
              className={`bare chip${pressed ? ' chip--on' : ''}`}
              aria-pressed={pressed}
              onClick={() => set('reason', pressed ? undefined : one.key)}
            >
              {say(one.label)} <span className="num">{quantity(one.value)}</span>
            </button>
          )
        })}
        <span className="orders__total muted num">{data && t('orders.total', { n: count(data.total) })}</span>
      </div>
      <WaitedFor />
      {!data &&
        (list.error ? <FailureNote error={list.error} retry={() => void list.refetch()} /> : <Waiting rows={10} />)}
      {data?.rows.length === 0 && (
        <div className="card">
          <Empty title={t('aside.none')}>{t('aside.none_hint')}</Empty>
        </div>
      )}
      {data && data.rows.length > 0 && (
        <>
          <SetAsideTable rows={data.rows} />
          <Pager of={data} turn={turn} />
        </>
      )}
    </Page>
  )
}
