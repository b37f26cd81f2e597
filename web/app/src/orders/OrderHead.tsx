import { useEffect } from 'react'
import { Link, useNavigate } from 'react-router'
import { useCan } from '../api/session'
import type { OrderPage } from '../api/types'
import { percent, quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { recordPath } from '../lineage/paths'
import { Flags } from '../parts/Flags'
import { CopyLink } from './CopyLink'
import { StageBand } from './StageBand'

function Field({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div className="field">
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** Who ordered what, how much of it left, by when, and where it is. */
export function OrderHead({ order }: { order: OrderPage }) {
  const { t } = useLanguage()
  const { dayTime, ago } = useFormats()
  const navigate = useNavigate()
  const can = useCan()
  const title = `${order.order_no}-${order.line_no}`
  useEffect(() => {
    document.title = `${title} · 榫 Tenon`
  }, [title])
  const shipped = percent(order.shipped_qty, order.qty)
  const back = (event: React.MouseEvent): void => {
    if (window.history.state?.idx > 0) {
      event.preventDefault()
      void navigate(-1)
    }
  }
  return (
    <section className="card order__head">
      <div className="order__top">
        <Link to="/orders" onClick={back} className="small">
          ← {t('order.back')}
        </Link>
        <span className="order__asked">
          {can('source_rows.read') && (
            <Link to={recordPath('order_line', order.line_id)} className="small">
              {t('lineage.asked')}
            </Link>
          )}
          <CopyLink />
        </span>
      </div>
      <div className="order__title">
        <h1 className="num">{title}</h1>
        <Flags late={order.late} lateHours={order.late_hours} rush={order.rush} hold={order.on_hold} />
      </div>
      <StageBand stage={order.stage} waitsFor={order.waits_for} />
      <dl className="fields">
        {order.customer && <Field label={t('order.customer')}>{order.customer}</Field>}
        <Field label={t('order.item')}>
          {order.item_code} {order.item_name}
          {!order.standard && <span className="flag flag--hold order__nonstandard">{t('order.nonstandard')}</span>}
        </Field>
        <Field label={t('order.shipped_of')}>
          <span className="num">
            {quantity(order.shipped_qty)} / {quantity(order.qty)} {order.unit}
          </span>
          <span className="bar" aria-hidden="true">
            <i style={{ width: `${shipped}%` }} />
          </span>
        </Field>
        <Field label={t('order.due')}>
          <span className={`num${order.late ? ' bad' : ''}`}>{dayTime(order.due_at)}</span>
        </Field>
        <Field label={t('order.promised')}>
          <span className="num">{dayTime(order.promised_at)}</span>
        </Field>
        <Field label={t('order.po')}>{order.customer_po ?? '–'}</Field>
        <Field label={t('order.drawing')}>{order.drawing ?? '–'}</Field>
        <Field label={t('order.ordered_at')}>
          <span className="num">{dayTime(order.ordered_at)}</span>
          {order.ordered_at && <span className="muted small"> {ago(order.ordered_at)}</span>}
        </Field>
      </dl>
    </section>
  )
}
