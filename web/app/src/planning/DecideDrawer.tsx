import { Alert, Drawer } from 'antd'
import { Link } from 'react-router'
import { useCan } from '../api/session'
import type { OrderChangeRow } from '../api/types'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { lineOf } from './ChangeTable'
import { ChangeValues } from './ChangeValues'
import { DecideForm } from './DecideForm'
import { DecisionTag } from './DecisionTag'
import { useWorkOrderStatus } from './status'
import '../orders/OrderPage.css'

type Props = { change: OrderChangeRow | undefined; gone: boolean; onClose: () => void }

function WorkOrders({ change }: { change: OrderChangeRow }) {
  const { t } = useLanguage()
  const { dayTime } = useFormats()
  const status = useWorkOrderStatus()
  if (change.work_orders.length === 0) return <p className="muted">{t('change.no_work_orders')}</p>
  return (
    <ul className="facts">
      {change.work_orders.map((work) => (
        <li key={work.id}>
          <b className="num">{work.work_order_no}</b>
          <span>{status(work.status)}</span>
          <span className="num">{quantity(work.qty)}</span>
          <span className="muted num">
            {t('order.due')} {dayTime(work.due_at)}
          </span>
        </li>
      ))}
    </ul>
  )
}

function Detail({ change, gone, onClose }: { change: OrderChangeRow; gone: boolean; onClose: () => void }) {
  const { t, say } = useLanguage()
  const { dayTime, ago } = useFormats()
  const can = useCan()
  const pending = change.decision === 'pending'
  return (
    <>
      <div className="change__what">
        <span>{say(change.label)}</span>
        <ChangeValues change={change} />
      </div>
      <dl className="pairs">
        <div>
          <dt>{t('changes.order')}</dt>
          <dd>
            {change.line_id ? <Link to={`/orders/${change.line_id}`}>{lineOf(change)}</Link> : lineOf(change)}
          </dd>
        </div>
        {change.customer && (
          <div>
            <dt>{t('order.customer')}</dt>
            <dd>{change.customer}</dd>
          </div>
        )}
        {change.item && (
          <div>
            <dt>{t('order.item')}</dt>
            <dd>{change.item}</dd>
          </div>
        )}
        {change.changed_at && (
          <div>
            <dt>{t('changes.changed_at')}</dt>
            <dd className="num">
              {dayTime(change.changed_at)} <span className="muted small">{ago(change.changed_at)}</span>
            </dd>
          </div>
        )}
        {!gone && (
          <div>
            <dt>{t('changes.decision')}</dt>
            <dd>
              <DecisionTag change={change} />
              {change.decided_by && (
                <span className="muted small">
                  {' '}
                  {change.decided_by} {dayTime(change.decided_at)}
                </span>
              )}
              {change.applied_at && (
                <span className="muted small"> · {t('change.applied_at', { time: dayTime(change.applied_at) })}</span>
              )}
            </dd>
          </div>
        )}
        {change.note && (
          <div>
            <dt>{t('change.note')}</dt>
            <dd>{change.note}</dd>
          </div>
        )}
      </dl>
      <h3>{t('change.work_orders')}</h3>
      <WorkOrders change={change} />
      {pending && !can('orders.manage') && <p className="muted change__foot">{t('task.not_yours')}</p>}
      {pending && can('orders.manage') && <DecideForm key={change.id} change={change} gone={gone} onDone={onClose} />}
      {pending && gone && !can('orders.manage') && <Alert type="info" showIcon title={t('change.gone')} />}
    </>
  )
}

/** A change, the work orders it touches, and the decision. */
export function DecideDrawer({ change, gone, onClose }: Props) {
  const { t } = useLanguage()
  return (
    <Drawer
      open={change !== undefined}
      onClose={onClose}
      size={560}
      destroyOnHidden
      title={change && (change.change_no ?? `${t('menu.order_changes')} ${lineOf(change)}`)}
      styles={{ wrapper: { maxWidth: '100vw' } }}
    >
      {change && <Detail change={change} gone={gone} onClose={onClose} />}
    </Drawer>
  )
}
