import { Button } from 'antd'
import { useCan } from '../api/session'
import type { UnknownCodeTask } from '../api/types'
import { count } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import '../parts/Table.css'

type Props = { rows: Pick<UnknownCodeTask, Shown>[]; onOpen: (id: string) => void }
type Shown =
  | 'id'
  | 'entity'
  | 'source_label'
  | 'code'
  | 'name'
  | 'waiting_rows'
  | 'state'
  | 'created_at'
  | 'done_at'
  | 'done_by'
  | 'outcome'

/** Unknown codes, the ones that hold up most rows first. */
export function TaskTable({ rows, onOpen }: Props) {
  const { t, say } = useLanguage()
  const { ago, dayTime } = useFormats()
  const can = useCan()
  return (
    <div className="table-wrap">
      <table className="table table--cards">
        <thead>
          <tr>
            <th scope="col">{t('task.code')}</th>
            <th scope="col">{t('task.source')}</th>
            <th scope="col">{t('tasks.entity')}</th>
            <th scope="col" className="table__right">
              {t('task.waiting')}
            </th>
            <th scope="col">{t('task.since')}</th>
            <th scope="col">{t('task.outcome')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((task) => (
            <tr key={task.id}>
              <td className="table__lead">
                <button type="button" className="bare task__open" data-row onClick={() => onOpen(task.id)}>
                  <b className="code">{task.code}</b> {task.name}
                </button>
              </td>
              <td>{say(task.source_label)}</td>
              <td>{t(`entity.${task.entity}`)}</td>
              <td className="num table__right" data-label={t('task.waiting')}>
                <b className={task.waiting_rows > 0 ? 'warn' : 'muted'}>{count(task.waiting_rows)}</b>
              </td>
              <td className="num" data-label={t('task.since')}>
                {ago(task.created_at)}
              </td>
              <td className="table__wide">
                {task.state === 'open' ? (
                  <Button size="small" onClick={() => onOpen(task.id)}>
                    {t(can('masters.manage') ? 'task.resolve' : 'action.open')}
                  </Button>
                ) : (
                  <>
                    {say(task.outcome)}{' '}
                    <span className="muted small">
                      {task.done_by} {dayTime(task.done_at)}
                    </span>
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
