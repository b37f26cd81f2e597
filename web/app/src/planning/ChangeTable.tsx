import { Button } from 'antd'
import { Link } from 'react-router'
import { useCan } from '../api/session'
import type { OrderChangeRow } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { CardTable } from '../parts/CardTable'
import { ChangeValues } from './ChangeValues'
import { DecisionTag } from './DecisionTag'
import '../masters/Masters.css'

type Props = { rows: OrderChangeRow[]; onOpen: (id: string) => void }

/** The order line that a change is about, or the whole order. */
export function lineOf(change: OrderChangeRow): string {
  return change.line_no === null ? change.order_no : `${change.order_no}-${change.line_no}`
}

function Row({ change, onOpen }: { change: OrderChangeRow; onOpen: (id: string) => void }) {
  const { t, say } = useLanguage()
  const { dayTime } = useFormats()
  const can = useCan()
  const pending = change.decision === 'pending'
  return (
    <tr>
      <td className="table__lead">
        <button type="button" className="bare task__open" data-row onClick={() => onOpen(change.id)}>
          <b className="num">{change.change_no ?? `${change.order_no} #${change.revision}`}</b>
        </button>
      </td>
      <td>
        <DecisionTag change={change} />
      </td>
      <td>{say(change.label)}</td>
      <td className="table__wide">
        <ChangeValues change={change} />
      </td>
      <td className="table__wide">
        {change.line_id ? (
          <Link to={`/orders/${change.line_id}`} className="num">
            {lineOf(change)}
          </Link>
        ) : (
          <Link to={`/orders/no/${encodeURIComponent(change.order_no)}`} className="num">
            {change.order_no}
          </Link>
        )}
        {change.customer && <span className="changes__item">{change.customer}</span>}
        {change.item && <span className="muted changes__item">{change.item}</span>}
      </td>
      <td className="num" data-label={t('changes.changed_at')}>
        {dayTime(change.changed_at)}
      </td>
      <td className="table__wide changes__outcome">
        {pending ? (
          <Button size="small" onClick={() => onOpen(change.id)} aria-label={`${t(can('orders.manage') ? 'change.decide' : 'action.open')} ${change.change_no ?? lineOf(change)}`}>
            {t(can('orders.manage') ? 'change.decide' : 'action.open')}
          </Button>
        ) : (
          <>
            {change.note && <span>{change.note} </span>}
            {change.decided_by && (
              <span className="muted small">
                {change.decided_by} {dayTime(change.decided_at)}
              </span>
            )}
          </>
        )}
      </td>
    </tr>
  )
}

/** Customers' changes, the newest first. */
export function ChangeTable({ rows, onOpen }: Props) {
  const { t } = useLanguage()
  return (
    <CardTable
      heads={[
        { label: t('changes.no') },
        { label: t('changes.decision') },
        { label: t('changes.kind') },
        { label: t('changes.values') },
        { label: t('changes.order') },
        { label: t('changes.changed_at') },
        { label: t('changes.outcome') },
      ]}
    >
      {rows.map((change) => (
        <Row key={change.id} change={change} onOpen={onOpen} />
      ))}
    </CardTable>
  )
}
