import { Drawer } from 'antd'
import { useCan } from '../api/session'
import { count } from '../format/quantity'
import { useLanguage } from '../i18n'
import { ResolveForm, type Task } from './ResolveForm'

/** What the source says of an unknown code, and how to settle it. */
export function ResolveDrawer({ task, onClose }: { task: Task | undefined; onClose: () => void }) {
  const { t, say } = useLanguage()
  const can = useCan()
  return (
    <Drawer
      open={task !== undefined}
      onClose={onClose}
      size={560}
      destroyOnHidden
      title={task && `${t(`entity.${task.entity}`)} · ${task.code}`}
      styles={{ wrapper: { maxWidth: '100vw' } }}
    >
      {task && (
        <>
          <p>
            {t('task.explain', { source: say(task.source_label), code: task.code })}
            {task.waiting_rows > 0 && (
              <b className="warn"> {t('task.waiting_rows', { n: count(task.waiting_rows) })}</b>
            )}
          </p>
          <dl className="seen">
            {task.seen.map(([name, value]) => (
              <div key={name}>
                <dt className="code muted">{name}</dt>
                <dd>{value ?? <span className="muted">{t('source.null')}</span>}</dd>
              </div>
            ))}
          </dl>
          {task.state !== 'open' && (
            <p className="card">
              {say(task.outcome)} · {task.done_by}
            </p>
          )}
          {task.state === 'open' && !can('masters.manage') && <p className="muted">{t('task.not_yours')}</p>}
          {task.state === 'open' && can('masters.manage') && <ResolveForm task={task} onDone={onClose} />}
        </>
      )}
    </Drawer>
  )
}
