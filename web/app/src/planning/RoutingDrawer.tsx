import { Drawer } from 'antd'
import { Link } from 'react-router'
import type { EngineeringRow } from '../api/types'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { RoutingForm } from './RoutingForm'

type Props = { row: EngineeringRow | undefined; gone: boolean; onClose: () => void }

function Facts({ row }: { row: EngineeringRow }) {
  const { t } = useLanguage()
  const { dayTime } = useFormats()
  return (
    <dl className="pairs">
      <div>
        <dt>{t('order.item')}</dt>
        <dd>
          {row.item_code && <span className="code muted">{row.item_code} </span>}
          {row.item_name}
        </dd>
      </div>
      <div>
        <dt>{t('order.drawing')}</dt>
        <dd className="code">{row.drawing ?? '–'}</dd>
      </div>
      <div>
        <dt>{t('order.no')}</dt>
        <dd>
          <Link to={`/orders/${row.line_id}`}>
            {row.order_no}-{row.line_no}
          </Link>{' '}
          {row.customer}
        </dd>
      </div>
      <div>
        <dt>{t('engineering.qty')}</dt>
        <dd className="num">
          {quantity(row.qty)} {row.unit}
        </dd>
      </div>
      <div>
        <dt>{t('order.due')}</dt>
        <dd className="num">{dayTime(row.due_at)}</dd>
      </div>
    </dl>
  )
}

/** A work order that waits, and the routings that may serve it. */
export function RoutingDrawer({ row, gone, onClose }: Props) {
  const { t } = useLanguage()
  return (
    <Drawer
      open={row !== undefined}
      onClose={onClose}
      size={720}
      destroyOnHidden
      title={row && `${t('menu.engineering')} · ${row.work_order_no}`}
      styles={{ wrapper: { maxWidth: '100vw' } }}
    >
      {row && (
        <>
          {row.reason === 'drawing_changed' && (
            <p className="routing__why">
              <b>{t('engineering.drawing_changed')}</b> {row.note} {t('engineering.drawing_hint')}
            </p>
          )}
          <Facts row={row} />
          <RoutingForm key={row.work_order_id} row={row} gone={gone} onDone={onClose} />
        </>
      )}
    </Drawer>
  )
}
