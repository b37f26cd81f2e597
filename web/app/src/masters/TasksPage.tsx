import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Segmented, Select } from 'antd'
import { answer, api } from '../api/client'
import { useEvery } from '../api/useLive'
import { count } from '../format/quantity'
import { useLanguage } from '../i18n'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Pager } from '../parts/Pager'
import { Waiting } from '../parts/Waiting'
import { useAddressFilter } from '../sources/useAddressFilter'
import { ResolveDrawer } from './ResolveDrawer'
import { TaskTable } from './TaskTable'
import { ENTITIES, entityFrom } from './entities'
import '../orders/OrderList.css'
import './Masters.css'

const STATES = ['open', 'done', 'ignored'] as const
const EVERY = 15_000

/** Codes that no golden record has; the rows that need them wait. */
export default function TasksPage() {
  const { t } = useLanguage()
  const { get, set, open, page, turn } = useAddressFilter()
  const state = STATES.find((one) => one === get('state')) ?? 'open'
  const entity = entityFrom(get('entity')) ?? undefined
  const chosen = get('task')
  const list = useQuery({
    queryKey: ['tasks', state, entity, page],
    queryFn: () => answer(api.GET('/api/tasks', { params: { query: { state, entity, page } } })),
    placeholderData: keepPreviousData,
    refetchInterval: useEvery(EVERY),
  })
  const data = list.data
  return (
    <Page title={t('menu.tasks')} hint={t('tasks.hint')}>
      <div className="orders__filters">
        <Segmented
          aria-label={t('tasks.state')}
          value={state}
          options={STATES.map((one) => ({ value: one, label: t(`tasks.state.${one}`) }))}
          onChange={(value) => set('state', value === 'open' ? undefined : value)}
        />
        <Select
          allowClear
          className="orders__stage"
          aria-label={t('tasks.entity')}
          placeholder={t('tasks.entity')}
          value={entity}
          options={ENTITIES.map((one) => ({ value: one, label: t(`entity.${one}`) }))}
          onChange={(value?: string) => set('entity', value)}
        />
        <span className="orders__total muted num">{data && t('tasks.total', { n: count(data.total) })}</span>
      </div>
      {!data &&
        (list.error ? <FailureNote error={list.error} retry={() => void list.refetch()} /> : <Waiting rows={8} />)}
      {data?.rows.length === 0 && (
        <div className="card">
          <Empty title={t(state === 'open' ? 'tasks.none_open' : 'tasks.none')}>
            {state === 'open' && t('tasks.none_hint')}
          </Empty>
        </div>
      )}
      {data && data.rows.length > 0 && (
        <>
          <TaskTable rows={data.rows} onOpen={(id) => open('task', id)} />
          <Pager of={data} turn={turn} />
        </>
      )}
      <ResolveDrawer task={data?.rows.find((task) => task.id === chosen)} onClose={() => open('task', undefined)} />
    </Page>
  )
}
