import { Link } from 'react-router'
import { useCan } from '../api/session'
import type { StageCode, WorkOrderLine } from '../api/types'
import { isZero, quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { Flags } from '../parts/Flags'
import { SourceLinks } from '../parts/SourceLinks'
import { StageTag } from '../parts/StageTag'
import { Materials } from './Materials'
import { StationLine } from './StationLine'
import { WorkOrderMarks } from './WorkOrderMarks'

// Without a routing there is nothing to report, and what is over is reported no more.
const NO_TRAVELER: StageCode[] = ['engineering', 'finished', 'stocked', 'shipped', 'closed', 'cancelled']

/** A work order that serves the line: its stations and what it used. */
export function WorkOrder({ work, unit }: { work: WorkOrderLine; unit: string }) {
  const { t, say } = useLanguage()
  const { span } = useFormats()
  const can = useCan()
  const traveler = can('travelers.print') && work.stations.length > 0 && !NO_TRAVELER.includes(work.stage.code)
  return (
    <section className="card work" aria-label={`${t('work.title')} ${work.work_order_no}`}>
      <div className="card__head">
        <h2>
          {t('work.title')} <span className="num">{work.work_order_no}</span>
        </h2>
        <StageTag stage={work.stage} />
        <Flags hold={work.on_hold} />
        <WorkOrderMarks work={work} />
        <span className="work__space" />
        {traveler && (
          <Link className="work__traveler" to={`/work-orders/${encodeURIComponent(work.id)}/traveler`}>
            {t('traveler.open')}
          </Link>
        )}
        <SourceLinks sources={work.sources} of={work.work_order_no} />
      </div>
      <p className="work__figures muted">
        <span className="num">
          {t('work.allocated')} {quantity(work.allocated_qty)} / {quantity(work.qty)} {unit}
        </span>
        {!isZero(work.received_qty) && (
          <span className="num">
            {t('work.received')} {quantity(work.received_qty)} {unit}
          </span>
        )}
        <span className="num">
          {t('work.plan')} {span(work.plan_start, work.plan_end)}
        </span>
        {work.est_hours !== null && (
          <span className="num">
            {t('work.est_hours')} {t('work.hours', { n: quantity(work.est_hours) })}
          </span>
        )}
        {work.priority !== null && (
          <span>
            {t('work.priority')} {work.priority}
          </span>
        )}
        {work.waits_for && work.stage.confirmed && (
          <span className="work__waits">
            {t('order.waits_for')}
            {say(work.waits_for)}
          </span>
        )}
      </p>
      {work.stations.length > 0 ? (
        <StationLine stations={work.stations} />
      ) : (
        <p className="muted">{t('work.no_stations')}</p>
      )}
      <Materials materials={work.materials} />
    </section>
  )
}
