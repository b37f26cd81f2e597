import { useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import { answer, api } from '../api/client'
import { useCan } from '../api/session'
import { useEvery } from '../api/useLive'
import { count } from '../format/quantity'
import { useLanguage } from '../i18n'
import { ResolveDrawer } from '../masters/ResolveDrawer'
import '../masters/Masters.css'

const EVERY = 15_000
const SHOWN = 5

/** The codes that hold up most rows: one decision lets all of them go on. */
export function WaitedFor() {
  const { t, say } = useLanguage()
  const can = useCan()
  const allowed = can('masters.read')
  const [open, setOpen] = useState<string | null>(null)
  const list = useQuery({
    queryKey: ['tasks', 'open', 'most'],
    queryFn: () => answer(api.GET('/api/tasks', { params: { query: { state: 'open', page_size: SHOWN } } })),
    enabled: allowed,
    refetchInterval: useEvery(EVERY),
  })
  const tasks = list.data?.rows.filter((task) => task.waiting_rows > 0).slice(0, SHOWN) ?? []
  if (tasks.length === 0) return null
  return (
    <section className="card waited" aria-labelledby="waited">
      <div className="card__head">
        <h2 id="waited">{t('aside.waited')}</h2>
        <Link to="/tasks">{t('aside.waited_all')}</Link>
      </div>
      <ul>
        {tasks.map((task) => (
          <li key={task.id}>
            <b className="num warn waited__rows">{t('aside.waited_rows', { n: count(task.waiting_rows) })}</b>
            <span className="waited__code">
              {t(`entity.${task.entity}`)} <b className="code">{task.code}</b> {task.name}{' '}
              <span className="muted small">{say(task.source_label)}</span>
            </span>
            <Button size="small" aria-label={`${t('task.resolve')} ${task.code}`} onClick={() => setOpen(task.id)}>
              {t(can('masters.manage') ? 'task.resolve' : 'action.open')}
            </Button>
          </li>
        ))}
      </ul>
      <ResolveDrawer task={tasks.find((task) => task.id === open)} onClose={() => setOpen(null)} />
    </section>
  )
}
